"""The load `overwrite_partitions`: recomputes the values of `by` that changes touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pyspark.sql import DataFrame, SparkSession
from typing_extensions import override

from goldsmith.engine.delta.changes import changed_rows
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import Target, replace_where
from goldsmith.engine.row_literals import Literals, has_floating, in_values, literal_of
from goldsmith.project.loads.overwrite_partitions import OverwritePartitions
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.loads.base import LoadStrategy, as_declared, replace_all
from goldsmith.run.plan import Changes, CommitPlan
from goldsmith.run.query import computed
from goldsmith.run.slices import NeedsFullLoad, Slice, TouchedValues

MAX_VALUES = 1000
"""The greatest number of touched values that are replaced; with more, the whole table is written."""


class OverwritePartitionsStrategy(LoadStrategy[OverwritePartitions]):
    """Replaces the rows whose `by` values the driver's changes touch."""

    reads_beyond_changes: ClassVar[bool] = True

    @override
    def incremental_rows(
        self, spark: SparkSession, run: Run, plan: Changes, pinned: Mapping[str, DataFrame]
    ) -> Slice:
        table, by = plan.table, self.declared.by
        driver = pinned[plan.driver]
        expressions = [_by_expression(table, driver, plan.driver, name) for name in by]
        values = run.shared.get(
            ("touched", plan.driver, plan.span, *expressions),
            lambda: _touched_values(spark, run, plan, expressions),
        )
        if len(values) > MAX_VALUES:
            raise NeedsFullLoad(f"{plan.driver} changed more than {MAX_VALUES} values of {', '.join(by)}")
        found = [f"_gs_by_{at}" for at in range(len(by))]
        marked = driver.selectExpr(
            "*", *[f"{e} AS {name}" for name, e in zip(found, expressions, strict=True)]
        )
        restricted = marked.where(in_values(found, values)).drop(*found)
        shaped = computed(spark, table, {**pinned, plan.driver: restricted})
        return Slice(shaped, touched=TouchedValues(by, values))

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
        if isinstance(slice_.touched, TouchedValues):
            replace_where(target, kept, in_values(self.declared.by, slice_.touched.values), metadata)
        else:
            replace_all(spark, target, kept, metadata)


def _by_expression(table: Table, rows: DataFrame, driver: str, name: str) -> str:
    """A column of `by` as SQL over the driver's rows, in its declared type."""
    traced = table.traced(driver, name)
    if traced is None:
        raise NeedsFullLoad(f"{name} cannot be traced to {driver} alone")
    declared = as_declared(table, rows, traced, name)
    computed_as, stored_as = (rows.selectExpr(sql).schema[0].dataType for sql in (traced, declared))
    if stored_as != computed_as and has_floating(computed_as) and "string" in stored_as.simpleString():
        # GROUP BY and joins have both in one group, with the text of one of them.
        raise NeedsFullLoad(f"{name} is stored as text, in which the equal numbers 0.0 and -0.0 differ")
    return declared


def _touched_values(
    spark: SparkSession, run: Run, plan: Changes, expressions: Sequence[str]
) -> tuple[Literals, ...]:
    """The distinct values of the expressions over the driver's changed rows; at most MAX_VALUES + 1."""
    names = [f"_gs_by_{at}" for at in range(len(expressions))]
    found = [f"{e} AS {name}" for e, name in zip(expressions, names, strict=True)]
    changes = changed_rows(spark, run.path(plan.driver), plan.span).selectExpr(*found)
    literals = [f"{literal_of(name, changes.schema[name].dataType)} AS {name}" for name in names]
    return tuple(map(tuple, changes.distinct().limit(MAX_VALUES + 1).selectExpr(*literals).collect()))
