"""Commands of the noun `table`: rows and files of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from goldsmith.cli.console import error_as_dict, out, plural, print_error, print_json, styled, table
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import open_project, open_spark, profile_name, without_spark
from goldsmith.cli.options import Json, Limit, Parallel
from goldsmith.cli.sql import print_answer
from goldsmith.errors import Exit

if TYPE_CHECKING:
    from goldsmith.run.maintaining import MaintenanceResult


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "table", "Tables: their rows and their files.")
    group.command(rich_help_panel=Panel.LOOK)(show)
    group.command(rich_help_panel=Panel.MAINTAIN)(maintain)


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A table, as gold.daily_punctuality, ops.table_runs or quarantine.silver_departures."
        ),
    ],
    limit: Limit = 10,
    as_json: Json = False,
) -> None:
    """Print the first rows of a table, and its description.

    Example: `goldsmith table show gold.daily_punctuality --limit 20`
    """
    project = open_project()
    from goldsmith.run.context import Run
    from goldsmith.run.first_rows import first_rows

    declared = project.tables.get(name)
    if declared is None and name.split(".")[0] not in ("ops", "quarantine"):
        declared = project.table(name)
    full = declared.name if declared else name
    run = Run.begin(project, profile_name())
    answer = without_spark(project, lambda spark: first_rows(spark, run, full, limit), quiet=as_json)
    if as_json:
        print_json(answer.as_dicts())
        return
    if declared and declared.spec.description:
        out.print(styled((full, "bold"), f"  {declared.spec.description}"))
    print_answer(answer, limit)


def maintain(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Pipelines, layers or tables. Default: all, and the tables of ops.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; print what would be removed.")
    ] = False,
    parallel: Parallel = None,
    as_json: Json = False,
) -> None:
    """Compact small files, vacuum unreferenced ones, and remove what the project's retention lets expire.

    Example: `goldsmith table maintain silver gold --dry-run`

    No row of a table changes. Includes the tables' quarantines. Versions stay readable for the table's retention
    (`delta.deletedFileRetentionDuration`, 7 days by default), and until the tables downstream have consumed them.
    """
    project = open_project()
    chosen = project.select(tuple(names or ()))
    from goldsmith.engine.s3 import check_reachable
    from goldsmith.run.context import Run
    from goldsmith.run.readable import OPS, loaded

    profile = project.profile(profile_name())
    run = Run.begin(project, profile_name())
    check_reachable([run.warehouse])
    done: tuple[MaintenanceResult, ...] = ()
    if any(loaded(run.path(name)) for name in (*chosen, *(() if names else OPS))):
        from goldsmith.run.maintaining import maintain

        with open_spark(project, quiet=as_json) as spark:
            width = parallel or profile.parallel
            done = maintain(spark, run, chosen, ops=not names, dry_run=dry_run, parallel=width)
    if as_json:
        print_json([_as_dict(each) for each in done])
    else:
        _print_maintained(done, dry_run=dry_run)
    raise typer.Exit(Exit.FAILED if any(each.error for each in done) else Exit.DONE)


def _print_maintained(done: tuple[MaintenanceResult, ...], *, dry_run: bool) -> None:
    if not done:
        out.print("No table has been loaded: nothing to maintain.")
        return
    rows = [
        (
            each.table,
            each.files,
            _compacted(each),
            each.removed or None,
            each.expired or None,
            _retained(each),
        )
        for each in done
        if each.error is None
    ]
    out.print(table(("table", "files", "compacted", "removed", "expired rows", "versions kept"), rows))
    for each in done:
        if each.error is not None:
            print_error(each.error)
    removed, expired = sum(each.removed for each in done), sum(each.expired for each in done)
    rows_too = f" and {plural(expired, 'expired row')}" if expired else ""
    if dry_run:
        out.print(f"\n{plural(removed, 'file')}{rows_too} would be removed. Nothing was changed.")
    else:
        fewer = sum(each.compacted[0] - each.compacted[1] for each in done if each.compacted)
        out.print(
            f"\nCompacted: {plural(fewer, 'file')} fewer. Removed: {plural(removed, 'old file')}{rows_too}."
        )


def _compacted(each: MaintenanceResult) -> str | None:
    if not each.compacted or each.compacted == (0, 0):
        return None
    return f"{each.compacted[0]} into {each.compacted[1]}"


def _retained(each: MaintenanceResult) -> str:
    days = f"{each.kept_hours / 24:.0f} days"
    return f"all, {each.held_by} has not consumed them" if each.held_by else days


def _as_dict(each: MaintenanceResult) -> dict[str, Any]:
    return {
        "table": each.table,
        "files": each.files,
        "compacted": each.compacted,
        "removed": each.removed,
        "expired_rows": each.expired,
        "kept_hours": each.kept_hours,
        "kept_for": each.held_by,
        "error": error_as_dict(each.error) if each.error else None,
    }
