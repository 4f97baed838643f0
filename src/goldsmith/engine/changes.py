"""Change sets: the rows of an upstream that a table has not consumed yet, added and removed."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StructType, VariantType

from goldsmith.engine.log import TableLog

_CHANGE_COLUMNS = ("_change_type", "_commit_version", "_commit_timestamp")
_NET = "_gs_net"


@dataclass(frozen=True)
class Span:
    """Versions of an upstream with after < version <= until, and what its log says happened in them.

    rows, bytes: of the files that were added; rows is None where files carry no statistics.
    """

    after: int
    until: int
    added: bool
    removed: bool
    rows: int | None
    bytes: int

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed)


@dataclass(frozen=True)
class ChangeSet:
    """Added and removed rows, netted as multisets; removed is None where nothing was removed.

    cached: what is to be unpersisted when the rows have been used.
    """

    added: DataFrame
    removed: DataFrame | None
    added_rows: int | None
    cached: tuple[DataFrame, ...] = ()


def look_at(log: TableLog, after: int, until: int) -> Span:
    """What happened in a span, from the log alone. Raises HistoryGone where the log no longer has it."""
    added = removed = False
    rows: int | None = 0
    size = 0
    for commit in log.commits(after, until):
        added = added or commit.added
        removed = removed or commit.removed
        rows = None if rows is None or commit.added_rows is None else rows + commit.added_rows
        size += commit.added_bytes
    return Span(after, until, added, removed, rows, size)


def read_table(spark: SparkSession, path: str, version: int) -> DataFrame:
    """The table as it stood at a version."""
    return spark.read.format("delta").option("versionAsOf", version).load(path)


def read_changes(spark: SparkSession, path: str, span: Span) -> ChangeSet:
    """The rows that a span added and removed.

    Where files were removed, equal rows that were added and removed cancel, whatever the order within a
    version: a RESTORE or an overwrite puts both into one. The result is then the final multiset of rows
    less the first one.
    """
    feed = (
        spark.read.format("delta")
        .option("readChangeFeed", "true")
        .option("startingVersion", span.after + 1)
        .option("endingVersion", span.until)
        .load(path)
    )
    if not span.removed:
        return ChangeSet(feed.drop(*_CHANGE_COLUMNS), None, span.rows)
    came = F.col("_change_type").isin("insert", "update_postimage")
    rows = feed.withColumn(_NET, F.when(came, 1).otherwise(-1)).drop(*_CHANGE_COLUMNS)
    if _groupable(rows.schema):
        columns = [F.col(f"`{name}`") for name in rows.columns if name != _NET]
        rows = rows.groupBy(*columns).agg(F.sum(_NET).alias(_NET)).where(F.col(_NET) != 0)
        rows = rows.withColumn(_NET, F.explode(F.array_repeat(F.signum(_NET), F.abs(_NET).cast("int"))))
    rows = rows.persist()
    added, removed = rows.where(F.col(_NET) > 0).drop(_NET), rows.where(F.col(_NET) < 0).drop(_NET)
    return ChangeSet(added, removed, None, (rows,))


def _groupable(schema: StructType) -> bool:
    """Rows with maps or variants cannot be grouped; un-netted they only make more keys touched."""
    text = schema.simpleString()
    return MapType.typeName() + "<" not in text and VariantType.typeName() not in text
