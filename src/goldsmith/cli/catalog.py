"""Commands of the noun `catalog`: the Hive Metastore."""

from __future__ import annotations

from typing import Annotated

import typer

from goldsmith.cli.console import out, plural, print_error, print_json, styled
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import open_project, open_spark, profile_name
from goldsmith.cli.options import Json, Names
from goldsmith.errors import DeclarationError, Exit


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "catalog", "The Hive Metastore, in which SQL clients find the tables.")
    group.command(rich_help_panel=Panel.MAINTAIN)(sync)


def sync(
    names: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if an entry differs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare the catalog's entries with the tables and repair them.

    Example: `goldsmith --profile cluster catalog sync gold --check`

    Registers missing tables and corrects locations, columns and comments. It changes no rows. An entry of a view or
    of a table that is not Delta is reported and kept.
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
            f"The profile `{run.profile}` has no persistent catalog.",
            hint="Set `catalog: hive` in goldsmith.yaml, or use another profile: `goldsmith --profile cluster ...`.",
        )
    with open_spark(project, quiet=as_json) as spark:
        changes = list(synced(spark, run, chosen, check=check))
    left = [change for change in changes if not change.repaired]
    if as_json:
        print_json(
            [
                {"name": change.name, "difference": change.problem, "repaired": change.repaired}
                for change in changes
            ]
        )
    else:
        for change in changes:
            mark = ("repaired", "green") if change.repaired else ("differs", "yellow")
            out.print(styled(mark, f"  {change.name} {change.problem}"), soft_wrap=True)
            if change.error is not None:
                print_error(change.error)
        if not changes:
            same = f" {plural(len(chosen), 'table')}, their quarantines and the tables of ops."
            out.print(styled(("Up to date:", "green"), same))
    raise typer.Exit(Exit.FAILED if left else Exit.DONE)
