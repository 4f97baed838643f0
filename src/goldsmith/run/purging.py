"""Removes quarantined rows for good, for example those of one person."""

from __future__ import annotations

from pyspark.sql import SparkSession

from goldsmith.engine.conditions import is_bad_value
from goldsmith.engine.failures import explained
from goldsmith.errors import GoldsmithError
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.locks import table_lock
from goldsmith.run.quarantined import ENTRY, filtered, invalid_condition, original_rows
from goldsmith.run.recovery import recover
from goldsmith.run.sources import source_of


def purge(spark: SparkSession, run: Run, table: Table, where: str, *, dry_run: bool = False) -> int:
    """Removes the quarantined rows that meet a condition; returns their number.

    where: SQL over the row's original columns and `reasons`. Raises DeclarationError GS203 for an invalid condition,
    RunError GS502 if another run has locked the table.
    """
    with table_lock(run, table.name):
        handle = TableHandle.opened(spark, run, table)
        if handle.quarantine.version() < 0:
            return 0
        if not dry_run:
            recover(run, handle)
        try:
            found = _matching(spark, handle, where)
        except GoldsmithError:
            raise
        except Exception as error:
            if is_bad_value(error):
                raise invalid_condition(error) from None
            raise explained(error, table=table.name, path=handle.quarantine_path) from error
        if found and not dry_run:
            handle.quarantine.remove(found)
        return len(found)


def _matching(spark: SparkSession, handle: TableHandle, where: str) -> list[str]:
    """The ids of the entries that meet a condition."""
    table, log = handle.table, handle.log
    entries = handle.quarantine.entries(handle.state.counter)
    found = []
    for rows in original_rows(spark, table, entries, log, source_of(table).text_columns()):
        found += [row[ENTRY] for row in filtered(rows, where, log.types()).frame.select(ENTRY).collect()]
    return found
