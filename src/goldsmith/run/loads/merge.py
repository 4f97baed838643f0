"""The load `merge`: keeps the newest row of each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import ClassVar

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from typing_extensions import override

from goldsmith.engine.delta.changes import ChangeSet, read_table
from goldsmith.engine.delta.merging import (
    NULL_KEY,
    Newest,
    count_deletes,
    merge_newest,
    newest,
    null_key,
    pruning_columns,
    survivors,
)
from goldsmith.engine.delta.metadata import CommitMetadata, Merged
from goldsmith.engine.delta.writing import Target, append
from goldsmith.engine.ingest.shape import Shaped
from goldsmith.engine.row_literals import range_of
from goldsmith.engine.row_values import named
from goldsmith.project.loads import Merge
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.quality.judge import KEPT
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.loads.base import LoadStrategy, as_declared, replace_all, slice_of_changes
from goldsmith.run.plan import Changes, CommitPlan, replaces
from goldsmith.run.query import computed
from goldsmith.run.slices import NeedsFullLoad, Slice, TouchedKeys

_RANGE = "range "


class MergeStrategy(LoadStrategy[Merge]):
    """Merges the newest row of each key; keys that lost rows upstream are recomputed."""

    can_release: ClassVar[bool] = True
    reads_beyond_changes: ClassVar[bool] = True

    @override
    def incremental_rows(
        self, spark: SparkSession, run: Run, plan: Changes, pinned: Mapping[str, DataFrame]
    ) -> Slice:
        return slice_of_changes(
            spark, run, plan, lambda changes, rows: self._slice(spark, run, plan, pinned, changes, rows)
        )

    @override
    def violations(self) -> tuple[str, ...]:
        missing = null_key(self.declared)
        return (f"IF({missing}, array({literal(NULL_KEY)}), CAST(array() AS array<string>))",)

    @override
    def measures(self, kept: StructType) -> Mapping[str, str]:
        return {
            _RANGE + name: range_of(quoted(name), kept[name].dataType, KEPT)
            for name in pruning_columns(kept, self.declared)
        }

    @override
    def write(
        self,
        spark: SparkSession,
        target: Target,
        plan: CommitPlan,
        slice_: Slice,
        kept: DataFrame,
        measured: Measured,
        metadata: CommitMetadata,
    ) -> None:
        found, superseded = newest(kept, self.declared), measured.rows - measured.keys
        if replaces(plan):
            removed = count_deletes(found) if self.declared.delete_when is not None else 0
            counts = replace(metadata.counts, superseded=superseded + removed)
            replace_all(spark, target, survivors(found), replace(metadata, counts=counts))
            return
        touched = slice_.touched.keys if isinstance(slice_.touched, TouchedKeys) else None
        deleted = self._count_deleted(spark, target, touched, found) if touched is not None else 0
        if measured.rows == 0 and touched is None:
            # Nothing to merge: only the bookmark is updated, without reading the table's files.
            append(target, survivors(found).limit(0), metadata)
            return
        ranges = tuple(
            (name.removeprefix(_RANGE), value)
            for name, value in measured.values.items()
            if name.startswith(_RANGE) and value is not None
        )
        merged = Merged(measured.keys, superseded, touched is not None, deleted)
        merge_newest(spark, target, found, ranges, self.declared, touched, replace(metadata, merged=merged))

    def _slice(
        self,
        spark: SparkSession,
        run: Run,
        plan: Changes,
        pinned: Mapping[str, DataFrame],
        changes: ChangeSet,
        rows: int | None,
    ) -> Slice:
        table, key = plan.table, self.declared.key
        only_new = {**pinned, plan.driver: changes.added}
        touched: DataFrame | None = None
        if changes.removed is not None:
            touched = self._keys_of(spark, run, plan, pinned, changes.removed)
        if self.declared.delete_when is not None:
            # A key that is not in the table may have been deleted by a newer row than the one that arrives now.
            added = computed(spark, table, only_new, plan.driver)
            missing_keys = self._missing_keys(spark, plan, added.frame)
            touched = missing_keys if touched is None else touched.unionByName(missing_keys).distinct()
        if touched is None:
            return Slice(computed(spark, table, only_new, plan.driver), change_rows=rows)
        touched = touched.persist()
        if touched.isEmpty():
            touched.unpersist()
            return Slice(computed(spark, table, only_new, plan.driver))
        restricted = self._with_keys(plan, pinned[plan.driver], touched, "left_semi")
        others = self._with_keys(plan, changes.added, touched, "left_anti")
        recomputed_rows = computed(spark, table, {**pinned, plan.driver: restricted})
        recomputed_rows = Shaped(_semi(recomputed_rows.frame, touched, key), recomputed_rows.reasons)
        fresh = computed(spark, table, {**pinned, plan.driver: others}, plan.driver)
        both = Shaped(recomputed_rows.frame.unionByName(fresh.frame, allowMissingColumns=True), fresh.reasons)
        return Slice(both, touched=TouchedKeys(key, touched), persisted=(touched,))

    def _keys_of(
        self,
        spark: SparkSession,
        run: Run,
        plan: Changes,
        pinned: Mapping[str, DataFrame],
        removed: DataFrame,
    ) -> DataFrame:
        """The keys of rows that removed rows of the driver may have given, possibly with filtered ones.

        Keys that can be traced to the driver alone are computed from its rows, independent of former lookups. Raises
        NeedsFullLoad for other keys if the former lookups are unknown.
        """
        table, key = plan.table, self.declared.key
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

    def _missing_keys(self, spark: SparkSession, plan: Changes, added: DataFrame) -> DataFrame:
        key = self.declared.key
        keys = added.where(f"NOT ({null_key(self.declared)})").select(*named(key)).distinct()
        present = spark.read.format("delta").load(plan.handle.path).select(*named(key))
        return keys.join(present, list(key), "left_anti")

    def _with_keys(self, plan: Changes, rows: DataFrame, touched: DataFrame, how: str) -> DataFrame:
        """The driver's rows with touched keys, or without them, depending on the kind of join."""
        table, key = plan.table, self.declared.key
        conditions: list[Column] = []
        for at, name in enumerate(key):
            traced = table.traced(plan.driver, name)
            if traced is None:
                raise NeedsFullLoad(
                    f"rows were removed from {plan.driver}, and the key {name} cannot be traced to it alone"
                )
            expression = as_declared(table, rows, traced, name)
            conditions.append(F.expr(expression).eqNullSafe(F.col(f"_gs_key_{at}")))
        return rows.join(_renamed(touched, key), reduce(lambda left, right: left & right, conditions), how)

    def _count_deleted(self, spark: SparkSession, target: Target, touched: DataFrame, found: Newest) -> int:
        """The number of the table's rows whose keys no longer have a row upstream."""
        key = self.declared.key
        keys = found.frame.select(*named(key))
        complete = touched.where(f"NOT ({null_key(self.declared)})").distinct()
        left = complete.join(keys, list(key), "left_anti")
        return spark.read.format("delta").load(target.path).join(left, list(key), "left_semi").count()


def _semi(rows: DataFrame, touched: DataFrame, key: tuple[str, ...]) -> DataFrame:
    equal = [rows[quoted(name)].eqNullSafe(F.col(f"_gs_key_{at}")) for at, name in enumerate(key)]
    return rows.join(_renamed(touched, key), reduce(lambda left, right: left & right, equal), "left_semi")


def _renamed(touched: DataFrame, key: tuple[str, ...]) -> DataFrame:
    """The touched keys with names that differ from all columns of the rows."""
    return touched.select(*[F.col(quoted(name)).alias(f"_gs_key_{at}") for at, name in enumerate(key)])
