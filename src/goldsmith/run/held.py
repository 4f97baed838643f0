"""What the quarantines hold, for people to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.log import TableLog
from goldsmith.engine.quarantine import Quarantine
from goldsmith.run.context import Run


@dataclass(frozen=True)
class HeldReason:
    """How many rows of a table are held for one reason, the first of them since when (UTC)."""

    table: str
    reason: str
    rows: int
    since: datetime


@dataclass(frozen=True)
class HeldRow:
    """One held row."""

    reasons: tuple[str, ...]
    held_at: datetime
    run_id: str
    row: dict[str, Any]


def reasons(spark: SparkSession, run: Run) -> tuple[HeldReason, ...]:
    """Tables and reasons, most rows first. A row with two reasons counts for each."""
    found = []
    for name in run.project.tables:
        held = Quarantine(spark, run.quarantine_path(name))
        if held.version() < 0:
            continue
        counter = TableLog(spark, run.path(name)).counter()
        each = held.entries(counter).select(F.explode("reasons").alias("reason"), "held_at")
        counted = each.groupBy("reason").agg(
            F.count(F.lit(1)).alias("n"), F.min(F.unix_micros("held_at")).alias("since")
        )
        for row in counted.orderBy(F.col("n").desc(), "reason").collect():
            found.append(HeldReason(name, row.reason, row.n, _utc(row.since)))
    return tuple(found)


def rows(spark: SparkSession, run: Run, table: str, limit: int) -> tuple[HeldRow, ...]:
    """A table's held rows, the newest first."""
    held = Quarantine(spark, run.quarantine_path(table))
    if held.version() < 0:
        return ()
    newest = (
        held.entries(TableLog(spark, run.path(table)).counter())
        .withColumn("at", F.unix_micros("held_at"))
        .orderBy(F.col("at").desc(), "id")
        .limit(limit)
    )
    return tuple(HeldRow(tuple(r.reasons), _utc(r.at), r.run_id, json.loads(r.row)) for r in newest.collect())


def _utc(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
