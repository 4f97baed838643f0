"""Commands about quarantined rows: quarantine list, show, release."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

import typer

from goldsmith.cli.console import out, plural, styled, table, tell_json
from goldsmith.cli.opening import open_project, open_spark, profile_name

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Name = Annotated[str, typer.Argument(help="A table.")]
Where = Annotated[
    str | None,
    typer.Option("--where", help="SQL over `reasons` and the row's columns as they entered: \"id = '7'\"."),
]

group = typer.Typer(help="Quarantined rows: list, show and release them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(group, name="quarantine", rich_help_panel="Look")


@group.command("list")
def list_(as_json: Json = False) -> None:
    """List the tables with quarantined rows, and the reasons."""
    project = open_project()
    from goldsmith.run.context import Run
    from goldsmith.run.quarantine_view import reasons

    with open_spark(project, quiet=as_json) as spark:
        found = reasons(spark, Run.begin(project, profile_name()))
    if as_json:
        tell_json(found)
    elif not found:
        out.print("No row is in quarantine.")
    else:
        out.print(
            table(
                ("table", "reason", "rows", "since (UTC)"),
                [(f.table, f.reason, f.rows, f.since) for f in found],
            )
        )


@group.command()
def show(
    name: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rows.")] = 10,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Show a table's quarantined rows as they entered, with their reasons."""
    project = open_project()
    declared = project.table(name)
    from goldsmith.run.context import Run
    from goldsmith.run.quarantine_view import rows

    with open_spark(project, quiet=as_json) as spark:
        found = rows(spark, Run.begin(project, profile_name()), declared, limit, where)
    if as_json:
        tell_json(
            [
                {
                    "reasons": held.reasons,
                    "held_at": held.held_at,
                    "run_id": held.run_id,
                    "row": json.loads(held.row, parse_float=_exact),
                }
                for held in found
            ]
        )
        return
    if not found:
        out.print(f"{declared.name} has no such row in quarantine.")
        return
    shown = [(", ".join(held.reasons), held.held_at, held.row) for held in found]
    out.print(table(("reasons", "quarantined at (UTC)", "row"), shown, title=declared.name))


def _exact(number: str) -> float | str:
    """A number of a JSON text; as text where a double would change it."""
    parsed = float(number)
    return parsed if Decimal(repr(parsed)) == Decimal(number) else number


@group.command()
def release(
    name: Name,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Evaluate quarantined rows again under the current rules; those that meet them enter the table, exactly once.

    No rule is overridden: change the rule first, or the table's declaration.
    """
    project = open_project()
    declared = project.table(name)
    from goldsmith.run.context import Run
    from goldsmith.run.records import record
    from goldsmith.run.release import release as release_rows

    run = Run.begin(project, profile_name())
    with open_spark(project, quiet=as_json) as spark:
        done = release_rows(spark, run, declared, where)
        if done.outcome is not None:
            record(spark, run, [done.outcome])
    if as_json:
        tell_json(
            {
                "table": declared.name,
                "looked_at": done.chosen,
                "released": done.released,
                "superseded": done.superseded,
                "left": done.left,
            }
        )
        return
    if not done.chosen:
        out.print(f"{declared.name} has no such row in quarantine.")
        return
    colour = "green" if done.released and not done.left else "yellow"
    lost = f" ({done.superseded:,} superseded by newer rows)" if done.superseded else ""
    told = (
        f" into {declared.name}{lost}. {plural(done.left, 'row')} still violate a rule and stay in quarantine: "
        f"see `goldsmith quarantine show {declared.name}`."
        if done.left
        else f" into {declared.name}{lost}."
    )
    out.print(styled((f"{plural(done.released, 'row')} released", colour), told), soft_wrap=True)
