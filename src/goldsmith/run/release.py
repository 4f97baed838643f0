"""Releases quarantined rows: re-evaluates them, and loads those that pass, exactly once.

A row is loaded as any other: its original values are cast, evaluated and written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.conditions import is_bad_value
from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts
from goldsmith.engine.delta.state import NO_TABLE, Bookmark, TableState
from goldsmith.engine.failures import explained
from goldsmith.engine.ingest.shape import Shaped
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import Table
from goldsmith.quality.judge import OUTCOME
from goldsmith.run.attempt import unbalanced
from goldsmith.run.commits import Written, write
from goldsmith.run.context import Run
from goldsmith.run.counting import measured
from goldsmith.run.handle import TableHandle
from goldsmith.run.judging import ADDED, judged_slice
from goldsmith.run.loads import load_of
from goldsmith.run.locks import table_lock
from goldsmith.run.outcome import TableOutcome
from goldsmith.run.plan import ReleasePlan
from goldsmith.run.planners import planner_of
from goldsmith.run.quarantined import (
    BY,
    ENTRY,
    SINCE,
    WHY,
    QuarantinedRows,
    filtered,
    invalid_condition,
    original_rows,
)
from goldsmith.run.recovery import commit_status, recover
from goldsmith.run.slices import FILE_REASONS, Slice, types_of
from goldsmith.run.sources import source_of
from goldsmith.run.table_loading import ATTEMPTS
from goldsmith.run.type_check import check_types_unchanged


@dataclass(frozen=True)
class Released:
    """The result of a release. chosen: selected entries. released: those that pass now. left: the others.

    superseded: released rows that are superseded by a newer row of their key. outcome: for the records, if rows were
    released.
    """

    chosen: int
    released: int
    left: int
    superseded: int = 0
    outcome: TableOutcome | None = None


def release(spark: SparkSession, run: Run, table: Table, where: str | None = None) -> Released:
    """Re-evaluates quarantined rows of a table, and loads those that pass.

    where: SQL over the row's original columns and `reasons`; by default all rows. Rows that still violate an
    expectation stay in the quarantine. Raises RunError: GS601 for a load that cannot release rows, GS405 if
    the declared type of a column differs from the table's, GS502 if another run has locked the table;
    DeclarationError GS203 for an invalid condition.
    """
    load = load_of(table)
    if not load.can_release:
        raise RunError(
            "GS601",
            f"Rows of `{table.name}` cannot be released: its load is `{table.load.kind}`, and {load.no_release}.",
            where=Where(table=table.name),
            hint=f"After a change of expectations run `goldsmith run {table.name} --rebuild {table.name}`.",
        )
    with table_lock(run, table.name):
        for _ in range(ATTEMPTS):
            try:
                done = _release(spark, run, table, where)
            except GoldsmithError:
                raise
            except Exception as error:
                if where is not None and is_bad_value(error):
                    raise invalid_condition(error) from None
                raise explained(error, table=table.name, path=run.path(table.name)) from error
            if done is not None:
                return done
    raise RunError(
        "GS502",
        f"Gave up after {ATTEMPTS} conflicts with other writers of `{table.name}`.",
        where=Where(table=table.name),
        retryable=True,
        hint="Run it again when the other writers have finished.",
    )


def _release(spark: SparkSession, run: Run, table: Table, where: str | None) -> Released | None:
    """One attempt of a release. None after a conflict with another run's commit."""
    handle = TableHandle.opened(spark, run, table)
    quarantine, log, bookmark = handle.quarantine, handle.log, handle.bookmark
    if quarantine.version() < 0 or bookmark is None:
        return Released(0, 0, 0)
    check_types_unchanged(table, log, bookmark, planner_of(table).type_change_hint(table))
    handle = replace(handle, table=table.resolved(log.types()))
    reconciled = recover(run, handle)
    slice_ = _slice(spark, handle, where)
    if slice_ is None:
        return Released(0, 0, 0)
    plan = ReleasePlan(handle=handle, reason="release", consumed=bookmark.metadata.consumed)
    judged = judged_slice(spark, run, plan, slice_)
    judged = replace(judged, frame=judged.frame.persist())
    try:
        passing = judged.frame.where(F.col(OUTCOME) == "keep")
        kept = passing.drop(*ADDED, *slice_.hidden)
        load, schema = load_of(plan.table), kept.schema
        known, counts, _ = measured(judged, load.measures(schema), load.counted_key, schema)
        total = counts.rows_in
        ids = [row[ENTRY] for row in passing.select(ENTRY).collect()]
        if not ids:
            return Released(total, 0, total)
        quarantine.mark(run.entry_batch(plan.counter), ids)
        metadata = _metadata(run, plan, bookmark, len(ids), reconciled.until)
        written = write(spark, run, plan, slice_, kept, known, metadata)
        if written is None:
            quarantine.discard(run.entry_batch(plan.counter))
            return None
        since = reconciled.until if reconciled.until is not None else NO_TABLE
        quarantine.reconcile(since, commit_status(run, log, plan.counter))
        return _released(plan.table, handle.state, written, total)
    finally:
        judged.frame.unpersist()


def _released(table: Table, state: TableState, written: Written, total: int) -> Released:
    counts = written.metadata.counts
    if not counts.balanced:
        raise unbalanced(table, counts)
    outcome = TableOutcome(
        table.name,
        "done",
        "released",
        (written.metadata,),
        (written.version,),
        counter=written.metadata.counter,
        table_id=state.id,
    )
    return Released(total, counts.rows_in, total - counts.rows_in, counts.superseded, outcome)


def _metadata(
    run: Run, plan: ReleasePlan, bookmark: Bookmark, rows: int, quarantine: int | None
) -> CommitMetadata:
    return replace(
        bookmark.metadata,
        run_id=run.run_id,
        counter=plan.counter,
        mode="release",
        files=(),
        merged=None,
        verdicts=(),
        quarantine=quarantine,
        counts=RowCounts(rows_in=rows),
        interval=run.interval.as_text if run.interval else None,
        started=run.started.isoformat(),
    )


def _slice(spark: SparkSession, handle: TableHandle, where: str | None) -> Slice | None:
    """The selected rows as the slice of a load; None if the quarantine is empty."""
    table, log, source = handle.table, handle.log, source_of(handle.table)
    entries = handle.quarantine.entries(handle.state.counter)
    declared = types_of(table)
    folded = {name.lower() for name in declared}
    others = {name: kind for name, kind in log.types().items() if name.lower() not in folded}
    types = {**others, **declared}
    shaped = []
    for rows in original_rows(spark, table, entries, log, source.text_columns()):
        for whole in source.reparsed(table, rows, types):
            picked = filtered(whole, where, types)
            shaped.append(_shaped(table, picked, types))
    if not shaped:
        return None
    frame = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), shaped)
    return Slice(Shaped(frame, FILE_REASONS), (*source.hidden, ENTRY, FILE_REASONS))


def _shaped(table: Table, rows: QuarantinedRows, types: Mapping[str, str]) -> DataFrame:
    """Rows cast to the table's columns and types, with violations in FILE_REASONS."""
    present = {name.lower() for name in rows.columns}
    missing = [
        f"CAST(NULL AS {kind}) AS {quoted(name)}"
        for name, kind in types.items()
        if name.lower() not in present
    ]
    frame = rows.frame.drop(WHY, SINCE, BY).selectExpr("*", *missing)
    return source_of(table).reshaped(table, frame, rows, types)
