"""Which quarantined rows leave because a load computes their rows anew."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from goldsmith.engine.literals import frame_of_literals
from goldsmith.engine.quarantine import EVERYTHING, Quarantine
from goldsmith.project.models import Merge, OverwritePartitions
from goldsmith.project.sql_text import quoted
from goldsmith.run.plan import Plan
from goldsmith.run.slices import Slice


def entries_taken_back(
    spark: SparkSession, plan: Plan, piece: Slice, quarantine: Quarantine
) -> tuple[str, ...]:
    """The ids of entries whose rows this load judges again, or EVERYTHING for a load of the whole table."""
    load, schema = plan.table.load, piece.shaped.frame.schema
    by_key = isinstance(load, Merge) and piece.touched is not None
    by_value = isinstance(load, OverwritePartitions) and piece.values is not None
    if (plan.action == "incremental" and not by_key and not by_value) or quarantine.version() < 0:
        return ()
    entries = quarantine.entries(plan.state.counter)
    if plan.action != "incremental":
        return () if entries.isEmpty() else (EVERYTHING,)
    if isinstance(load, Merge) and piece.touched is not None:
        touched, names = piece.touched, load.key
    else:
        assert isinstance(load, OverwritePartitions)
        names = load.by
        columns = {name: schema[name].dataType for name in names}
        touched = frame_of_literals(spark, piece.values or (), columns)
    types = {name: schema[name].dataType for name in names}
    return _matching(entries, types, touched)


def _matching(entries: DataFrame, types: dict[str, DataType], touched: DataFrame) -> tuple[str, ...]:
    renamed = touched.select(*[F.col(quoted(name)).alias(f"_gs_key_{at}") for at, name in enumerate(types)])
    equal: list[Column] = [
        F.get_json_object("row", f"$['{name}']").try_cast(kind).eqNullSafe(F.col(f"_gs_key_{at}"))
        for at, (name, kind) in enumerate(types.items())
    ]
    held = entries.join(renamed, reduce(lambda left, right: left & right, equal), "left_semi")
    return tuple(row.id for row in held.select("id").collect())
