"""Merges the newest row of each key into a Delta table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    DateType,
    DoubleType,
    FloatType,
    NumericType,
    StringType,
    StructType,
    TimestampType,
)

from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import MergeClauses, Target, merge
from goldsmith.engine.row_values import named, row_hash
from goldsmith.project.loads.base import Keyed
from goldsmith.project.loads.merge import Merge
from goldsmith.project.sql.text import quoted

_ORDER = "_gs_order"
_RANK = "_gs_rank"
_ACTION = "_gs_action"
_DOOMED = "_gs_doomed"
NULL_KEY = "null_key"


@dataclass(frozen=True)
class Newest:
    """The newest row of each key. frame: the rows' columns, their order, and whether `delete_when` deletes the key."""

    frame: DataFrame
    columns: tuple[str, ...]


Ranges = tuple[tuple[str, str], ...]
"""Key columns with a condition that all their values meet, as returned by `row_literals.range_of`."""


def null_key(load: Keyed) -> str:
    """SQL: the row's key has a NULL, so it matches no row."""
    return " OR ".join(f"{quoted(name)} IS NULL" for name in load.key)


def newest(rows: DataFrame, load: Merge) -> Newest:
    """The newest row of each key: the one with the greatest `newest_by`, where NULL is the least.

    A hash of the row breaks ties, so that the result does not depend on the order and batching of rows.
    """
    columns = tuple(rows.columns)
    deletes = F.coalesce(F.expr(load.delete_when), F.lit(False)) if load.delete_when else F.lit(False)
    order = ", ".join(quoted(name) for name in load.newest_by)
    keys = ", ".join(quoted(name) for name in load.key)
    ranked = rows.selectExpr(
        "*", f"struct({order + ', ' if order else ''}{row_hash(rows.schema)} AS _gs_hash) AS {_ORDER}"
    )
    ranked = ranked.selectExpr(
        "*", f"row_number() OVER (PARTITION BY {keys} ORDER BY {_ORDER} DESC) AS {_RANK}"
    )
    return Newest(ranked.where(f"{_RANK} = 1").drop(_RANK).withColumn(_DOOMED, deletes), columns)


def pruning_columns(schema: StructType, load: Merge) -> list[str]:
    """The key columns whose range of values is used to prune the table's files.

    Dates and timestamps if the key has any, since rows arrive by them; further columns prune little and slow down the
    search for files. Never floating-point columns: file statistics distinguish 0.0 from -0.0.
    """
    kinds = {name: schema[name].dataType for name in load.key}
    days = [name for name, kind in kinds.items() if isinstance(kind, DateType | TimestampType)]
    return days or [
        name
        for name, kind in kinds.items()
        if isinstance(kind, NumericType | StringType) and not isinstance(kind, FloatType | DoubleType)
    ]


def survivors(found: Newest) -> DataFrame:
    """The rows that a full load writes: the newest of each key, without those that delete their key."""
    return found.frame.where(~F.col(_DOOMED)).select(*named(found.columns))


def count_deletes(found: Newest) -> int:
    """The number of newest rows that delete their key."""
    return found.frame.where(_DOOMED).count()


def merge_newest(
    spark: SparkSession,
    target: Target,
    found: Newest,
    ranges: Ranges,
    load: Merge,
    touched: DataFrame | None,
    metadata: CommitMetadata,
) -> None:
    """Merges the newest rows into the table in one commit.

    touched: the keys (only their columns) whose upstream rows are all in `found`. The row of a touched key replaces
    the table's row; a touched key without a row is deleted. Other keys change the table only if their row is newer
    than the table's.
    """
    source = found.frame
    marker = F.when(F.col(_DOOMED), "newer_delete").otherwise("newer")
    if touched is None:
        source = source.withColumn(_ACTION, marker)
    else:
        keys = touched.where(f"NOT ({null_key(load)})").distinct().withColumn("_gs_touched", F.lit(True))
        joined = source.join(keys, list(load.key), "full_outer")
        gone = F.col(_DOOMED).isNull()
        replacing = F.when(gone | F.col(_DOOMED), "delete").otherwise("replace")
        source = joined.withColumn(_ACTION, F.when(F.col("_gs_touched"), replacing).otherwise(marker))
        # A deleted key may lie outside the range of the new rows.
        ranges = ()
    existing = spark.read.format("delta").load(target.path).schema
    given = {name.lower() for name in found.columns}
    shared = [field.name for field in existing.fields if field.name.lower() in given]
    current = F.struct(*named(load.newest_by, "t"), F.expr(row_hash(existing, "t")).alias("_gs_hash"))
    same = F.expr(row_hash(existing, "t")) == F.col(f"s.{_ORDER}._gs_hash")
    newer = F.col(f"s.{_ORDER}") > current
    action = F.col(f"s.{_ACTION}")
    on = [F.col(f"t.{quoted(name)}") == F.col(f"s.{quoted(name)}") for name in load.key]
    on += [F.expr(f"t.{quoted(name)} {condition}") for name, condition in ranges]
    clauses = MergeClauses(
        on=reduce(lambda left, right: left & right, on),
        delete=(action == "delete") | ((action == "newer_delete") & newer)
        if load.delete_when is not None or touched is not None
        else None,
        update=((action == "replace") & ~same) | ((action == "newer") & newer),
        insert=action.isin("replace", "newer"),
    )
    columns: Sequence[str] = found.columns if len(shared) == len(existing.fields) else shared
    merge(spark, target, source, columns, clauses, metadata)
