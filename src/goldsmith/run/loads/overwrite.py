"""The load `overwrite`: computes the whole table, and writes it if its rows changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType
from typing_extensions import override

from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import Target, append
from goldsmith.engine.row_values import row_hash
from goldsmith.project.loads.overwrite import Overwrite
from goldsmith.quality.judge import KEPT
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.loads.base import LoadStrategy, replace_all
from goldsmith.run.plan import Changes, CommitPlan
from goldsmith.run.slices import Slice

_SEEDS = (1, 2)


class OverwriteStrategy(LoadStrategy[Overwrite]):
    """Replaces the table, or only updates the bookmark if the rows are the same."""

    @override
    def incremental_rows(
        self, spark: SparkSession, run: Run, plan: Changes, pinned: Mapping[str, DataFrame]
    ) -> Slice:
        raise AssertionError("an overwrite has no driver")

    @override
    def measures(self, kept: StructType) -> Mapping[str, str]:
        return {
            f"hash {seed}": f"sum(CAST({row_hash(kept, seed=seed)} AS decimal(38,0))) {KEPT}"
            for seed in _SEEDS
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
        content, bookmark = _content(measured), plan.handle.bookmark
        former = bookmark.metadata.content if bookmark and not bookmark.metadata.voided else None
        with_content = replace(metadata, content=content)
        if former == content and plan.action == "full":
            counts = replace(with_content.counts, superseded=measured.rows)
            append(target, kept.limit(0), replace(with_content, counts=counts))
        else:
            replace_all(spark, target, kept, with_content)


def _content(measured: Measured) -> str:
    """A digest of the rows as a multiset, independent of their order."""
    hashes = ":".join(str(measured.values[f"hash {seed}"]) for seed in _SEEDS)
    return f"{measured.rows}:{hashes}:{measured.schema.simpleString()}"
