"""Plans the load of a table from the logs and the landing area."""

from __future__ import annotations

from functools import partial

from pyspark.sql import SparkSession

from goldsmith.engine.delta.log import TableLog
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import LogOf, TableHandle
from goldsmith.run.plan import Plan
from goldsmith.run.sources import source_of


def plan_table(
    spark: SparkSession,
    run: Run,
    table: Table,
    *,
    force_full: str | None = None,
    log_of: LogOf | None = None,
) -> Plan:
    """Plans the load of one table. force_full: the reason if an incremental load has turned out to be impossible.

    log_of: opens the log of the table at a path, by default in the session's JVM.
    Raises SourceError, StorageError and RunError if it cannot be loaded.
    """
    log_of = log_of or partial(TableLog, spark)
    handle = TableHandle.opened(spark, run, table, log_of)
    return source_of(table).plan(spark, run, handle, force_full=force_full, log_of=log_of)
