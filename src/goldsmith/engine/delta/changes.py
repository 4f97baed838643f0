"""Change sets: the rows of an upstream that a table has not consumed yet, added and removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.columns import exact, named
from goldsmith.engine.delta.log import TableLog, types_in
from goldsmith.project.models import CHANGE_FEED
from goldsmith.project.sql.text import quoted

_NET = "_gs_net"
_ROW_BY_ROW = ("MERGE", "UPDATE", "DELETE")
"""Operations whose change feed has just the rows that changed."""


@dataclass(frozen=True)
class Span:
    """Versions of an upstream with after < version <= until, and what its log says happened in them.

    rewritten: whole files were replaced, among them rows that stayed as they are. rows: of the files that were
    added; None if files carry no statistics. altered: what became of its columns across which its changes cannot be
    read as rows of one schema; None if nothing did.
    """

    after: int
    until: int
    added: bool
    removed: bool
    rewritten: bool
    rows: int | None
    altered: str | None = None

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed)


@dataclass(frozen=True)
class ChangeSet:
    """Added and removed rows, netted as multisets; removed is None if nothing was removed.

    cached: what is to be unpersisted when the rows have been used.
    """

    added: DataFrame
    removed: DataFrame | None
    added_rows: int | None
    cached: tuple[DataFrame, ...] = ()


def look_at(log: TableLog, after: int, until: int) -> Span:
    """What happened in a span, from the log alone. Raises HistoryGone if the log no longer has it."""
    added = removed = rewritten = False
    rows: int | None = 0
    schemas: list[str] = []
    for commit in log.commits(after, until):
        schemas += [commit.schema] if commit.schema is not None else []
        added = added or commit.added
        removed = removed or commit.removed
        rows = None if rows is None or commit.added_rows is None else rows + commit.added_rows
        rewritten = rewritten or (commit.removed and commit.operation not in _ROW_BY_ROW)
    return Span(after, until, added, removed, rewritten, rows, _altered(log, after, schemas))


def _altered(log: TableLog, after: int, schemas: Sequence[str]) -> str | None:
    """What a sequence of schemas changed in the columns that a version had. schemas: as JSON, oldest first.

    Comments, nullability and columns that were added at the end make no difference: older rows have NULL there.
    """
    if not schemas:
        return None
    former = log.types(after)
    for schema in schemas:
        types = types_in(schema)
        for name, kind in former.items():
            if name not in types:
                return f"the column {name} is gone"
            if types[name] != kind:
                return f"the type of {name} changed from {kind} to {types[name]}"
        former = types
    return None


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
    rows = rows.withColumn(_NET, F.expr(f"explode(array_repeat(signum({_NET}), CAST(abs({_NET}) AS int)))"))
    rows = rows.persist()
    added, removed = rows.where(F.col(_NET) > 0).drop(_NET), rows.where(F.col(_NET) < 0).drop(_NET)
    return ChangeSet(added, removed, None, (rows,))


def changed_rows(spark: SparkSession, path: str, span: Span) -> DataFrame:
    """The rows that a span added or removed; equal ones may come once for many, and what came and went in it too."""
    if not span.rewritten:
        return _feed(spark, path, span).drop(*CHANGE_FEED)
    return _netted(spark, path, span).drop(_NET)


def _netted(spark: SparkSession, path: str, span: Span) -> DataFrame:
    """Rows with _NET: how often they were added less how often they were removed.

    Rows are one where each of their values is the same to the last bit; a group has its members' own values.
    """
    feed = _feed(spark, path, span)
    came = "_change_type IN ('insert', 'update_postimage')"
    rows = feed.withColumn(_NET, F.expr(f"IF({came}, 1, -1)")).drop(*CHANGE_FEED)
    fields = [field for field in rows.schema.fields if field.name != _NET]
    forms = {field.name: exact(quoted(field.name), field.dataType) for field in fields}
    apart = [name for name, form in forms.items() if form != quoted(name)]
    alike = [
        F.expr(form).alias(f"_gs_form_{at}") if name in apart else F.col(form)
        for at, (name, form) in enumerate(forms.items())
    ]
    values = [F.expr(f"any_value({quoted(name)})").alias(name) for name in apart]
    netted = rows.groupBy(*alike).agg(F.expr(f"sum({_NET}) AS {_NET}"), *values).where(f"{_NET} != 0")
    return netted.select(*named([*forms, _NET])) if apart else netted


def _feed(spark: SparkSession, path: str, span: Span) -> DataFrame:
    return TableLog(spark, path).change_feed(span.after + 1, span.until)
