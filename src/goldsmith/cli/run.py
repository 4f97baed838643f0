"""The command `run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import print_json, print_warnings
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import interval, open_project, open_spark, profile_name, tables_to_rebuild
from goldsmith.cli.options import From, Json, Names, Parallel, Rebuild, To
from goldsmith.errors import DeclarationError
from goldsmith.project.hints import hint_for

if TYPE_CHECKING:
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
    parallel: Parallel = None,
    as_json: Json = False,
    result_file: Annotated[
        Path | None, typer.Option("--result", help="A file for the outcome as JSON, written in any case.")
    ] = None,
) -> None:
    """Load what is new in the sources and upstreams of tables.

    Example: `goldsmith run flights --from 2013-01-01`

    The interval labels the run and filters nothing. Rows that fail an expectation are quarantined, dropped, or stop
    the load, as the table declares. A run can be repeated at any time: committed loads are not repeated.
    """
    from goldsmith.cli.results import result_in

    with result_in(result_file) as file:
        result = _run(names or [], rebuild, accept, why, interval(start, end), parallel, quiet=as_json)
        file.write(result)
    from goldsmith.cli.progress import exit_code, print_result, result_as_dict

    if as_json:
        print_json(result_as_dict(result))
    else:
        print_result([result])
    raise typer.Exit(exit_code(result))


def _run(
    names: list[str],
    rebuild: list[str] | None,
    accept: list[str] | None,
    why: str,
    days: DataInterval | None,
    parallel: int | None,
    *,
    quiet: bool,
) -> RunResult:
    project = open_project(names)
    chosen = project.select(tuple(names))
    if accept and not why:
        raise DeclarationError(
            "GS504",
            "`--accept` is given without a reason.",
            hint="Add the reason: `--accept NAME --why '...'`. It is recorded with the run.",
        )
    _require_acceptable(project, accept or [])
    from goldsmith.cli.progress import live_progress
    from goldsmith.publish.openlineage import emit
    from goldsmith.run.context import Accepted, Run
    from goldsmith.run.idle import idle
    from goldsmith.run.runner import run_tables

    this = Run.begin(
        project,
        profile_name(),
        interval=days,
        rebuild=tables_to_rebuild(project, rebuild, chosen),
        accepted=Accepted(frozenset(accept or ()), why=why),
    )
    nothing = idle(this, chosen)
    if nothing is not None:
        print_warnings(emit(this, nothing))
        return nothing
    width = parallel or project.profile(profile_name()).parallel
    with open_spark(project, quiet=quiet) as spark:
        with live_progress(quiet=quiet) as listener:
            result = run_tables(spark, this, chosen, parallel=width, listener=listener)
        print_warnings(emit(this, result))
    return result


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
