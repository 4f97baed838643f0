"""The load `append`: adds new rows and changes none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pyspark.sql import DataFrame, SparkSession
from typing_extensions import override

from goldsmith.engine.delta.changes import ChangeSet
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import Target, append, replace_where
from goldsmith.engine.row_literals import in_values
from goldsmith.errors import RunError, Where
from goldsmith.project.loads.append import Append
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.loads.base import LoadStrategy, replace_all, slice_of_changes
from goldsmith.run.plan import Changes, CommitPlan, replaces
from goldsmith.run.query import computed
from goldsmith.run.slices import Slice, TouchedValues


class AppendStrategy(LoadStrategy[Append]):
    """Appends the rows of the change set; replaces the rows of files that were replaced."""

    can_release: ClassVar[bool] = True

    @override
    def incremental_rows(
        self, spark: SparkSession, run: Run, plan: Changes, pinned: Mapping[str, DataFrame]
    ) -> Slice:
        def slice_of(changes: ChangeSet, rows: int | None) -> Slice:
            _refuse_removed(plan, changes)
            frames = {**pinned, plan.driver: changes.added}
            return Slice(computed(spark, plan.table, frames, plan.driver), change_rows=rows)

        return slice_of_changes(spark, run, plan, slice_of)

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
        if replaces(plan):
            replace_all(spark, target, kept, metadata)
        elif isinstance(slice_.touched, TouchedValues):
            replace_where(target, kept, in_values(slice_.touched.names, slice_.touched.values), metadata)
        else:
            append(target, kept, metadata)


def _refuse_removed(plan: Changes, changes: ChangeSet) -> None:
    table = plan.table
    if changes.removed is not None and table.spec.on_removed == "fail" and not changes.removed.isEmpty():
        raise RunError(
            "GS404",
            f"{plan.driver} lost rows that `{table.name}` has already appended.",
            where=Where(table=table.name),
            hint=f"Rebuild it: `goldsmith run {table.name} --rebuild {table.name}`, or keep the rows: "
            "`on_removed: ignore`.",
        )
