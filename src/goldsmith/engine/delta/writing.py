"""One atomic Delta commit for each load, carrying Goldsmith's bookmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType, TimestampNTZType

from goldsmith.engine.delta.log import NO_TABLE, TableLog
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.project.sql.text import quoted

_NTZ = "timestampNtz"
_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


@dataclass(frozen=True)
class Target:
    """The table that is written. version: the one that the write was planned from, NO_TABLE where there is none.

    descriptions: of its columns. Properties and clustering apply when the table is made; `describing` changes
    them later.
    """

    path: str
    version: int
    descriptions: Mapping[str, str]
    properties: Mapping[str, str]
    cluster_by: Sequence[str] = ()

    @property
    def exists(self) -> bool:
        return self.version != NO_TABLE


def make_clustered(spark: SparkSession, target: Target, rows: DataFrame) -> Target:
    """Makes an empty table clustered by the target's columns, where it is not there and is to be clustered.

    Delta takes the clustering of a path only when the table is made by itself.
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


def admit(log: TableLog, types: StructType) -> bool:
    """Makes a table that is there accept types that Delta adds to a new table by itself alone.

    True if that took a commit: what was planned from the version before it is to be planned again.
    """
    if not _contains(types, TimestampNTZType) or log.supports(_NTZ):
        return False
    DeltaTable.forPath(log.spark, log.path).addFeatureSupport(_NTZ)
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
    """Adds rows; columns that the table lacks are added to it."""
    writer = _writer(target, rows, metadata).mode("append").option("mergeSchema", "true")
    writer.save(target.path)


def overwrite(target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    """Replaces the rows and the schema; the Delta table and its id stay."""
    # The new schema has the comments that its rows bring along.
    described = _described(target, rows)
    writer = _writer(target, described, metadata).mode("overwrite").option("overwriteSchema", "true")
    writer.save(target.path)


def replace_where(target: Target, rows: DataFrame, predicate: str, metadata: CommitMetadata) -> None:
    """Replaces the rows for which the predicate is true; every new row satisfies it. Columns that the table
    lacks are added to it."""
    writer = _writer(target, rows, metadata).mode("overwrite").option("replaceWhere", predicate)
    writer.option("mergeSchema", "true").save(target.path)


def _writer(target: Target, rows: DataFrame, metadata: CommitMetadata) -> DataFrameWriter:
    writer = (rows if target.exists else _described(target, rows)).write.format("delta")
    writer = writer.option("userMetadata", stamped(metadata).to_json(target.version))
    if not target.exists:
        for key, value in target.properties.items():
            writer = writer.option(key, value)
    return writer


def _described(target: Target, rows: DataFrame) -> DataFrame:
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
    with session_commit(spark, stamped(metadata).to_json(target.version)):
        builder.execute()


@contextmanager
def session_commit(spark: SparkSession, told: str) -> Iterator[None]:
    """What commits say by session, for writes without options; it would stay for the next write."""
    spark.conf.set(_USER_METADATA, told)
    try:
        yield
    finally:
        spark.conf.unset(_USER_METADATA)
