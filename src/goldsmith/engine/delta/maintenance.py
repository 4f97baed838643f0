"""Delta's own upkeep of one table: few files for many, and no files that nobody reads any more."""

from __future__ import annotations

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from goldsmith.engine.delta.writing import session_commit
from goldsmith.project.sql.text import quoted


def compact(spark: SparkSession, path: str, told: str | None) -> tuple[int, int]:
    """Puts small files together, by the table's clustering where it has one; rows stay as they are.

    told: what the commit says in its userMetadata. Returns how many files were replaced by how many; where these
    are 0 there was no commit.
    """
    table = DeltaTable.forPath(spark, path)
    if told is None:
        metrics = table.optimize().executeCompaction()
    else:
        with session_commit(spark, told):
            metrics = table.optimize().executeCompaction()
    row = metrics.select("metrics.numFilesRemoved", "metrics.numFilesAdded").first()
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


def unneeded(spark: SparkSession, path: str) -> int:
    """How many files `remove_unneeded` would remove."""
    return spark.sql(f"VACUUM delta.{quoted(path)} DRY RUN").count()


def remove_unneeded(spark: SparkSession, path: str) -> None:
    """Removes the files that no version of the table's retention needs, and half-written ones that are older than that.

    The table's own `delta.deletedFileRetentionDuration` decides, and no RETAIN.
    """
    key = "spark.databricks.delta.vacuum.logging.enabled"
    # A commit of its own would make loads under way plan again.
    spark.conf.set(key, "false")
    try:
        DeltaTable.forPath(spark, path).vacuum()
    finally:
        spark.conf.unset(key)
