"""Writes a load in one atomic Delta commit that carries Goldsmith's metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType, TimestampNTZType

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.project.sql.text import quoted, text_literal

_NTZ = "timestampNtz"
_WIDENING = "delta.enableTypeWidening"
_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


@dataclass(frozen=True)
class Target:
    """The table to write. version: the version that the write was planned from; NO_TABLE if it does not exist.

    descriptions: those of its columns. Properties and clustering apply when the table is created; `description`
    changes them later.
    """

    path: str
    version: int
    descriptions: Mapping[str, str]
    properties: Mapping[str, str]
    cluster_by: Sequence[str] = ()

    @property
    def exists(self) -> bool:
        return self.version != NO_TABLE


def create_clustered(spark: SparkSession, target: Target, rows: DataFrame) -> Target:
    """Creates an empty clustered table if the target has clustering columns and does not exist.

    Delta only clusters a table at a path if it is created before the first write.
    """
    if target.exists or not target.cluster_by:
        return target
    builder = DeltaTable.createIfNotExists(spark).location(target.path)
    builder = builder.clusterBy(*map(quoted, target.cluster_by))
    for field in rows.schema.fields:
        builder = builder.addColumn(field.name, field.dataType, comment=target.descriptions.get(field.name))
    for key, value in target.properties.items():
        builder = builder.property(key, value)
    builder.execute()
    return replace(target, version=0)


def enable_types(spark: SparkSession, log: TableLog, types: StructType) -> bool:
    """Enables the table features for types that Delta enables by itself only for new tables.

    True if that made a commit: a load that was planned from the version before must be planned again.
    """
    if not _contains(types, TimestampNTZType) or _NTZ in log.features():
        return False
    DeltaTable.forPath(spark, log.path).addFeatureSupport(_NTZ)
    return True


def enable_widening(spark: SparkSession, log: TableLog) -> bool:
    """Lets appends widen the types of columns. True if that made a commit, as for `enable_types`.

    Readers need the table feature typeWidening from then on.
    """
    if log.table_property(_WIDENING) == "true":
        return False
    spark.sql(f"ALTER TABLE delta.{quoted(log.path)} SET TBLPROPERTIES ({text_literal(_WIDENING)} = 'true')")
    return True


def _contains(kind: DataType, wanted: type[DataType]) -> bool:
    match kind:
        case StructType():
            return any(_contains(field.dataType, wanted) for field in kind.fields)
        case ArrayType():
            return _contains(kind.elementType, wanted)
        case MapType():
            return _contains(kind.keyType, wanted) or _contains(kind.valueType, wanted)
        case _:
            return isinstance(kind, wanted)


def append(target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    """Appends rows, and adds new columns to the table."""
    writer = _writer(target, rows, metadata).mode("append").option("mergeSchema", "true")
    writer.save(target.path)


def overwrite(target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    """Replaces the rows and the schema, and keeps the Delta table's id."""
    # The new schema takes its comments from the frame.
    described = _with_comments(target, rows)
    writer = _writer(target, described, metadata).mode("overwrite").option("overwriteSchema", "true")
    writer.save(target.path)


def replace_where(target: Target, rows: DataFrame, predicate: str, metadata: CommitMetadata) -> None:
    """Replaces the rows for which the predicate is true, and adds new columns to the table.

    Every new row must satisfy the predicate.
    """
    writer = _writer(target, rows, metadata).mode("overwrite").option("replaceWhere", predicate)
    writer.option("mergeSchema", "true").save(target.path)


def _writer(target: Target, rows: DataFrame, metadata: CommitMetadata) -> DataFrameWriter:
    writer = (rows if target.exists else _with_comments(target, rows)).write.format("delta")
    writer = writer.option("userMetadata", with_commit_time(metadata).to_json(target.version))
    if not target.exists:
        for key, value in target.properties.items():
            writer = writer.option(key, value)
    return writer


def _with_comments(target: Target, rows: DataFrame) -> DataFrame:
    if not any(target.descriptions.values()):
        return rows
    return rows.select(
        *[
            F.col(quoted(name)).alias(name, metadata={"comment": target.descriptions[name]})
            if target.descriptions.get(name)
            else F.col(quoted(name))
            for name in rows.columns
        ]
    )


def with_commit_time(metadata: CommitMetadata) -> CommitMetadata:
    """The metadata with the current time as the time of the commit."""
    return replace(metadata, committed=datetime.now(UTC).isoformat())


@dataclass(frozen=True)
class MergeClauses:
    """Conditions of a MERGE from source rows `s` into target rows `t`. on: the match, with conditions that prune files."""

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
    """Inserts, updates and deletes rows in one commit. columns: the columns to write."""
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
    with session_commit(spark, with_commit_time(metadata).to_json(target.version)):
        builder.execute()


@contextmanager
def session_commit(spark: SparkSession, user_metadata: str) -> Iterator[None]:
    """Sets the userMetadata of commits by the session's configuration, for writes that take no options."""
    spark.conf.set(_USER_METADATA, user_metadata)
    try:
        yield
    finally:
        spark.conf.unset(_USER_METADATA)
