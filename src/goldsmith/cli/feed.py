"""Commands of the noun `feed`: a pipeline's feed.py, which delivers files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out, plural, print_warnings, styled
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import interval, open_project, open_spark, profile_name
from goldsmith.cli.options import From, To
from goldsmith.cli.report import print_report_location, report_file
from goldsmith.errors import DeclarationError, Exit
from goldsmith.project.hints import hint_for

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from goldsmith.project.pipelines import Pipeline, Project
    from goldsmith.run.context import DataInterval
    from goldsmith.run.feeding import Feed
    from goldsmith.run.outcome import RunResult

Name = Annotated[str, typer.Argument(help="A pipeline with a feed.py.")]


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "feed", "Feeds: a pipeline's feed.py, which delivers files.")
    group.command(rich_help_panel=Panel.LOAD)(run)
    group.command(rich_help_panel=Panel.LOAD)(replay)


def run(pipeline: Name, start: From = None, end: To = None) -> None:
    """Deliver a pipeline's files for the days of an interval.

    Example: `goldsmith feed run flights --from 2013-01-01 --to 2013-01-08`

    Files that are delivered already are kept as they are.
    """
    project = open_project([pipeline])
    chosen = _pipeline(project, pipeline)
    from goldsmith.run.context import Run
    from goldsmith.run.feeding import deliver_interval, feed_of, make_folders

    days = _days(start, end)
    feed = feed_of(chosen)
    this = Run.begin(project, profile_name(), interval=days)
    new = present = 0
    make_folders(this.landing, project, chosen)
    for delivery in deliver_interval(this.landing, feed, days):
        new, present = new + delivery.new, present + delivery.present
        out.print(f"{delivery.day}: {plural(delivery.new, 'new file')}, {delivery.present} delivered before")
    summary = f" {plural(new, 'file')} to {this.landing.place}; {present} were delivered before."
    out.print(styled(("Delivered", "green"), summary), soft_wrap=True)


def replay(
    pipeline: Name,
    start: From = None,
    end: To = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report at the end.")] = True,
) -> None:
    """Deliver a pipeline's files and load its tables, day by day.

    Example: `goldsmith feed replay flights --from 2013-01-01 --to 2013-01-08`
    """
    project = open_project()
    chosen = _pipeline(project, pipeline)
    days = _days(start, end)
    from goldsmith.cli.progress import exit_code, print_result
    from goldsmith.run.context import Run
    from goldsmith.run.feeding import feed_of

    feed = feed_of(chosen)
    results: list[RunResult] = []
    with ExitStack() as stack:
        session = cache(lambda: stack.enter_context(open_spark(project)))
        for number, day in enumerate(days.days, 1):
            out.print(styled((f"{day}", "bold"), (f" {number} of {len(days.days)}", "dim")))
            results.append(_one_day(session, project, chosen, feed, day))
            if exit_code(results[-1]) != Exit.DONE:
                break
        print_result(results)
        if report:
            from goldsmith.publish.report.collect import write_report

            this = Run.begin(project, profile_name())
            print_report_location(write_report(session(), this, report_file(project.root)), project.root)
    raise typer.Exit(exit_code(results[-1]))


def _days(start: datetime | None, end: datetime | None) -> DataInterval:
    days = interval(start, end)
    if days is None:
        raise DeclarationError(
            "GS504", "No days are given.", hint="Add them: `--from 2013-01-01 --to 2013-01-08`."
        )
    return days


def _one_day(
    session: Callable[[], SparkSession], project: Project, pipeline: Pipeline, feed: Feed, day: date
) -> RunResult:
    """Delivers and loads a day. session: starts Spark, which a day without new rows does not need."""
    from goldsmith.cli.progress import live_progress
    from goldsmith.publish.openlineage import emit
    from goldsmith.run.context import DataInterval, Run
    from goldsmith.run.feeding import deliver_day
    from goldsmith.run.idle import idle

    this = Run.begin(project, profile_name(), interval=DataInterval.of(day, None))
    deliver_day(this.landing, feed, day)
    chosen = project.select((pipeline.name,))
    result = idle(this, chosen)
    if result is None:
        from goldsmith.run.runner import run_tables

        spark, width = session(), project.profile(profile_name()).parallel
        with live_progress(quiet=False) as listener:
            result = run_tables(spark, this, chosen, parallel=width, listener=listener)
    print_warnings(emit(this, result))
    return result


def _pipeline(project: Project, name: str) -> Pipeline:
    if name not in project.pipelines:
        raise DeclarationError(
            "GS108", f"There is no pipeline `{name}`.", hint=hint_for(name, project.pipelines)
        )
    return project.pipelines[name]
