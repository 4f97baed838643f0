"""Change sets: the rows of an upstream that a table has not consumed yet, added and removed."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StructType, VariantType

from goldsmith.engine.log import TableLog
from goldsmith.project.sql_text import quoted

_CHANGE_COLUMNS = ("_change_type", "_commit_version", "_commit_timestamp")
_NET = "_gs_net"
_ROW_BY_ROW = ("MERGE", "UPDATE", "DELETE")
"""Operations whose change feed has just the rows that changed."""


@dataclass(frozen=True)
class Span:
    """Versions of an upstream with after < version <= until, and what its log says happened in them.

    rewritten: whole files were replaced, among them rows that stayed as they are. rows: of the files that were
    added; None where files carry no statistics.
    """

    after: int
    until: int
    added: bool
    removed: bool
    rewritten: bool
    rows: int | None

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
    added = removed = rewritten = False
    rows: int | None = 0
    for commit in log.commits(after, until):
        added = added or commit.added
        removed = removed or commit.removed
        rows = None if rows is None or commit.added_rows is None else rows + commit.added_rows
        rewritten = rewritten or (commit.removed and commit.operation not in _ROW_BY_ROW)
    return Span(after, until, added, removed, rewritten, rows)


def read_table(spark: SparkSession, path: str, version: int) -> DataFrame:
    """The table as it stood at a version."""
    return spark.read.format("delta").option("versionAsOf", version).load(path)


def read_changes(spark: SparkSession, path: str, span: Span) -> ChangeSet:
    """The rows that a span added and removed.

    Where files were removed, equal rows that were added and removed cancel, whatever the order within a
    version: a RESTORE or an overwrite puts both into one. The result is then the final multiset of rows
    less the first one.
    """
    if not span.removed:
        return ChangeSet(changed_rows(spark, path, span), None, span.rows)
    rows = _netted(spark, path, span)
    if _groupable(rows.schema):
        rows = rows.withColumn(
            _NET, F.expr(f"explode(array_repeat(signum({_NET}), CAST(abs({_NET}) AS int)))")
        )
    rows = rows.persist()
    added, removed = rows.where(F.col(_NET) > 0).drop(_NET), rows.where(F.col(_NET) < 0).drop(_NET)
    return ChangeSet(added, removed, None, (rows,))


def changed_rows(spark: SparkSession, path: str, span: Span) -> DataFrame:
    """The rows that a span added or removed; equal ones may come once for many, and what came and went in it too."""
    if not span.rewritten:
        return _feed(spark, path, span).drop(*_CHANGE_COLUMNS)
    return _netted(spark, path, span).drop(_NET)


def _netted(spark: SparkSession, path: str, span: Span) -> DataFrame:
    """Rows with _NET: how often they were added less how often they were removed."""
    feed = _feed(spark, path, span)
    came = "_change_type IN ('insert', 'update_postimage')"
    rows = feed.withColumn(_NET, F.expr(f"IF({came}, 1, -1)")).drop(*_CHANGE_COLUMNS)
    if not _groupable(rows.schema):
        return rows
    columns = [quoted(name) for name in rows.columns if name != _NET]
    return rows.groupBy(*columns).agg(F.expr(f"sum({_NET}) AS {_NET}")).where(f"{_NET} != 0")


def _feed(spark: SparkSession, path: str, span: Span) -> DataFrame:
    reader = spark.read.format("delta").option("readChangeFeed", "true")
    reader = reader.option("startingVersion", span.after + 1).option("endingVersion", span.until)
    return reader.load(path)


def _groupable(schema: StructType) -> bool:
    """Rows with maps or variants cannot be grouped; un-netted they only make more keys touched."""
    text = schema.simpleString()
    return MapType.typeName() + "<" not in text and VariantType.typeName() not in text
