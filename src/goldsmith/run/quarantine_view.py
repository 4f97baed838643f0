"""Reads the rows of a quarantine for display by Spark, with conditions on their original columns."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.conditions import is_bad_value
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.engine.failures import explained
from goldsmith.engine.row_values import EXACT_TIMES, named
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.quarantine_entries import QuarantineEntry
from goldsmith.run.quarantined import BY, ENTRY, SINCE, WHY, filtered, invalid_condition, original_rows
from goldsmith.run.sources import source_of


def rows(
    spark: SparkSession, run: Run, table: Table, limit: int, where: str | None = None
) -> tuple[QuarantineEntry, ...]:
    """A table's quarantined rows, the newest first. where: SQL over the original columns and `reasons`.

    Raises DeclarationError GS203 for an invalid condition.
    """
    quarantine = QuarantineTable(spark, run.quarantine_path(table.name))
    if quarantine.version() < 0:
        return ()
    log = TableLog(run.path(table.name))
    entries = quarantine.entries(log.counter())
    found = []
    for each in original_rows(spark, table, entries, log, source_of(table).text_columns()):
        row = F.to_json(F.struct(*named(each.columns)), EXACT_TIMES).alias("row")
        found.append(filtered(each, where, log.types()).frame.select(WHY, SINCE, BY, ENTRY, row))
    if not found:
        return ()
    newest = reduce(DataFrame.union, found).orderBy(F.col(SINCE).desc(), ENTRY).limit(limit)
    try:
        collected = newest.collect()
    except Exception as error:
        if where is not None and is_bad_value(error):
            raise invalid_condition(error) from None
        raise explained(error, table=table.name, path=quarantine.path) from error
    return tuple(QuarantineEntry(tuple(row[WHY]), _utc(row[SINCE]), row[BY], row["row"]) for row in collected)


def _utc(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
