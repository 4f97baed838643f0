"""Writes a slice's kept rows by the table's load, in one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.columns import named
from goldsmith.engine.delta.merging import Newest, merge_newest, newest, null_key, removing, survivors
from goldsmith.engine.delta.metadata import CommitMetadata, Merged
from goldsmith.engine.delta.writing import Target, admit, append, make_clustered, overwrite, replace_where
from goldsmith.engine.failures import is_conflict
from goldsmith.engine.literals import among
from goldsmith.project.loads import Merge, Overwrite
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.counting import Known
from goldsmith.run.plan import Plan
from goldsmith.run.slices import Slice


@dataclass(frozen=True)
class Written:
    """A commit that was taken: its version, and its metadata with the rows that Delta counted."""

    version: int
    metadata: CommitMetadata


def write(
    spark: SparkSession,
    run: Run,
    plan: Plan,
    piece: Slice,
    kept: DataFrame,
    known: Known,
    metadata: CommitMetadata,
) -> Written | None:
    """Commits the kept rows; None where the table is no longer as it was planned from."""
    if plan.log.version() != plan.state.version:
        return None
    if plan.state.exists and admit(plan.log, kept.schema):
        return None
    try:
        _commit(spark, run, plan, piece, kept, known, metadata)
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
    run: Run,
    plan: Plan,
    piece: Slice,
    kept: DataFrame,
    known: Known,
    metadata: CommitMetadata,
) -> None:
    table, target = plan.table, _target(run, plan)
    if isinstance(table.load, Merge):
        _write_merge(spark, plan, piece, newest(kept, table.load), known, target, table.load, metadata)
    elif plan.action == "incremental" and piece.values is not None:
        assert not isinstance(table.load, Overwrite)
        replace_where(target, kept, among(_by(table), piece.values), metadata)
    elif plan.action == "incremental":
        append(target, kept, metadata)
    elif isinstance(table.load, Overwrite):
        _write_whole(spark, plan, kept, known, target, metadata)
    else:
        _replace(spark, target, kept, metadata)


def _by(table: Table) -> tuple[str, ...]:
    load = table.load
    assert load.kind == "overwrite_partitions"
    return load.by


def _target(run: Run, plan: Plan) -> Target:
    spec = plan.table.spec
    return Target(
        path=run.path(plan.table.name),
        version=plan.state.version,
        descriptions={name: column.description for name, column in spec.columns.items()},
        properties=spec.properties,
        cluster_by=spec.cluster_by,
    )


def _replace(spark: SparkSession, target: Target, rows: DataFrame, metadata: CommitMetadata) -> None:
    overwrite(make_clustered(spark, target, rows), rows, metadata)


def _write_merge(
    spark: SparkSession,
    plan: Plan,
    piece: Slice,
    found: Newest,
    known: Known,
    target: Target,
    load: Merge,
    metadata: CommitMetadata,
) -> None:
    superseded = known.rows - known.keys
    if plan.action != "incremental":
        removed = removing(found) if load.delete_when is not None else 0
        counts = replace(metadata.counts, superseded=superseded + removed)
        _replace(spark, target, survivors(found), replace(metadata, counts=counts))
        return
    gone = _gone(spark, target, piece.touched, found, load) if piece.touched is not None else 0
    if known.rows == 0 and piece.touched is None:
        # Nothing to merge: the bookmark alone moves on, without a look at the table's files.
        append(target, survivors(found).limit(0), metadata)
        return
    merged = Merged(known.keys, superseded, piece.touched is not None, gone)
    merge_newest(spark, target, found, known.ranges, load, piece.touched, replace(metadata, merged=merged))


def _gone(spark: SparkSession, target: Target, touched: DataFrame, found: Newest, load: Merge) -> int:
    """How many rows the table holds whose keys have no row upstream any more."""
    keys = found.frame.select(*named(load.key))
    left = touched.where(f"NOT ({null_key(load)})").distinct().join(keys, list(load.key), "left_anti")
    return spark.read.format("delta").load(target.path).join(left, list(load.key), "left_semi").count()


def _write_whole(
    spark: SparkSession, plan: Plan, kept: DataFrame, known: Known, target: Target, metadata: CommitMetadata
) -> None:
    """Replaces the table, unless it holds the same rows already: then only the bookmark moves on."""
    former = plan.bookmark.metadata.content if plan.bookmark and not plan.bookmark.metadata.voided else None
    stamped = replace(metadata, content=known.content)
    if former == known.content and plan.action == "full":
        append(target, kept.limit(0), replace(stamped, counts=replace(stamped.counts, superseded=known.rows)))
    else:
        _replace(spark, target, kept, stamped)
