"""Commands that load: plan, run, feed, replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out, plural, styled, table, tell_json, tell_warning
from goldsmith.cli.opening import interval, open_project, open_spark, profile_name
from goldsmith.cli.reporting import report_file, tell_report
from goldsmith.errors import DeclarationError, Exit
from goldsmith.project.hints import hint_for

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from goldsmith.project.tables import Pipeline, Project
    from goldsmith.run.context import DataInterval
    from goldsmith.run.feeding import Feed
    from goldsmith.run.outcome import RunResult

Names = Annotated[
    list[str] | None, typer.Argument(help="Pipelines, layers or tables; all where none is named.")
]
From = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the data interval.")
]
Spoil = Annotated[
    list[datetime] | None,
    typer.Option(
        "--spoil",
        formats=["%Y-%m-%d"],
        help="A day of the interval whose CSV files come with broken values, to see what happens then.",
    ),
]
To = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The day after its last.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Rebuild = Annotated[
    list[str] | None,
    typer.Option("--rebuild", help="A table to compute anew from all its sources, in one commit."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (plan, run, feed, replay):
        app.command(rich_help_panel="Run")(command)


def plan(names: Names = None, rebuild: Rebuild = None, as_json: Json = False) -> None:
    """Say what a run would do and why; change nothing."""
    project = open_project()
    chosen = project.select(tuple(names or ()))
    from goldsmith.run.context import Run
    from goldsmith.run.preview import preview

    run = Run.begin(project, profile_name(), rebuild=_rebuilt(project, rebuild, chosen))
    with open_spark(project, quiet=as_json) as spark:
        steps = preview(spark, run, chosen)
    if as_json:
        tell_json(steps)
        return
    out.print(table(("table", "would", "why"), [(step.table, step.action, step.reason) for step in steps]))
    for step in steps:
        if step.warning:
            tell_warning(f"{step.table}: {step.warning}")
    count = sum(1 for step in steps if step.action != "nothing")
    out.print(f"\n{plural(count, 'table')} of {len(steps)} would load." if count else "\nNothing to do.")


def run(
    names: Names = None,
    rebuild: Rebuild = None,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="An expectation that may fail this once; it is recorded."),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="Why it is accepted.")] = "",
    start: From = None,
    end: To = None,
    parallel: Annotated[
        int | None, typer.Option("--parallel", min=1, help="How many tables load side by side.")
    ] = None,
    as_json: Json = False,
    result_file: Annotated[
        Path | None, typer.Option("--result", help="A file that takes the outcome as JSON, whatever it is.")
    ] = None,
) -> None:
    """Bring tables up to date: load what is new in their sources, and nothing else.

    The interval labels the run; it filters no table. Rows that break a rule are quarantined, dropped or stop
    the load, as the table declares. Run it again at any time: what is done stays done.
    """
    from goldsmith.cli.results import result_in

    with result_in(result_file) as file:
        result = _run(names or [], rebuild, accept, why, interval(start, end), parallel, quiet=as_json)
        file.write(result)
    from goldsmith.cli.progress import exit_code, result_as_dict, tell_result

    if as_json:
        tell_json(result_as_dict(result))
    else:
        tell_result([result])
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
    _known_expectations(project, accept or [])
    if accept and not why:
        raise DeclarationError(
            "GS504",
            "`--accept` is given without a reason.",
            hint="Say why: `--accept NAME --why '...'`. It is recorded with the run.",
        )
    from goldsmith.cli.progress import told_live
    from goldsmith.publish.openlineage import emit
    from goldsmith.run.context import Accepted, Run
    from goldsmith.run.idle import idle
    from goldsmith.run.runner import run_tables

    this = Run.begin(
        project,
        profile_name(),
        interval=days,
        rebuild=_rebuilt(project, rebuild, chosen),
        accepted=Accepted(frozenset(accept or ()), why=why),
    )
    nothing = idle(this, chosen)
    if nothing is not None:
        _emit(emit(this, nothing))
        return nothing
    width = parallel or project.profile(profile_name()).parallel
    with open_spark(project, quiet=quiet) as spark:
        with told_live(quiet=quiet) as listener:
            result = run_tables(spark, this, chosen, parallel=width, listener=listener)
        _emit(emit(this, result))
    return result


def feed(
    pipeline: Annotated[str, typer.Argument(help="The pipeline whose feed delivers.")],
    start: From = None,
    end: To = None,
    spoil: Spoil = None,
) -> None:
    """Deliver a pipeline's landing files for the days of an interval, by its feed.py."""
    project = open_project([pipeline])
    chosen = _pipeline(project, pipeline)
    from goldsmith.run.context import Run
    from goldsmith.run.feeding import deliver_interval, feed_of, make_folders

    days = interval(start, end)
    if days is None:
        raise DeclarationError(
            "GS504", "The call names no days.", hint="Say which: `--from 2013-01-01 --to 2013-01-08`."
        )
    deliver = _spoiled(feed_of(chosen), spoil, days)
    this = Run.begin(project, profile_name(), interval=days)
    new = present = 0
    make_folders(this.landing, project, chosen)
    for delivery in deliver_interval(this.landing, deliver, days):
        new, present = new + delivery.new, present + delivery.present
        out.print(f"{delivery.day}: {plural(delivery.new, 'new file')}, {delivery.present} there already")
    told = f" {plural(new, 'file')} into {this.landing.place}; {present} were there already."
    out.print(styled(("Delivered", "green"), told), soft_wrap=True)


