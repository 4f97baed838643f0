"""Plans the load of a table from the logs and the landing area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.plan import Plan
from goldsmith.run.planners import planner_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def plan_table(
    spark: SparkSession | None,
    run: Run,
    table: Table,
    *,
    force_full: str | None = None,
) -> Plan:
    """Plans the load of one table. force_full: the reason if an incremental load has turned out to be impossible.

    spark: None to plan without a JVM; then NeedsSpark is raised if the plan needs rows that delta-rs cannot read.
    Raises SourceError, StorageError and RunError if it cannot be loaded.
    """
    handle = TableHandle.opened(spark, run, table)
    return planner_of(table).plan(run, handle, force_full=force_full)
