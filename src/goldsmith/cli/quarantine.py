"""Commands of the noun `quarantine`: rows that failed an expectation or could not be read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out, plural, print_json, print_warning, styled, table
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import open_project, open_spark, profile_name, without_spark
from goldsmith.cli.options import Json, Limit
from goldsmith.project.format_hints import format_hints

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Name = Annotated[str, typer.Argument(help="A table.")]
Where = Annotated[
    str | None,
    typer.Option("--where", help="SQL over `reasons` and the row's columns as delivered: \"id = '7'\"."),
]


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "quarantine", "Quarantined rows.")
    group.command("list", rich_help_panel=Panel.LOOK)(list_)
    group.command(rich_help_panel=Panel.LOOK)(show)
    group.command(rich_help_panel=Panel.MAINTAIN)(release)
    group.command(rich_help_panel=Panel.MAINTAIN)(purge)


def list_(as_json: Json = False) -> None:
    """List the tables with quarantined rows, and the reasons.

    Example: `goldsmith quarantine list`
    """
    project = open_project()
    from goldsmith.run.context import Run
    from goldsmith.run.quarantine_reasons import reasons

    run = Run.begin(project, profile_name())
    found = without_spark(project, lambda spark: reasons(spark, run), quiet=as_json)
    if as_json:
        print_json(found)
    elif not found:
        out.print("No row is in quarantine.")
    else:
        out.print(
            table(
                ("table", "reason", "rows", "since (UTC)"),
                [(f.table, f.reason, f.rows, f.since) for f in found],
            )
        )


def show(
    name: Name,
    limit: Limit = 10,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Print a table's quarantined rows as they were delivered, with their reasons.

    Example: `goldsmith quarantine show silver.departures --where "distance > 6000"`
    """
    project = open_project()
    declared = project.table(name)
    from goldsmith.run.context import Run
    from goldsmith.run.quarantine_entries import QuarantineEntry, newest_entries

    run = Run.begin(project, profile_name())

    def entries(spark: SparkSession | None) -> tuple[QuarantineEntry, ...]:
        if spark is None and where is None:
            return newest_entries(run, declared, limit)
        if spark is None:
            from goldsmith.engine.delta.delta_rs import NeedsSpark

            raise NeedsSpark("Spark evaluates --where")
        from goldsmith.run.quarantine_view import rows

        return rows(spark, run, declared, limit, where)

    found = without_spark(project, entries, quiet=as_json)
    if as_json:
        print_json(
            [
                {
                    "reasons": row.reasons,
                    "held_at": row.held_at,
                    "run_id": row.run_id,
                    "row": json.loads(row.row, parse_float=_exact),
                }
                for row in found
            ]
        )
        return
    if not found:
        out.print(f"{declared.name} has no matching row in quarantine.")
        return
    shown = [(", ".join(row.reasons), row.held_at, row.row) for row in found]
    out.print(table(("reasons", "quarantined at (UTC)", "row"), shown, title=declared.name))
    if declared.origin:
        for hint in format_hints([(row.reasons, row.row) for row in found]):
            print_warning(hint)


def _exact(number: str) -> float | str:
    """A number in JSON; as text if a double cannot represent it."""
    parsed = float(number)
    return parsed if Decimal(repr(parsed)) == Decimal(number) else number


def release(
    name: Name,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Re-evaluate quarantined rows by the current declaration; load those that pass, exactly once.

    Example: `goldsmith quarantine release silver.departures`

    It overrides no expectation: correct the table's declaration first.
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
        print_json(
            {
                "table": declared.name,
                "evaluated": done.chosen,
                "released": done.released,
                "superseded": done.superseded,
                "left": done.left,
            }
        )
        return
    if not done.chosen:
        out.print(f"{declared.name} has no matching row in quarantine.")
        return
    colour = "green" if done.released and not done.left else "yellow"
    superseded = f" ({done.superseded:,} superseded by newer rows)" if done.superseded else ""
    summary = (
        f" into {declared.name}{superseded}. {plural(done.left, 'row')} still fail and stay in quarantine: "
        f"see `goldsmith quarantine show {declared.name}`."
        if done.left
        else f" into {declared.name}{superseded}."
    )
    out.print(styled((f"{plural(done.released, 'row')} released", colour), summary), soft_wrap=True)


def purge(
    name: Name,
    where: Annotated[
        str,
        typer.Option(
            "--where", help="SQL over `reasons` and the row's columns as delivered: \"email = 'a@b.c'\"."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; print how many rows match.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove quarantined rows for good, for example those of one person.

    Example: `goldsmith quarantine purge bronze.orders --where "customer = 'Ada'"`

    Former versions of the quarantine keep the rows until `goldsmith table maintain` removes old files.
    """
    project = open_project()
    declared = project.table(name)
    from goldsmith.run.context import Run
    from goldsmith.run.purging import purge as purge_rows

    with open_spark(project, quiet=as_json) as spark:
        count = purge_rows(spark, Run.begin(project, profile_name()), declared, where, dry_run=dry_run)
    if as_json:
        print_json({"table": declared.name, "rows": count, "removed": 0 if dry_run else count})
    elif dry_run:
        out.print(f"{plural(count, 'row')} of {declared.name} would be removed. Nothing was changed.")
    else:
        out.print(f"{plural(count, 'row')} of {declared.name} removed from quarantine.")