def replay(
    pipeline: Annotated[str, typer.Argument(help="A pipeline with a feed.")],
    start: From = None,
    end: To = None,
    spoil: Spoil = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report at the end.")] = True,
) -> None:
    """Live through an interval: day by day deliver that day's files and load every table of the pipeline."""
    project = open_project()
    chosen = _pipeline(project, pipeline)
    days = interval(start, end)
    if days is None:
        raise DeclarationError(
            "GS504", "The call names no days.", hint="Say which: `--from 2013-01-01 --to 2013-01-08`."
        )
    from goldsmith.cli.progress import exit_code, tell_result
    from goldsmith.publish.report.collect import write_report
    from goldsmith.run.context import Run
    from goldsmith.run.feeding import feed_of

    deliver = _spoiled(feed_of(chosen), spoil, days)
    results: list[RunResult] = []
    with open_spark(project) as spark:
        for number, day in enumerate(days.days, 1):
            out.print(styled((f"{day}", "bold"), (f" {number} of {len(days.days)}", "dim")))
            results.append(_one_day(spark, project, chosen, deliver, day))
            if exit_code(results[-1]) != Exit.DONE:
                break
        tell_result(results)
        if report:
            this = Run.begin(project, profile_name())
            tell_report(write_report(spark, this, report_file(project.root)), project.root)
    raise typer.Exit(exit_code(results[-1]))


def _spoiled(feed: Feed, spoil: list[datetime] | None, days: DataInterval) -> Feed:
    """The feed with the days that are to be bad."""
    chosen = {moment.date() for moment in spoil or ()}
    outside = sorted(chosen.difference(days.days))
    if outside:
        raise DeclarationError(
            "GS504",
            f"`--spoil {outside[0]}` is no day of the interval.",
            hint=f"Name a day from {days.days[0]} to {days.days[-1]}.",
        )
    if not chosen:
        return feed
    from goldsmith.run.spoiling import spoiled

    return replace(feed, function=spoiled(feed, chosen))


def _one_day(
    spark: SparkSession, project: Project, pipeline: Pipeline, deliver: Feed, day: date
) -> RunResult:
    from goldsmith.cli.progress import told_live
    from goldsmith.publish.openlineage import emit
    from goldsmith.run.context import DataInterval, Run
    from goldsmith.run.feeding import deliver_day
    from goldsmith.run.runner import run_tables

    this = Run.begin(project, profile_name(), interval=DataInterval.of(day, None))
    deliver_day(this.landing, deliver, day)
    with told_live(quiet=False) as listener:
        chosen, width = project.select((pipeline.name,)), project.profile(profile_name()).parallel
        result = run_tables(spark, this, chosen, parallel=width, listener=listener)
    _emit(emit(this, result))
    return result


def _pipeline(project: Project, name: str) -> Pipeline:
    if name not in project.pipelines:
        raise DeclarationError(
            "GS108", f"There is no pipeline `{name}`.", hint=hint_for(name, project.pipelines)
        )
    return project.pipelines[name]


def _rebuilt(project: Project, names: list[str] | None, chosen: tuple[str, ...]) -> frozenset[str]:
    found = frozenset(project.table(name).name for name in names or ())
    for name in sorted(found - set(chosen)):
        raise DeclarationError(
            "GS504",
            f"`{name}` is to be rebuilt, and is not among the tables to run.",
            hint=f"Add it: `goldsmith run ... {name}`.",
        )
    return found


def _known_expectations(project: Project, names: list[str]) -> None:
    known = {e.name for t in project.tables.values() for e in t.spec.expectations}
    full = {f"{t.name}.{e.name}" for t in project.tables.values() for e in t.spec.expectations}
    for name in names:
        if name not in known | full:
            raise DeclarationError(
                "GS108", f"No table has an expectation `{name}`.", hint=hint_for(name, known)
            )


def _emit(warnings: list[str]) -> None:
    for warning in warnings:
        tell_warning(warning)
