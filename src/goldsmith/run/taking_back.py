"""Quarantine entries that a load re-evaluates."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.quarantine import EVERYTHING, Quarantine
from goldsmith.engine.ingest.shape import shape
from goldsmith.engine.literals import among
from goldsmith.project.loads import Merge, OverwritePartitions
from goldsmith.project.sql.text import quoted
from goldsmith.run.plan import Plan
from goldsmith.run.quarantined import ENTRY, Rows, rows_as_entered
from goldsmith.run.slices import Slice, types_of


def entries_taken_back(
    spark: SparkSession, plan: Plan, piece: Slice, quarantine: Quarantine
) -> tuple[str, ...]:
    """The ids of entries whose rows this load judges again, or EVERYTHING for a load of the whole table."""
    load = plan.table.load
    by_key = isinstance(load, Merge) and piece.touched is not None
    by_value = isinstance(load, OverwritePartitions) and piece.values is not None
    if (plan.action == "incremental" and not by_key and not by_value) or quarantine.version() < 0:
        return ()
    entries = quarantine.entries(plan.state.counter)
    if plan.action != "incremental":
        return () if entries.isEmpty() else (EVERYTHING,)
    groups = rows_as_entered(spark, plan.table, entries, plan.log)
    found = [_touched(rows, plan, piece) for rows in groups]
    if not found:
        return ()
    return tuple(row[ENTRY] for row in reduce(DataFrame.union, found).collect())


def _touched(rows: Rows, plan: Plan, piece: Slice) -> DataFrame:
    """The ids of those whose keys, or `by` values, the load computes anew: compared as the load shapes them."""
    load, schema = plan.table.load, piece.shaped.frame.schema
    names = load.key if isinstance(load, Merge) else load.by if isinstance(load, OverwritePartitions) else ()
    present = {name.lower() for name in rows.columns}
    values = [quoted(name) if name.lower() in present else f"NULL AS {quoted(name)}" for name in names]
    shaped = shape(rows.frame.selectExpr(*values, ENTRY), types_of(plan.table)).frame
    # A column whose type the query gives had another one where an entry is older than the table's columns.
    typed = shaped.select(
        *[F.col(quoted(name)).try_cast(schema[name].dataType).alias(name) for name in names], ENTRY
    )
    if piece.touched is None:
        return typed.where(among(names, piece.values or ())).select(ENTRY)
    keys = piece.touched.select(
        *[F.col(quoted(name)).alias(f"_gs_key_{at}") for at, name in enumerate(names)]
    )
    equal: list[Column] = [
        F.col(quoted(name)).eqNullSafe(F.col(f"_gs_key_{at}")) for at, name in enumerate(names)
    ]
    return typed.join(keys, reduce(lambda left, right: left & right, equal), "left_semi").select(ENTRY)
