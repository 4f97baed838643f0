"""Loads by key, and their slices: new rows of the driver, and all rows of the keys that are recomputed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import reduce
from typing import ClassVar, TypeVar

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from typing_extensions import override

from goldsmith.engine.delta.changes import ChangeSet, read_table
from goldsmith.engine.ingest.shape import Shaped
from goldsmith.engine.row_values import named
from goldsmith.project.loads.base import Keyed
from goldsmith.project.sql.text import quoted
from goldsmith.project.strict_model import Names
from goldsmith.run.context import Run
from goldsmith.run.loads.base import LoadStrategy, as_declared, slice_of_changes
from goldsmith.run.plan import Changes
from goldsmith.run.query import computed
from goldsmith.run.slices import NeedsFullLoad, Slice, TouchedKeys

Frames = Mapping[str, DataFrame]
Declared = TypeVar("Declared", bound=Keyed)


class KeyedStrategy(LoadStrategy[Declared]):
    """Base class of loads by key: they apply the driver's changes, and recompute some keys from all of its rows."""

    reads_beyond_changes: ClassVar[bool] = True

    @override
    def incremental_rows(
        self, spark: SparkSession, run: Run, plan: Changes, pinned: Mapping[str, DataFrame]
    ) -> Slice:
        return slice_of_changes(
            spark, run, plan, lambda changes, rows: self.slice_of(spark, run, plan, pinned, changes, rows)
        )

    @abstractmethod
    def slice_of(
        self,
        spark: SparkSession,
        run: Run,
        plan: Changes,
        pinned: Mapping[str, DataFrame],
        changes: ChangeSet,
        rows: int | None,
    ) -> Slice:
        """The rows of some changes. rows: the number of added rows if the query is one-to-one."""


def slice_by_key(
    spark: SparkSession,
    plan: Changes,
    pinned: Frames,
    added: DataFrame,
    touched: DataFrame | None,
    key: Names,
    rows: int | None,
) -> Slice:
    """The driver's added rows, and all of its rows whose keys are touched.

    pinned: the upstreams at their planned versions. touched: the keys to recompute; None if there is none. rows: the
    number of added rows if the query is one-to-one. The traced columns of the key select the driver's rows; the others
    are compared in the rows computed from them. Raises NeedsFullLoad if no column can be traced, or if lookups
    `as_loaded` may have given the others: rows that were loaded with their former values have other keys.
    """
    table, only_new = plan.table, {**pinned, plan.driver: added}
    if touched is None:
        return Slice(computed(spark, table, only_new, plan.driver), change_rows=rows)
    touched = touched.persist()
    if touched.isEmpty():
        touched.unpersist()
        return Slice(computed(spark, table, only_new, plan.driver))
    untraced = [name for name in key if table.traced(plan.driver, name) is None]
    if len(untraced) == len(key) or (untraced and table.loaded_lookups):
        touched.unpersist()
        raise NeedsFullLoad(
            f"keys of {plan.driver} must be recomputed, and {', '.join(untraced)} cannot be traced to it alone"
        )
    restricted = _with_keys(plan, pinned[plan.driver], touched, key, "left_semi")
    recomputed = computed(spark, table, {**pinned, plan.driver: restricted})
    frame = _having(recomputed.frame, touched, key, "left_semi")
    if not untraced:
        others = _with_keys(plan, added, touched, key, "left_anti")
        fresh = computed(spark, table, {**pinned, plan.driver: others}, plan.driver)
    else:
        # A row may give touched keys and others, as with `explode`.
        fresh = computed(spark, table, only_new, plan.driver)
        fresh = Shaped(_having(fresh.frame, touched, key, "left_anti"), fresh.reasons)
    both = Shaped(frame.unionByName(fresh.frame, allowMissingColumns=True), fresh.reasons)
    return Slice(both, touched=TouchedKeys(key, touched), persisted=(touched,))


def keys_of_removed(
    spark: SparkSession, run: Run, plan: Changes, pinned: Frames, removed: DataFrame, key: Names
) -> DataFrame:
    """The keys of rows that removed rows of the driver may have given, possibly with filtered ones.

    Keys that can be traced to the driver alone are computed from its rows, independent of former lookups. Raises
    NeedsFullLoad for other keys if the former lookups are unknown.
    """
    table = plan.table
    traced = [(name, table.traced(plan.driver, name)) for name in key]
    known = [(name, expression) for name, expression in traced if expression is not None]
    if len(known) == len(traced):
        columns = [f"{as_declared(table, removed, sql, name)} AS {quoted(name)}" for name, sql in known]
        return removed.selectExpr(*columns).distinct()
    if table.exceptions:
        raise NeedsFullLoad(
            f"rows were removed from {plan.driver}, and the lookups that gave their keys are unknown"
        )
    former = {
        name: frame
        if name == plan.driver or name not in table.lookups
        else read_table(spark, run.path(name), plan.consumed[name].version)
        for name, frame in pinned.items()
    }
    rows = computed(spark, table, {**former, plan.driver: removed}, plan.driver)
    return rows.frame.select(*named(key)).distinct()


def union(keys: DataFrame | None, others: DataFrame) -> DataFrame:
    """The distinct keys of both."""
    return others if keys is None else keys.unionByName(others).distinct()


def _with_keys(plan: Changes, rows: DataFrame, touched: DataFrame, key: Names, how: str) -> DataFrame:
    """The driver's rows with the traced columns of touched keys, or without them, depending on the kind of join."""
    table = plan.table
    conditions: list[Column] = []
    for at, name in enumerate(key):
        traced = table.traced(plan.driver, name)
        if traced is not None:
            expression = as_declared(table, rows, traced, name)
            conditions.append(F.expr(expression).eqNullSafe(F.col(f"_gs_key_{at}")))
    return rows.join(_renamed(touched, key), reduce(lambda left, right: left & right, conditions), how)


def _having(rows: DataFrame, touched: DataFrame, key: Names, how: str) -> DataFrame:
    """Computed rows with touched keys, or without them, depending on the kind of join."""
    equal = [rows[quoted(name)].eqNullSafe(F.col(f"_gs_key_{at}")) for at, name in enumerate(key)]
    return rows.join(_renamed(touched, key), reduce(lambda left, right: left & right, equal), how)


def _renamed(touched: DataFrame, key: Names) -> DataFrame:
    """The touched keys with names that differ from all columns of the rows."""
    return touched.select(*[F.col(quoted(name)).alias(f"_gs_key_{at}") for at, name in enumerate(key)])
