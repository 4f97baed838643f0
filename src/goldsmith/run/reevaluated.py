"""Finds the quarantine entries that a load re-evaluates."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.quarantine import ALL_ENTRIES
from goldsmith.engine.ingest.shape import shape
from goldsmith.engine.row_literals import in_values
from goldsmith.project.sql.text import quoted
from goldsmith.run.plan import LoadPlan, replaces
from goldsmith.run.quarantined import ENTRY, QuarantinedRows, original_rows
from goldsmith.run.slices import Slice, TouchedKeys, TouchedValues, types_of
from goldsmith.run.sources import source_of


def reevaluated(spark: SparkSession, plan: LoadPlan, slice_: Slice) -> tuple[str, ...]:
    """The ids of the entries that this load re-evaluates, or ALL_ENTRIES for a load of the whole table."""
    quarantine = plan.handle.quarantine
    if (slice_.touched is None and not replaces(plan)) or quarantine.version() < 0:
        return ()
    entries = quarantine.entries(plan.state.counter)
    if slice_.touched is None or replaces(plan):
        return () if entries.isEmpty() else (ALL_ENTRIES,)
    also = source_of(plan.table).text_columns()
    groups = original_rows(spark, plan.table, entries, plan.log, also)
    found = [_touched(rows, plan, slice_.touched, slice_.shaped.frame) for rows in groups]
    if not found:
        return ()
    return tuple(row[ENTRY] for row in reduce(DataFrame.union, found).collect())


def _touched(
    rows: QuarantinedRows, plan: LoadPlan, touched: TouchedKeys | TouchedValues, computed: DataFrame
) -> DataFrame:
    """The ids of rows whose keys or values the load recomputes, compared in the declared types."""
    schema = computed.schema
    spellings = {field.name.lower(): field.name for field in schema.fields}
    names = tuple(spellings.get(name.lower(), name) for name in touched.names)
    present = {name.lower() for name in rows.columns}
    values = [quoted(name) if name.lower() in present else f"NULL AS {quoted(name)}" for name in names]
    shaped = shape(rows.frame.selectExpr(*values, ENTRY), types_of(plan.table)).frame
    # The query's type of a column may have changed since the entry was written.
    typed = shaped.select(
        *[F.col(quoted(name)).try_cast(schema[name].dataType).alias(name) for name in names], ENTRY
    )
    match touched:
        case TouchedValues():
            return typed.where(in_values(names, touched.values)).select(ENTRY)
        case TouchedKeys():
            keys = touched.keys.select(
                *[F.col(quoted(name)).alias(f"_gs_key_{at}") for at, name in enumerate(names)]
            )
            equal: list[Column] = [
                F.col(quoted(name)).eqNullSafe(F.col(f"_gs_key_{at}")) for at, name in enumerate(names)
            ]
            return typed.join(keys, reduce(lambda left, right: left & right, equal), "left_semi").select(
                ENTRY
            )
