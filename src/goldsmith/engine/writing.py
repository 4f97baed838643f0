"""One atomic Delta commit for each load, carrying Goldsmith's bookmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.metadata import APP_ID, CommitMetadata
from goldsmith.project.sql_text import quoted

_SESSION_KEYS = (
    "spark.databricks.delta.write.txnAppId",
    "spark.databricks.delta.write.txnVersion",
    "spark.databricks.delta.commitInfo.userMetadata",
)


@dataclass(frozen=True)
class Target:
    """The table that is written. descriptions: of its columns. Both apply when the table is made."""

    path: str
    exists: bool
    descriptions: Mapping[str, str]
    properties: Mapping[str, str]
    cluster_by: Sequence[str] = ()


def make_clustered(spark: SparkSession, target: Target, rows: DataFrame) -> Target:
    """Makes an empty table clustered by the target's columns, where it is not there and is to be clustered.

    Delta takes the clustering of a path only when the table is made by itself.
    """
    if target.exists or not target.cluster_by:
        return target
    builder = DeltaTable.createIfNotExists(spark).location(target.path).clusterBy(*target.cluster_by)
    for field in rows.schema.fields:
        builder = builder.addColumn(field.name, field.dataType, comment=target.descriptions.get(field.name))
    for key, value in target.properties.items():
        builder = builder.property(key, value)
    builder.execute()
    return replace(target, exists=True)


def append(target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    """Adds rows; columns that the table lacks are added to it."""
    writer = _writer(target, rows, metadata).mode("append").option("mergeSchema", "true")
    writer.save(target.path)


def overwrite(target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    """Replaces the rows and the schema; the Delta table and its id stay."""
    writer = _writer(target, rows, metadata).mode("overwrite").option("overwriteSchema", "true")
    writer.save(target.path)


def replace_where(target: Target, rows: DataFrame, predicate: str, metadata: CommitMetadata) -> None:
    """Replaces the rows for which the predicate is true; every new row satisfies it. Columns that the table
    lacks are added to it."""
    writer = _writer(target, rows, metadata).mode("overwrite").option("replaceWhere", predicate)
    writer.option("mergeSchema", "true").save(target.path)


def _writer(target: Target, rows: DataFrame, metadata: CommitMetadata) -> DataFrameWriter:
    described = rows
    if not target.exists:
        described = rows.select(
            *[
                F.col(quoted(name)).alias(name, metadata={"comment": target.descriptions[name]})
                if target.descriptions.get(name)
                else F.col(quoted(name))
                for name in rows.columns
            ]
        )
    writer = described.write.format("delta")
    writer = writer.option("txnAppId", APP_ID).option("txnVersion", metadata.counter)
    writer = writer.option("userMetadata", stamped(metadata).to_json())
    if not target.exists:
        for key, value in target.properties.items():
            writer = writer.option(key, value)
    return writer


def stamped(metadata: CommitMetadata) -> CommitMetadata:
    """The metadata with the time of the commit, as near as can be told from here."""
    return replace(metadata, committed=datetime.now(UTC).isoformat())


@dataclass(frozen=True)
class MergeClauses:
    """When a source row `s` changes the target row `t`. on: the match, with what prunes files."""

    on: Column
    update: Column
    delete: Column | None
    insert: Column | None


def merge(
    spark: SparkSession,
    target: Target,
    source: DataFrame,
    columns: Sequence[str],
    clauses: MergeClauses,
    metadata: CommitMetadata,
) -> None:
    """Inserts, updates and deletes in one commit. columns: those that are written."""
    values = {name: F.col(f"s.{quoted(name)}") for name in columns}
    builder = DeltaTable.forPath(spark, target.path).alias("t").merge(source.alias("s"), clauses.on)
    if clauses.delete is not None:
        builder = builder.whenMatchedDelete(clauses.delete)
    builder = builder.whenMatchedUpdate(
        clauses.update, {quoted(name): value for name, value in values.items()}
    )
    builder = builder.whenNotMatchedInsert(
        clauses.insert, {quoted(name): value for name, value in values.items()}
    )
    if target.exists:
        builder = builder.withSchemaEvolution()
    with _session_commit(spark, metadata):
        builder.execute()


@contextmanager
def _session_commit(spark: SparkSession, metadata: CommitMetadata) -> Iterator[None]:
    """The commit's settings by session, for writes without options.

    They would outlive the write and make the next one be skipped in silence, hence the finally.
    """
    values = (APP_ID, str(metadata.counter), stamped(metadata).to_json())
    for key, value in zip(_SESSION_KEYS, values, strict=True):
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key in _SESSION_KEYS:
            spark.conf.unset(key)
