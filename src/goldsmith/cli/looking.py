"""Commands that look: status, show, sql, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out, plural, rows_within, styled, table_within, tell_json, tell_warning
from goldsmith.cli.opening import open_project, open_spark, profile_name
from goldsmith.cli.reporting import report_file, tell_report

if TYPE_CHECKING:
    from goldsmith.project.tables import Project
    from goldsmith.run.sql_query import QueryResult
    from goldsmith.run.table_status import TableStatus

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rows.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (status, show, sql, report):
        app.command(rich_help_panel="Look")(command)


def status(as_json: Json = False) -> None:
    """Every table's last load: its status, when it ended, its rows, and the rows in quarantine now."""
    project = open_project()
    from goldsmith.run.context import Run
    from goldsmith.run.table_status import table_statuses

    with open_spark(project, quiet=as_json) as spark:
        rows = table_statuses(spark, Run.begin(project, profile_name()))
    if as_json:
        tell_json(rows)
        return
    tell_standing(rows)


_EXPENDABLE = ("interval", "version", "in", "written", "ended (UTC)")
"""The columns that `status` leaves out where the terminal is too narrow, the first first."""


def tell_standing(rows: Sequence[TableStatus]) -> None:
    """One line for each table, then what stopped a load or is to be looked at."""
    columns: dict[str, Sequence[object]] = {
        "table": [r.table for r in rows],
        "last": [styled((r.status, _COLOURS.get(r.status, "yellow"))) for r in rows],
        "ended (UTC)": [f"{r.ended_at:%Y-%m-%d %H:%M}" if r.ended_at else None for r in rows],
        "in": [r.rows_in for r in rows],
        "written": [
            styled((f"{r.written:,}", "yellow")) if r.warning and r.written is not None else r.written
            for r in rows
        ],
        "quarantine": [r.quarantined or None for r in rows],
        "version": [r.version for r in rows],
        "interval": [r.interval for r in rows],
    }
    out.print(table_within(out.width, columns, _EXPENDABLE))
    for r in rows:
        for text in (r.message, r.warning):
            if text:
                tell_warning(f"{r.table}: {text}")
    counts = Counter(r.status for r in rows)
    parts = [f"{count} {'never loaded' if name == 'never' else name}" for name, count in counts.items()]
    held = sum(r.quarantined for r in rows)
    quarantine = f" {plural(held, 'row')} in quarantine." if held else ""
    out.print(f"\n{plural(len(rows), 'table')}: {', '.join(parts)}.{quarantine}", soft_wrap=True)


_COLOURS = {"done": "green", "failed": "red", "gate": "red", "never": "dim"}


def show(
    name: Annotated[
        str, typer.Argument(help="A table: gold.daily_punctuality; ops.table_runs; quarantine.silver_x.")
    ],
    limit: Limit = 10,
    as_json: Json = False,
) -> None:
    """Print the first rows of a table, and its description."""
    project = open_project()
    from goldsmith.project.sql.text import quoted

    declared = project.tables.get(name)
    if declared is None and name.split(".")[0] not in ("ops", "quarantine"):
        declared = project.table(name)
    full = declared.name if declared else name
    schema, _, own = full.partition(".")
    answer = _answer(project, f"SELECT * FROM {quoted(schema)}.{quoted(own)}", limit, quiet=as_json)
    if as_json:
        tell_json(answer.as_dicts())
        return
    if declared and declared.spec.description:
        out.print(styled((full, "bold"), f"  {declared.spec.description}"))
    _tell_answer(answer, limit)


def sql(
    query: Annotated[str, typer.Argument(help="Spark SQL over the project's tables, by their full names.")],
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Query the tables, read-only: `goldsmith sql "SELECT count(*) FROM silver.departures"`.

    Takes one query, or DESCRIBE, EXPLAIN, SHOW COLUMNS or SHOW TBLPROPERTIES. Anything else is refused before it is
    executed.
    """
    answer = _answer(open_project(), query, limit, quiet=as_json)
    if as_json:
        tell_json(answer.as_dicts())
        return
    _tell_answer(answer, limit)


def _answer(project: Project, query: str, limit: int, *, quiet: bool) -> QueryResult:
    from goldsmith.run.context import Run
    from goldsmith.run.sql_query import run_query

    with open_spark(project, quiet=quiet) as spark:
        return run_query(spark, Run.begin(project, profile_name()), query, limit=limit)


def _tell_answer(answer: QueryResult, limit: int) -> None:
    for part in rows_within(out.width, answer.columns, answer.rows):
        out.print(part)
    if answer.more:
        out.print(styled((f"The first {plural(limit, 'row')}; --limit shows more.", "dim")))


def report(
    path: Annotated[
        str | None,
        typer.Argument(help="Where to write it; else GOLDSMITH_REPORT_FILE, else .goldsmith/report.html."),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write one HTML page that works offline: the pipelines, their runs, quarantined rows, what gold holds."""
    project = open_project()
    from goldsmith.publish.report.collect import write_report
    from goldsmith.run.context import Run

    target = Path(path) if path else report_file(project.root)
    with open_spark(project) as spark:
        written = write_report(spark, Run.begin(project, profile_name()), target)
    tell_report(written, project.root)
    if open_it:
        import webbrowser

        webbrowser.open(written.resolve().as_uri())
