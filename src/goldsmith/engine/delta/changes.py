"""Change sets: the rows added to and removed from an upstream since a table consumed it."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.session_log import SessionLog
from goldsmith.engine.delta.spans import Span
from goldsmith.engine.row_values import grouping_form, named
from goldsmith.project.models import CHANGE_FEED
from goldsmith.project.sql.text import quoted

_NET = "_gs_net"


@dataclass(frozen=True)
class ChangeSet:
    """Added and removed rows, netted as multisets; removed is None if nothing was removed.

    cached: frames to unpersist after use.
    """

    added: DataFrame
    removed: DataFrame | None
    added_rows: int | None
    cached: tuple[DataFrame, ...] = ()


def read_table(spark: SparkSession, path: str, version: int) -> DataFrame:
    """The table at a version."""
    return spark.read.format("delta").option("versionAsOf", version).load(path)


def read_changes(spark: SparkSession, path: str, span: Span) -> ChangeSet:
    """The rows that a span added and removed.

    If files were removed, equal rows that were added and removed cancel, in any order within a version: a RESTORE
    or an overwrite has both in one version. The result is then the difference of the last and the first multiset of
    rows.
    """
    if not span.removed:
        return ChangeSet(changed_rows(spark, path, span), None, span.rows)
    rows = _netted(spark, path, span)
    rows = rows.withColumn(_NET, F.expr(f"explode(array_repeat(signum({_NET}), CAST(abs({_NET}) AS int)))"))
    rows = rows.persist()
    added, removed = rows.where(F.col(_NET) > 0).drop(_NET), rows.where(F.col(_NET) < 0).drop(_NET)
    return ChangeSet(added, removed, None, (rows,))


def changed_rows(spark: SparkSession, path: str, span: Span) -> DataFrame:
    """A superset of the rows that a span added or removed, possibly without duplicates."""
    if not span.rewritten:
        return _feed(spark, path, span).drop(*CHANGE_FEED)
    return _netted(spark, path, span).drop(_NET)


def _netted(spark: SparkSession, path: str, span: Span) -> DataFrame:
    """Rows with _NET: how often they were added minus how often they were removed.

    Rows are grouped if all their values are identical to the last bit.
    """
    feed = _feed(spark, path, span)
    came = "_change_type IN ('insert', 'update_postimage')"
    rows = feed.withColumn(_NET, F.expr(f"IF({came}, 1, -1)")).drop(*CHANGE_FEED)
    fields = [field for field in rows.schema.fields if field.name != _NET]
    forms = {field.name: grouping_form(quoted(field.name), field.dataType) for field in fields}
    differing = [name for name, form in forms.items() if form != quoted(name)]
    keys = [
        F.expr(form).alias(f"_gs_form_{at}") if name in differing else F.col(form)
        for at, (name, form) in enumerate(forms.items())
    ]
    values = [F.expr(f"any_value({quoted(name)})").alias(name) for name in differing]
    netted = rows.groupBy(*keys).agg(F.expr(f"sum({_NET}) AS {_NET}"), *values).where(f"{_NET} != 0")
    return netted.select(*named([*forms, _NET])) if differing else netted


def _feed(spark: SparkSession, path: str, span: Span) -> DataFrame:
    return SessionLog(spark, path).change_feed(span.after + 1, span.until)
