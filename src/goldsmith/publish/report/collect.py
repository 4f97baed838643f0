"""Collects the report's data: the history from `ops`, the content from the tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.errors import StorageError, Where
from goldsmith.project.models import LAYERS
from goldsmith.project.tables import Table
from goldsmith.publish.report.contents import gold_table, quarantine_report, row_counts
from goldsmith.publish.report.declared import declared_charts
from goldsmith.publish.report.history import expectation_reports, table_runs
from goldsmith.publish.report.model import ColumnReport, QuarantineReport, ReportData, TableReport
from goldsmith.publish.report.recorded import read_expectations, read_loads
from goldsmith.publish.report.render import render
from goldsmith.run.announcement import announcement
from goldsmith.run.context import Run

RUNS = 60
"""The number of runs of each pipeline in a report."""


def collect(spark: SparkSession, run: Run, *, runs: int = RUNS) -> ReportData:
    """Collects the report's data from the current state of the tables.

    run: the context with the tables' paths; it need not be started. runs: the number of runs of each pipeline. Reads
    each table of `ops` once, a quarantine in one job, a gold table in one job and one per chart.
    Raises StorageError GS401 if a table's folder is not a Delta table.
    """
    project = run.project
    counters: dict[str, int] = {}
    next_loads: dict[str, str] = {}
    for name, table in project.tables.items():
        log = TableLog(run.path(name))
        state = log.state()
        if state.exists:
            counters[name] = state.counter
            next_loads[name] = announcement(table, log, state) or ""
    frames = {name: spark.read.format("delta").load(run.path(name)) for name in counters}
    rows = row_counts(frames)
    loads = read_loads(spark, run.path("ops.table_runs"), runs)
    records = read_expectations(spark, run.path("ops.expectations"), (load.run_id for load in loads))
    history = table_runs(project, loads, records)
    ordered = sorted(project.tables.items(), key=lambda item: LAYERS.index(item[1].layer))
    reports = [
        TableReport(
            name=name,
            layer=table.layer,
            pipeline=table.pipeline,
            load=describe_load(table),
            description=table.spec.description,
            owner=table.spec.owner or project.pipelines[table.pipeline].spec.owner or "",
            columns=_columns(table, frames),
            upstreams=table.upstreams,
            row_count=rows.get(name),
            runs=history[name],
            expectations=expectation_reports(table.verdicts, [one for one in records if one.table == name]),
            quarantine=_quarantine(spark, run, name, counters.get(name, 0)),
            next_load=next_loads.get(name, ""),
        )
        for name, table in ordered
    ]
    charts = declared_charts(project)
    gold = [
        gold_table(frames[name], table, run.path(name), rows[name], charts.get(name))
        for name, table in ordered
        if table.layer == "gold" and name in frames
    ]
    return ReportData(project.spec.name, run.profile, datetime.now(UTC), tuple(reports), tuple(gold))


def write_report(spark: SparkSession, run: Run, path: Path) -> Path:
    """Writes the report as one HTML file, atomically. Returns its absolute path.

    Raises StorageError GS402 if the file cannot be written, and the errors of `collect`.
    """
    page = render(collect(spark, run))
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(page, encoding="utf-8")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            "GS402",
            f"The report cannot be written: {error.strerror}.",
            where=Where(file=target),
            hint="Choose a file in a writable folder.",
        ) from error
    return target


def describe_load(table: Table) -> str:
    """A table's load in words: `merge on id; newest by version`."""
    words = table.load.summary()
    return f"{words} from {table.origin}" if table.origin else words


def _columns(table: Table, frames: Mapping[str, DataFrame]) -> tuple[ColumnReport, ...]:
    """The columns of the table; the declared ones if it does not exist yet."""
    described = {name: column.description for name, column in table.spec.columns.items()}
    frame = frames.get(table.name)
    pairs = frame.dtypes if frame is not None else (table.columns or {}).items()
    return tuple(ColumnReport(name, kind or "", described.get(name, "")) for name, kind in pairs)


def _quarantine(spark: SparkSession, run: Run, name: str, counter: int) -> QuarantineReport:
    quarantine = QuarantineTable(spark, run.quarantine_path(name))
    if not TableLog(quarantine.path).state().exists:
        return QuarantineReport()
    # Entries with a later counter belong to a commit that was never made.
    return quarantine_report(quarantine.entries(counter))
