"""Commands that look: status, show, sql, report."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from goldsmith.cli.console import out, table, tell_json
from goldsmith.cli.opening import open_project, open_spark, profile_name

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rows.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (status, show, sql, report):
        app.command(rich_help_panel="Look")(command)


def status(as_json: Json = False) -> None:
    """Every table: how it ended last, when, and what it holds back."""
    project = open_project()
    from goldsmith.run.context import Run
    from goldsmith.run.standing import standing

    with open_spark(project, quiet=as_json) as spark:
        rows = standing(spark, Run.begin(project, profile_name()))
    if as_json:
        tell_json(rows)
        return
    columns = ("table", "last", "ended (UTC)", "interval", "in", "written", "held back", "version", "message")
    told = [
        (
            r.table,
            r.status,
            r.ended_at,
            r.interval,
            r.rows_in,
            r.written,
            r.quarantined or None,
            r.version,
            r.message,
        )
        for r in rows
    ]
    out.print(table(None, columns, told))


def show(
    name: Annotated[
        str, typer.Argument(help="A table: gold.daily_punctuality; ops.table_runs; quarantine.silver_x.")
    ],
    limit: Limit = 10,
    as_json: Json = False,
) -> None:
    """A table's rows, with its columns and what it is."""
    project = open_project()
    from goldsmith.run.asking import ask

    declared = project.tables.get(name)
    if declared is None and name.split(".")[0] not in ("ops", "quarantine"):
        declared = project.table(name)
    full = declared.name if declared else name
    from goldsmith.run.context import Run

    with open_spark(project, quiet=as_json) as spark:
        answer = ask(spark, Run.begin(project, profile_name()), f"SELECT * FROM {full}", limit=limit)
    if as_json:
        tell_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
        return
    if declared and declared.spec.description:
        out.print(f"[bold]{full}[/]  {declared.spec.description}")
    out.print(table(None, answer.columns, answer.rows))
    if answer.more:
        out.print(f"[dim]The first {limit} rows; --limit shows more.[/]")


def sql(
    query: Annotated[str, typer.Argument(help="Spark SQL over the project's tables, by their full names.")],
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Ask the tables: `goldsmith sql "SELECT count(*) FROM silver.departures"`."""
    project = open_project()
    from goldsmith.run.asking import ask
    from goldsmith.run.context import Run

    with open_spark(project, quiet=as_json) as spark:
        answer = ask(spark, Run.begin(project, profile_name()), query, limit=limit)
    if as_json:
        tell_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
        return
    out.print(table(None, answer.columns, answer.rows))
    if answer.more:
        out.print(f"[dim]The first {limit} rows; --limit shows more.[/]")


def report(
    path: Annotated[
        str | None, typer.Argument(help="Where to write it; else .goldsmith/report.html.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write one HTML page that works offline: the pipelines, their runs, what was held back, what gold holds."""
    project = open_project()
    from goldsmith.publish.report.collect import write_report
    from goldsmith.run.context import Run

    target = Path(path) if path else project.root / ".goldsmith" / "report.html"
    with open_spark(project) as spark:
        written = write_report(spark, Run.begin(project, profile_name()), target)
    out.print(f"Report: {written}", soft_wrap=True)
    if open_it:
        webbrowser.open(written.resolve().as_uri())
