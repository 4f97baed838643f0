"""Delta's maintenance of one table: compaction and vacuum."""

from __future__ import annotations

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from goldsmith.engine.delta.writing import session_commit
from goldsmith.project.sql.text import quoted


def compact(spark: SparkSession, path: str, user_metadata: str | None) -> tuple[int, int]:
    """Compacts small files, by the table's clustering if it has one. Rows do not change.

    user_metadata: the commit's userMetadata. Returns the numbers of files removed and added; without a commit both
    are 0.
    """
    table = DeltaTable.forPath(spark, path)
    if user_metadata is None:
        metrics = table.optimize().executeCompaction()
    else:
        with session_commit(spark, user_metadata):
            metrics = table.optimize().executeCompaction()
    row = metrics.select("metrics.numFilesRemoved", "metrics.numFilesAdded").first()
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


def count_unreferenced(spark: SparkSession, path: str) -> int:
    """The number of files that `vacuum` would remove."""
    return spark.sql(f"VACUUM delta.{quoted(path)} DRY RUN").count()


def vacuum(spark: SparkSession, path: str) -> None:
    """Removes unreferenced files that are older than the table's retention.

    The retention is the table's `delta.deletedFileRetentionDuration`.
    """
    key = "spark.databricks.delta.vacuum.logging.enabled"
    # A logged vacuum is a commit, which would conflict with concurrent loads.
    spark.conf.set(key, "false")
    try:
        DeltaTable.forPath(spark, path).vacuum()
    finally:
        spark.conf.unset(key)
