"""The load `scd2`: keeps the history of each key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from typing_extensions import override

from goldsmith.engine.delta.changes import ChangeSet, read_table
from goldsmith.engine.delta.history import (
    CONTINUED,
    NULL_SEQUENCE,
    differences,
    merge_versions,
    versions,
)
from goldsmith.engine.delta.merging import NULL_KEY, null_key
from goldsmith.engine.delta.metadata import CommitMetadata, Merged
from goldsmith.engine.delta.writing import Target, append
from goldsmith.engine.row_literals import literal_of
from goldsmith.engine.row_values import named
from goldsmith.project.loads.scd2 import IS_CURRENT, Scd2
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.quality.judge import KEPT
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.loads.base import replace_all
from goldsmith.run.loads.touched_keys import KeyedStrategy, keys_of_removed, slice_by_key, union
from goldsmith.run.plan import Changes, CommitPlan, replaces
from goldsmith.run.query import computed
from goldsmith.run.slices import NeedsFullLoad, Slice, TouchedKeys

_NEWEST = "newest"


class Scd2Strategy(KeyedStrategy[Scd2]):
    """Continues the current versions of keys with later changes; other keys are recomputed from all their changes.

    A change is later if its sequence is greater than all that the table contains: no change of its key, not even one
    that made no version, can lie behind it.
    """

    no_release: ClassVar[str] = "a row's place in a history depends on the other rows of its key"

    @override
    def violations(self) -> tuple[str, ...]:
        unordered = f"{quoted(self.declared.sequence_by[0])} IS NULL"
        found = ((null_key(self.declared), NULL_KEY), (unordered, NULL_SEQUENCE))
        return tuple(
            f"IF({missing}, array({literal(name)}), CAST(array() AS array<string>))"
            for missing, name in found
        )

    @override
    def measures(self, kept: StructType) -> Mapping[str, str]:
        sequence = self.declared.sequence_by[0]
        return {_NEWEST: literal_of(f"max({quoted(sequence)}) {KEPT}", kept[sequence].dataType)}

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
        metadata = replace(metadata, newest=_newest(spark, plan, measured))
        changes = kept.withColumn(CONTINUED, F.lit(False))
        if replaces(plan):
            self._write_all(spark, target, changes, measured, metadata)
            return
        touched = slice_.touched.keys if isinstance(slice_.touched, TouchedKeys) else None
        if measured.rows == 0 and touched is None:
            # Nothing changes: only the bookmark is updated, without reading the table's files.
            append(target, versions(changes, self.declared).drop(CONTINUED).limit(0), metadata)
            return
        self._merge(spark, target, changes, touched, measured, metadata)

    def _write_all(
        self,
        spark: SparkSession,
        target: Target,
        changes: DataFrame,
        measured: Measured,
        metadata: CommitMetadata,
    ) -> None:
        found = versions(changes, self.declared).drop(CONTINUED).persist()
        try:
            counts = replace(metadata.counts, superseded=measured.rows - found.count())
            replace_all(spark, target, found, replace(metadata, counts=counts))
        finally:
            found.unpersist()

    def _merge(
        self,
        spark: SparkSession,
        target: Target,
        changes: DataFrame,
        touched: DataFrame | None,
        measured: Measured,
        metadata: CommitMetadata,
    ) -> None:
        load = self.declared
        key = list(load.key)
        table = read_table(spark, target.path, target.version)
        current = table.where(quoted(IS_CURRENT))
        if not load.missing_means_deleted:
            current = current.join(changes.select(*named(key)).distinct(), key, "left_semi")
        existing = current
        if touched is not None:
            complete = touched.where(f"NOT ({null_key(load)})").distinct()
            current = current.join(complete, key, "left_anti")
            existing = current.unionByName(table.join(complete, key, "left_semi"))
        continued = current.drop(*load.added_columns).withColumn(CONTINUED, F.lit(True))
        found = versions(changes.unionByName(continued, allowMissingColumns=True), load)
        different = differences(found, existing, load)
        try:
            if different.made + different.others == 0:
                counts = replace(metadata.counts, superseded=measured.rows)
                append(target, found.drop(CONTINUED).limit(0), replace(metadata, counts=counts))
                return
            superseded = measured.rows - different.made
            merged = Merged(different.made, superseded, recomputed=True, gone=different.others)
            merge_versions(spark, target, different, load, replace(metadata, merged=merged))
        finally:
            different.frame.unpersist()

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
        key, touched = self.declared.key, None
        if changes.removed is not None:
            if self.declared.missing_means_deleted:
                raise NeedsFullLoad(f"rows were removed from {plan.driver}, and every key depends on them")
            touched = keys_of_removed(spark, run, plan, pinned, changes.removed, key)
        newest = plan.handle.bookmark.metadata.newest if plan.handle.bookmark else None
        if newest is not None:
            added = computed(spark, plan.table, {**pinned, plan.driver: changes.added}, plan.driver).frame
            late = added.where(f"{quoted(self.declared.sequence_by[0])} <= {newest}")
            late = late.select(*named(key)).distinct()
            if not self.declared.missing_means_deleted:
                touched = union(touched, late)
            elif not late.isEmpty():
                raise NeedsFullLoad(f"{plan.driver} has rows of an earlier snapshot")
        return slice_by_key(spark, plan, pinned, changes.added, touched, key, rows)


def _newest(spark: SparkSession, plan: CommitPlan, measured: Measured) -> str | None:
    """The greatest sequence of all changes in the table, as a SQL literal; None without changes."""
    bookmark = None if replaces(plan) else plan.handle.bookmark
    before, now = bookmark.metadata.newest if bookmark else None, measured.values[_NEWEST]
    if before is None or now is None:
        return before or now
    [later] = spark.sql(f"SELECT {now} > {before}").collect()
    return now if later[0] else before
