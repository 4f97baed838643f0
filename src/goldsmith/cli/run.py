"""The command `run`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out, print_json, print_warnings, styled
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import interval, open_project, open_spark, profile_name, tables_to_rebuild
from goldsmith.cli.options import From, Json, Names, Parallel, Rebuild, To
from goldsmith.errors import DeclarationError, Exit
from goldsmith.project.hints import hint_for

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from goldsmith.project.pipelines import Project
    from goldsmith.run.context import DataInterval
    from goldsmith.run.outcome import RunResult


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.LOAD)(run)


def run(
    names: Names = None,
    rebuild: Rebuild = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            help="An expectation, or `max_quarantined`, that may fail in this run. It is recorded.",
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason to accept it.")] = "",
    start: From = None,
    end: To = None,
    restate: Annotated[
        bool,
        typer.Option("--restate", help="Ask for the days again in tables that are loaded by interval."),
    ] = False,
    parallel: Parallel = None,
    without_spark: Annotated[
        bool,
        typer.Option("--without-spark", help="Load nothing: end with 5 if there is something to load."),
    ] = False,
    as_json: Json = False,
    result_file: Annotated[
        Path | None, typer.Option("--result", help="A file for the outcome as JSON, written in any case.")
    ] = None,
) -> None:
    """Load what is new in the sources and upstreams of tables.

    Example: `goldsmith run flights --from 2013-01-01`

    The interval labels the run and filters nothing, except in tables that are loaded by interval: they ask for its days
    in order, one run for each, and for a day again only with `--restate`. Rows that fail an expectation are
    quarantined, dropped, or stop the load, as the table declares. A run can be repeated at any time: committed loads
    are not repeated.
    """
    from goldsmith.cli.results import result_in

    days = interval(start, end)
    with result_in(result_file) as file:
        results = _run(
            names or [],
            rebuild,
            accept,
            why,
            days,
            parallel,
            restate=restate,
            with_spark=not without_spark,
            quiet=as_json,
        )
        file.write(results[-1])
    from goldsmith.cli.progress import exit_code, print_result, result_as_dict

    if as_json:
        shown = [result_as_dict(result) for result in results]
        print_json(shown if len(shown) > 1 else shown[0])
    else:
        print_result(results)
    raise typer.Exit(exit_code(results[-1]))


def _run(
    names: list[str],
    rebuild: list[str] | None,
    accept: list[str] | None,
    why: str,
    days: DataInterval | None,
    parallel: int | None,
    *,
    restate: bool,
    with_spark: bool,
    quiet: bool,
) -> list[RunResult]:
    """The results of one run, or of one for each day. The last one failed if a day did."""
    project = open_project(names)
    chosen = project.select(tuple(names))
    if accept and not why:
        raise DeclarationError(
            "GS504",
            "`--accept` is given without a reason.",
            hint="Add the reason: `--accept NAME --why '...'`. It is recorded with the run.",
        )
    _require_acceptable(project, accept or [])
    by_interval = [name for name in chosen if project.tables[name].by_interval]
    if restate:
        _require_days(by_interval, days)
    from goldsmith.cli.progress import exit_code, live_progress
    from goldsmith.publish.openlineage import emit
    from goldsmith.run.context import Accepted, DataInterval, Run
    from goldsmith.run.idle import idle

    intervals = [DataInterval.of(day, None) for day in days.days] if days and by_interval else [days]
    rebuilt = tables_to_rebuild(project, rebuild, chosen)
    width = parallel or project.profile(profile_name()).parallel
    results: list[RunResult] = []
    with ExitStack() as stack:
        spark: SparkSession | None = None
        for number, one in enumerate(intervals, 1):
            if len(intervals) > 1 and one is not None and not quiet:
                out.print(styled((f"{one.start}", "bold"), (f" {number} of {len(intervals)}", "dim")))
            this = Run.begin(
                project,
                profile_name(),
                interval=one,
                restating=days if restate else None,
                rebuild=rebuilt if number == 1 else frozenset(),
                accepted=Accepted(frozenset(accept or ()), why=why),
            )
            result = idle(this, chosen) if spark is None else None
            if result is None and not with_spark:
                raise typer.Exit(Exit.NEEDS_SPARK)
            if result is None:
                from goldsmith.run.runner import run_tables

                spark = spark or stack.enter_context(open_spark(project, quiet=quiet))
                with live_progress(quiet=quiet) as listener:
                    result = run_tables(spark, this, chosen, parallel=width, listener=listener)
            print_warnings(emit(this, result))
            results.append(result)
            if exit_code(result) != Exit.DONE:
                break
    return results


def _require_days(by_interval: list[str], days: DataInterval | None) -> None:
    """Raises DeclarationError GS504 if `--restate` has no days or no table to load again."""
    if days is None:
        raise DeclarationError(
            "GS504",
            "`--restate` is given without days.",
            hint="Add them: `--from 2026-02-01 --to 2026-03-01`.",
        )
    if not by_interval:
        raise DeclarationError(
            "GS504",
            "`--restate` has no effect: no chosen table is loaded by interval.",
            hint="Such a table has an extract and `load: {overwrite_partitions: {by: _interval}}`.",
        )


def _require_acceptable(project: Project, names: list[str]) -> None:
    """Raises DeclarationError for a name that `--accept` cannot take: GS108 if unknown, GS504 if it stops no load."""
    stops: dict[str, bool] = {}
    for table in project.tables.values():
        for verdict in table.verdicts:
            for name in (verdict.name, f"{table.name}.{verdict.name}"):
                stops[name] = stops.get(name, False) or verdict.otherwise == "fail"
    short = [name for name in stops if "." not in name]
    for name in names:
        if name not in stops:
            raise DeclarationError(
                "GS108", f"No table has an expectation `{name}`.", hint=hint_for(name, short)
            )
        if not stops[name]:
            raise DeclarationError(
                "GS504",
                f"`{name}` stops no load, so it cannot be accepted.",
                hint="`--accept` takes expectations with `otherwise: fail`, and `max_quarantined`. "
                "Quarantined rows enter by `goldsmith quarantine release`.",
            )
