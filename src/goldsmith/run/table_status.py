"""The status of tables: their last load and their quarantined rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import RowCounts
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.delta.table_rows import rows_of
from goldsmith.engine.delta.valid_entries import valid_entries
from goldsmith.run.announcement import announcement
from goldsmith.run.context import Run
from goldsmith.run.outcome import warning_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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


def table_statuses(spark: SparkSession | None, run: Run) -> tuple[TableStatus, ...]:
    """The status of every declared table, in loading order. Raises NeedsSpark without a session."""
    last = _last_loads(spark, run)
    found = []
    for name, table in run.project.tables.items():
        log = TableLog(run.path(name))
        # A folder that is no Delta table is an error of its load, not of the status of all tables.
        state = log.state() if log.version() != NO_TABLE else None
        quarantined = _quarantined(spark, run.quarantine_path(name), state.counter if state else 0)
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
        interval = f"{row['interval_start']} to {row['interval_end']}" if row["interval_start"] else None
        found.append(
            TableStatus(
                name,
                row["status"],
                row["ended_at"],
                interval,
                row["rows_in"],
                row["written"],
                quarantined,
                version,
                row["message"],
                _warning(name, row),
                next_load,
            )
        )
    return tuple(found)


def _quarantined(spark: SparkSession | None, path: str, counter: int) -> int:
    if TableLog(path).version() == NO_TABLE:
        return 0
    sql = f"SELECT count(*) AS n FROM {{t}} WHERE {valid_entries(counter)}"
    return int(rows_of(spark, path, sql)[0]["n"])


def _warning(name: str, row: Mapping[str, Any]) -> str | None:
    if row["rows_in"] is None:
        return None
    counts = RowCounts(
        rows_in=row["rows_in"], quarantined=row["quarantined"] or 0, dropped=row["dropped"] or 0
    )
    found = warning_of(name, [counts])
    return f"In its last load {found}" if found else None


def _last_loads(spark: SparkSession | None, run: Run) -> dict[str, dict[str, Any]]:
    path = run.path("ops.table_runs")
    if TableLog(path).version() == NO_TABLE:
        return {}
    newest = "row_number() OVER (PARTITION BY t.table ORDER BY ended_at DESC)"
    sql = f"SELECT * FROM (SELECT *, {newest} AS place FROM {{t}}) WHERE place = 1"
    return {row["table"]: row for row in rows_of(spark, path, sql)}
