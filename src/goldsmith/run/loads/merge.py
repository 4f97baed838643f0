"""The load `merge`: keeps the newest row of each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType
from typing_extensions import override

from goldsmith.engine.delta.changes import ChangeSet
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
from goldsmith.engine.row_literals import range_of
from goldsmith.engine.row_values import named
from goldsmith.project.loads.merge import Merge
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.project.strict_model import Names
from goldsmith.quality.judge import KEPT
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.loads.base import replace_all
from goldsmith.run.loads.touched_keys import KeyedStrategy, keys_of_removed, slice_by_key, union
from goldsmith.run.plan import Changes, CommitPlan, replaces
from goldsmith.run.query import computed
from goldsmith.run.slices import Slice, TouchedKeys

_RANGE = "range "


class MergeStrategy(KeyedStrategy[Merge]):
    """Merges the newest row of each key; keys that lost rows upstream are recomputed."""

    can_release: ClassVar[bool] = True

    @override
    def violations(self) -> tuple[str, ...]:
        missing = null_key(self.declared)
        return (f"IF({missing}, array({literal(NULL_KEY)}), CAST(array() AS array<string>))",)

    @property
    @override
    def counted_key(self) -> Names:
        return self.declared.key

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

    @override
    def slice_of(
        self,
        spark: SparkSession,
        run: Run,
        plan: Changes,
        pinned: Mapping[str, DataFrame],
        changes: ChangeSet,
        rows: int | None,
    ) -> Slice:
        key = self.declared.key
        touched: DataFrame | None = None
        if changes.removed is not None:
            touched = keys_of_removed(spark, run, plan, pinned, changes.removed, key)
        if self.declared.delete_when is not None:
            # A key that is not in the table may have been deleted by a newer row than the one that arrives now.
            added = computed(spark, plan.table, {**pinned, plan.driver: changes.added}, plan.driver)
            touched = union(touched, self._missing_keys(spark, plan, added.frame))
        return slice_by_key(spark, plan, pinned, changes.added, touched, key, rows)

    def _missing_keys(self, spark: SparkSession, plan: Changes, added: DataFrame) -> DataFrame:
        key = self.declared.key
        keys = added.where(f"NOT ({null_key(self.declared)})").select(*named(key)).distinct()
        present = spark.read.format("delta").load(plan.handle.path).select(*named(key))
        return keys.join(present, list(key), "left_anti")

    def _count_deleted(self, spark: SparkSession, target: Target, touched: DataFrame, found: Newest) -> int:
        """The number of the table's rows whose keys no longer have a row upstream."""
        key = self.declared.key
        keys = found.frame.select(*named(key))
        complete = touched.where(f"NOT ({null_key(self.declared)})").distinct()
        left = complete.join(keys, list(key), "left_anti")
        return spark.read.format("delta").load(target.path).join(left, list(key), "left_semi").count()
