"""What the quarantines hold, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.columns import EXACT_TIMES, named
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.quarantine import Quarantine
from goldsmith.engine.failures import explained, is_bad_value
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.quarantined import BY, ENTRY, SINCE, WHY, chosen, rows_as_entered, unreadable
from goldsmith.run.sources import source_of


@dataclass(frozen=True)
class HeldReason:
    """How many rows of a table are quarantined for one reason, the first of them since when (UTC)."""

    table: str
    reason: str
    rows: int
    since: datetime


@dataclass(frozen=True)
class HeldRow:
    """One quarantined row. row: as it entered, as JSON with its exact numbers."""

    reasons: tuple[str, ...]
    held_at: datetime
    run_id: str
    row: str


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


def rows(
    spark: SparkSession, run: Run, table: Table, limit: int, where: str | None = None
) -> tuple[HeldRow, ...]:
    """A table's quarantined rows, the newest first. where: SQL over the row's columns as they entered, and `reasons`.

    Raises DeclarationError GS203 for a condition that cannot be read.
    """
    quarantine = Quarantine(spark, run.quarantine_path(table.name))
    if quarantine.version() < 0:
        return ()
    log = TableLog(spark, run.path(table.name))
    entries = quarantine.entries(log.counter())
    found = []
    for each in rows_as_entered(spark, table, entries, log, source_of(table).text_columns()):
        row = F.to_json(F.struct(*named(each.columns)), EXACT_TIMES).alias("row")
        found.append(chosen(each, where, log.types()).frame.select(WHY, SINCE, BY, ENTRY, row))
    if not found:
        return ()
    newest = reduce(DataFrame.union, found).orderBy(F.col(SINCE).desc(), ENTRY).limit(limit)
    try:
        told = newest.collect()
    except Exception as error:
        if where is not None and is_bad_value(error):
            raise unreadable(error) from None
        raise explained(error, table=table.name, path=quarantine.path) from error
    return tuple(HeldRow(tuple(row[WHY]), _utc(row[SINCE]), row[BY], row["row"]) for row in told)


def _utc(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
