"""Judges quarantined rows again under the rules of today; those that hold enter the table, exactly once.

A row takes the path of a load: as it entered it is shaped, judged and written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.log import NO_TABLE, Bookmark, TableLog, TableState
from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts
from goldsmith.engine.failures import explained, is_bad_value
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
from goldsmith.run.loading import ATTEMPTS
from goldsmith.run.loads import load_of
from goldsmith.run.locks import table_lock
from goldsmith.run.outcome import TableOutcome
from goldsmith.run.plan import Again
from goldsmith.run.quarantined import BY, ENTRY, SINCE, WHY, Rows, chosen, rows_as_entered, unreadable
from goldsmith.run.recovery import claims, recover
from goldsmith.run.retyped import refuse_retyped
from goldsmith.run.slices import FILE_REASONS, Slice, types_of
from goldsmith.run.sources import source_of


@dataclass(frozen=True)
class Released:
    """What a release did. chosen: the entries looked at; released: those that hold now; left: the others.

    superseded: of the released rows, those that lost to a newer row of their key. outcome: for the records,
    where rows were released.
    """

    chosen: int
    released: int
    left: int
    superseded: int = 0
    outcome: TableOutcome | None = None


def release(spark: SparkSession, run: Run, table: Table, where: str | None = None) -> Released:
    """Puts quarantined rows of a table through its rules once more.

    where: SQL over the row's columns as they entered, and `reasons`; all rows where absent. Rows that still
    violate a rule stay as they are. Raises RunError: GS601 for a load whose rows are judged again anyway, GS405
    where a column is declared with another type than the table has, GS502 if another run holds the table;
    DeclarationError GS203 for a condition that cannot be read.
    """
    if not load_of(table).releases:
        raise RunError(
            "GS601",
            f"`{table.load.kind}` judges all rows of `{table.name}` again at each load: there is nothing to release.",
            where=Where(table=table.name),
            hint=f"After a change of the rules: `goldsmith run {table.name} --rebuild {table.name}`.",
        )
    with table_lock(run, table.name):
        for _ in range(ATTEMPTS):
            try:
                done = _release(spark, run, table, where)
            except GoldsmithError:
                raise
            except Exception as error:
                if where is not None and is_bad_value(error):
                    raise unreadable(error) from None
                raise explained(error, table=table.name, path=run.path(table.name)) from error
            if done is not None:
                return done
    raise RunError(
        "GS502",
        f"Other writers of `{table.name}` were faster {ATTEMPTS} times.",
        where=Where(table=table.name),
        retryable=True,
        hint="Run it again when they are done.",
    )


def _release(spark: SparkSession, run: Run, table: Table, where: str | None) -> Released | None:
    """One release. None if another run's commit was made instead."""
    handle = TableHandle.opened(spark, run, table, partial(TableLog, spark))
    quarantine, log, bookmark = handle.quarantine, handle.log, handle.bookmark
    if quarantine.version() < 0 or bookmark is None:
        return Released(0, 0, 0)
    refuse_retyped(table, log, bookmark, source_of(table).retyped_hint(table))
    handle = replace(handle, table=table.resolved(log.types()))
    settled = recover(run, handle)
    piece = _slice(spark, handle, where)
    if piece is None:
        return Released(0, 0, 0)
    plan = Again(handle=handle, reason="release", consumed=bookmark.metadata.consumed)
    judged = judged_slice(spark, run, plan, piece)
    judged = replace(judged, frame=judged.frame.persist())
    try:
        fit = judged.frame.where(F.col(OUTCOME) == "keep")
        kept = fit.drop(*ADDED, *piece.hidden)
        load, schema = load_of(plan.table), kept.schema
        known, counts, _ = measured(judged, load.measures(schema), load.declared.row_key, schema)
        total = counts.rows_in
        ids = [row[ENTRY] for row in fit.select(ENTRY).collect()]
        if not ids:
            return Released(total, 0, total)
        quarantine.mark(run.entries(plan.counter), ids)
        metadata = _metadata(run, plan, bookmark, len(ids), settled.until)
        written = write(spark, run, plan, piece, kept, known, metadata)
        if written is None:
            quarantine.forget(run.entries(plan.counter))
            return None
        since = settled.until if settled.until is not None else NO_TABLE
        quarantine.settle(since, claims(run, log, plan.counter))
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


def _metadata(run: Run, plan: Again, bookmark: Bookmark, rows: int, quarantine: int | None) -> CommitMetadata:
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
    """The chosen rows as a load would have them; None if there are none to choose from."""
    table, log, source = handle.table, handle.log, source_of(handle.table)
    entries = handle.quarantine.entries(handle.state.counter)
    declared = types_of(table)
    folded = {name.lower() for name in declared}
    held = {name: kind for name, kind in log.types().items() if name.lower() not in folded}
    types = {**held, **declared}
    shaped = []
    for rows in rows_as_entered(spark, table, entries, log, source.text_columns()):
        for whole in source.parsed_again(table, rows, types):
            picked = chosen(whole, where, types)
            shaped.append(_shaped(table, picked, types))
    if not shaped:
        return None
    frame = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), shaped)
    return Slice(Shaped(frame, FILE_REASONS), (*source.hidden, ENTRY, FILE_REASONS))


def _shaped(table: Table, rows: Rows, types: Mapping[str, str]) -> DataFrame:
    """Rows in the table's columns and types, with their violations in FILE_REASONS."""
    present = {name.lower() for name in rows.columns}
    missing = [
        f"CAST(NULL AS {kind}) AS {quoted(name)}"
        for name, kind in types.items()
        if name.lower() not in present
    ]
    frame = rows.frame.drop(WHY, SINCE, BY).selectExpr("*", *missing)
    return source_of(table).shaped_again(table, frame, rows, types)
