"""The state of every table: its last load, and its rows in quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from goldsmith.engine.delta.log import NO_TABLE, TableLog
from goldsmith.engine.delta.metadata import RowCounts
from goldsmith.engine.delta.quarantine import Quarantine
from goldsmith.run.context import Run
from goldsmith.run.outcome import warning_of


@dataclass(frozen=True)
class Standing:
    """One table now. status: of its last recorded load, `never` where there is none. ended_at: UTC.

    rows_in, written: of that load. quarantined: rows in quarantine at present. version: of its Delta table.
    message: what stopped the load. warning: what to look at though it succeeded.
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


def standing(spark: SparkSession, run: Run) -> tuple[Standing, ...]:
    """Every declared table, in loading order."""
    last = _last_loads(spark, run)
    found = []
    for name in run.project.tables:
        log = TableLog(spark, run.path(name))
        newest = log.version()
        held = Quarantine(spark, run.quarantine_path(name))
        quarantined = held.entries(log.counter()).count() if held.version() >= 0 else 0
        row = last.get(name)
        version = newest if newest != NO_TABLE else None
        if row is None:
            found.append(Standing(name, "never", None, None, None, None, quarantined, version, None))
            continue
        interval = f"{row.interval_start} to {row.interval_end}" if row.interval_start else None
        ended = datetime.fromtimestamp(row.ended / 1_000_000, UTC)
        found.append(
            Standing(
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
