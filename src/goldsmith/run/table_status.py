"""The status of tables: their last load and their quarantined rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import RowCounts
from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.run.announcement import announcement
from goldsmith.run.context import Run
from goldsmith.run.outcome import warning_of


@dataclass(frozen=True)
class TableStatus:
    """The status of one table. status: that of its last recorded load, or `never`. ended_at: UTC.

    rows_in, written: those of that load. quarantined: rows in quarantine now. version: that of its Delta table.
    message: why the load failed or was stopped. warning: a warning about a successful load. next_load: what a changed
    declaration does to the next load.
    """

    table: str
    status: str
    ended_at: datetime | None
    interval: str | None
    rows_in: int | None
    written: int | None
    quarantined: int
    version: int | None
    message: str | None
    warning: str | None = None
    next_load: str | None = None


def table_statuses(spark: SparkSession, run: Run) -> tuple[TableStatus, ...]:
    """The status of every declared table, in loading order."""
    last = _last_loads(spark, run)
    found = []
    for name, table in run.project.tables.items():
        log = TableLog(spark, run.path(name))
        # A folder that is no Delta table is an error of its load, not of the status of all tables.
        state = log.state() if log.version() != NO_TABLE else None
        quarantine = QuarantineTable(spark, run.quarantine_path(name))
        counter = state.counter if state else 0
        quarantined = quarantine.entries(counter).count() if quarantine.version() >= 0 else 0
        version = state.version if state else None
        next_load = announcement(table, log, state) if state else None
        row = last.get(name)
        if row is None:
            found.append(
                TableStatus(
                    name, "never", None, None, None, None, quarantined, version, None, next_load=next_load
                )
            )
            continue
        interval = f"{row.interval_start} to {row.interval_end}" if row.interval_start else None
        ended = datetime.fromtimestamp(row.ended / 1_000_000, UTC)
        found.append(
            TableStatus(
                name,
                row.status,
                ended,
                interval,
                row.rows_in,
                row.written,
                quarantined,
                version,
                row.message,
                _warning(name, row),
                next_load,
            )
        )
    return tuple(found)


def _warning(name: str, row: Any) -> str | None:
    if row.rows_in is None:
        return None
    counts = RowCounts(rows_in=row.rows_in, quarantined=row.quarantined or 0, dropped=row.dropped or 0)
    found = warning_of(name, [counts])
    return f"In its last load {found}" if found else None


def _last_loads(spark: SparkSession, run: Run) -> dict[str, Any]:
    path = run.path("ops.table_runs")
    if TableLog(spark, path).version() == NO_TABLE:
        return {}
    newest = Window.partitionBy("table").orderBy(F.col("ended_at").desc())
    rows = (
        spark.read.format("delta")
        .load(path)
        .withColumn("place", F.row_number().over(newest))
        .where("place = 1")
        .withColumn("ended", F.unix_micros("ended_at"))
        .collect()
    )
    return {row.table: row for row in rows}
