"""Writes the kept rows of a slice in one commit, by the table's load."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.conditions import is_conflict
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import Target, enable_types, enable_widening
from goldsmith.run.context import Run
from goldsmith.run.counting import Measured
from goldsmith.run.loads import load_of
from goldsmith.run.plan import CommitPlan, NewFiles
from goldsmith.run.slices import Slice, column_types
from goldsmith.run.sources.type_changes import widened


@dataclass(frozen=True)
class Written:
    """A commit: its version, and its metadata with the row counts of Delta."""

    version: int
    metadata: CommitMetadata


def write(
    spark: SparkSession,
    run: Run,
    plan: CommitPlan,
    slice_: Slice,
    kept: DataFrame,
    measured: Measured,
    metadata: CommitMetadata,
) -> Written | None:
    """Commits the kept rows; None after a conflict."""
    if plan.log.version() != plan.state.version:
        return None
    if plan.state.exists and enable_types(spark, plan.log, kept.schema):
        return None
    if (
        isinstance(plan, NewFiles)
        and widened(plan, column_types(kept.schema))
        and enable_widening(spark, plan.log)
    ):
        return None
    try:
        _commit(spark, plan, slice_, kept, measured, metadata)
    except Exception as error:
        if not is_conflict(error):
            raise
        return None
    commit = plan.log.own_commit(plan.state.version, run.run_id, plan.counter)
    if commit is None or commit.metadata is None:
        return None
    return Written(commit.version, commit.metadata)


def _commit(
    spark: SparkSession,
    plan: CommitPlan,
    slice_: Slice,
    kept: DataFrame,
    measured: Measured,
    metadata: CommitMetadata,
) -> None:
    load_of(plan.table).write(spark, _target(plan), plan, slice_, kept, measured, metadata)


def _target(plan: CommitPlan) -> Target:
    spec = plan.table.spec
    return Target(
        path=plan.handle.path,
        version=plan.state.version,
        descriptions={name: column.description for name, column in spec.columns.items()},
        properties=spec.properties,
        cluster_by=spec.cluster_by,
    )
