"""Commands about the catalog: catalog sync."""

from __future__ import annotations

from typing import Annotated

import typer

from goldsmith.cli.console import out, plural, styled, tell_error, tell_json
from goldsmith.cli.opening import open_project, open_spark, profile_name
from goldsmith.errors import DeclarationError, Exit

group = typer.Typer(help="The Hive Metastore: what SQL clients know of the tables.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(group, name="catalog", rich_help_panel="Run")


@group.callback()
def catalog() -> None:
    """The Hive Metastore: what SQL clients know of the tables."""


@group.command()
def sync(
    names: Annotated[
        list[str] | None, typer.Argument(help="Pipelines, layers or tables; all where none is named.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 where something differs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Compare the catalog with the tables and put it right: missing entries, other places, columns, comments.

    Rows are never touched. An entry that another kind of table or a view has taken is told and left alone.
    """
    project = open_project()
    chosen = project.select(tuple(names or ()))
    from goldsmith.run.catalog_sync import has_catalog
    from goldsmith.run.catalog_sync import sync as synced
    from goldsmith.run.context import Run

    run = Run.begin(project, profile_name())
    if not has_catalog(run):
        raise DeclarationError(
            "GS504",
            f"The profile `{run.profile}` has no catalog outside of its sessions.",
            hint="Say `catalog: hive` in goldsmith.yaml, or name another profile: `goldsmith --profile cluster ...`.",
        )
    with open_spark(project, quiet=as_json) as spark:
        changes = list(synced(spark, run, chosen, check=check))
    left = [change for change in changes if not change.repaired]
    if as_json:
        told = [
            {"name": change.name, "told": change.problem, "mended": change.repaired} for change in changes
        ]
        tell_json(told)
    else:
        for change in changes:
            mark = ("mended", "green") if change.repaired else ("differs", "yellow")
            out.print(styled(mark, f"  {change.name} {change.problem}"), soft_wrap=True)
            if change.error is not None:
                tell_error(change.error)
        if not changes:
            same = f" {plural(len(chosen), 'table')}, their quarantines and the records."
            out.print(styled(("In step:", "green"), same))
    raise typer.Exit(Exit.FAILED if left else Exit.DONE)
