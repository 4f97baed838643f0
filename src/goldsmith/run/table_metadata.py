"""Applies declared comments, properties and clustering to tables."""

from __future__ import annotations

from pyspark.sql import SparkSession

from goldsmith.engine.delta.description import Description, apply_description, differs, is_current
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.failures import explained
from goldsmith.errors import RunError
from goldsmith.project.tables import Table
from goldsmith.run.context import Run


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


def description_for(table: Table, log: TableLog) -> Description:
    """The table's description, with column names in the case of the Delta table if the analysis does not know them."""
    is_unknown = table.columns is None or table.code is not None
    return description_of(table.resolved(log.types()) if is_unknown else table)


def description_of(table: Table) -> Description:
    """The declared comments, properties and clustering of a table."""
    spec = table.spec
    return Description(
        comment=spec.description,
        columns={name: column.description for name, column in spec.columns.items() if column.description},
        properties=spec.properties,
        cluster_by=spec.cluster_by,
    )
