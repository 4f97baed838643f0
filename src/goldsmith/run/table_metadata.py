"""Applies declared comments, properties and clustering to tables."""

from __future__ import annotations

from pyspark.sql import SparkSession

from goldsmith.engine.delta.described import Description, is_current
from goldsmith.engine.delta.description import apply_description, differs
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.failures import explained
from goldsmith.errors import RunError
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.table_description import description_for


def apply_if_changed(spark: SparkSession, run: Run, table: Table, log: TableLog) -> None:
    """Applies the table's comments, properties and clustering if the declaration changed.

    Raises RunError GS407 if Delta rejects them.
    """
    wanted = description_for(table, log)
    if is_current(log, wanted):
        return
    _apply(spark, run, table, log, wanted)


def apply_metadata(spark: SparkSession, run: Run, table: Table, log: TableLog, *, check: bool) -> bool:
    """Applies them if they differ for any reason; True if they differed. check: only compare. Raises RunError GS407."""
    wanted = description_for(table, log)
    if not differs(spark, log, wanted):
        return False
    if not check:
        _apply(spark, run, table, log, wanted)
    return True


def _apply(spark: SparkSession, run: Run, table: Table, log: TableLog, wanted: Description) -> None:
    try:
        apply_description(spark, log, wanted)
    except Exception as error:
        known = explained(error, table=table.name, path=run.path(table.name))
        if known.code != "GS403":
            raise known from error
        raise RunError(
            "GS407",
            f"The declared comments, properties or clustering cannot be applied: {known.message}",
            where=table.where("properties"),
            hint="Undo the change of `properties` or `cluster_by`, or rebuild the table. Its rows are loaded.",
        ) from error
