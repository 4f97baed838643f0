"""What a declaration says of its table beside the rows, brought to the Delta table."""

from __future__ import annotations

from pyspark.sql import SparkSession

from goldsmith.engine.delta.describing import Description, bring_in_step, differs, in_step
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.failures import explained
from goldsmith.errors import RunError
from goldsmith.project.tables import Table
from goldsmith.run.context import Run


def describe(spark: SparkSession, run: Run, table: Table, log: TableLog) -> None:
    """Brings the table's comments, properties and clustering in step with its declaration, where that changed.

    Raises RunError GS407 for what Delta refuses.
    """
    wanted = described(table, log)
    if in_step(log, wanted):
        return
    _put_right(spark, run, table, log, wanted)


def put_right(spark: SparkSession, run: Run, table: Table, log: TableLog, *, check: bool) -> bool:
    """The same whoever changed them; True if they differed. check: only look. Raises RunError GS407."""
    wanted = described(table, log)
    if not differs(spark, log, wanted):
        return False
    if not check:
        _put_right(spark, run, table, log, wanted)
    return True


def _put_right(spark: SparkSession, run: Run, table: Table, log: TableLog, wanted: Description) -> None:
    try:
        bring_in_step(spark, log, wanted)
    except Exception as error:
        told = explained(error, table=table.name, path=run.path(table.name))
        if told.code != "GS403":
            raise told from error
        raise RunError(
            "GS407",
            f"The table cannot be brought in step with its declaration: {told.message}",
            where=table.where("properties"),
            hint="Its rows are loaded. Take the property or the clustering back, or rebuild the table.",
        ) from error


def described(table: Table, log: TableLog) -> Description:
    """What the declaration says of the table, with columns spelt as they are in the lake, where the check could not
    know them."""
    is_unknown = table.columns is None or table.code is not None
    return description_of(table.resolved(log.types()) if is_unknown else table)


def description_of(table: Table) -> Description:
    """What the declaration says of the table beside its rows."""
    spec = table.spec
    return Description(
        comment=spec.description,
        columns={name: column.description for name, column in spec.columns.items() if column.description},
        properties=spec.properties,
        cluster_by=spec.cluster_by,
    )
