"""One attempt of a load: slice, shape, judge, gate, quarantine, one commit."""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.log import NO_TABLE
from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts, VerdictRecord
from goldsmith.engine.delta.quarantine import Settled
from goldsmith.engine.literals import groupable
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.checks.columns import EXTRACT_A_VALUE, incomparable
from goldsmith.project.tables import Table
from goldsmith.quality.judge import OUTCOME, Counts
from goldsmith.run.commits import Written, write
from goldsmith.run.context import Run
from goldsmith.run.counting import measured
from goldsmith.run.gate import gate, verdict_records
from goldsmith.run.judging import ADDED, entry_columns, judged_slice
from goldsmith.run.loads import load_of
from goldsmith.run.plan import (
    LoadPlan,
    NewFiles,
    consumed_by,
    files_of,
)
from goldsmith.run.recovery import claims
from goldsmith.run.reevaluated import reevaluated
from goldsmith.run.sources import source_of


def attempt(spark: SparkSession, run: Run, plan: LoadPlan, settled: Settled) -> Written | None:
    """One slice, one commit. None if another run's commit was taken instead."""
    source = source_of(plan.table)
    piece = source.rows(spark, run, plan)
    if plan.table.columns is None or plan.table.code is not None:
        # Only now is it known how the columns are spelt.
        resolved = plan.table.resolved(piece.shaped.frame.columns)
        plan = replace(plan, handle=replace(plan.handle, table=resolved))
    table = plan.table
    cached: list[DataFrame] = list(piece.persisted)
    try:
        judged = judged_slice(spark, run, plan, piece)
        judged = replace(judged, frame=judged.frame.persist())
        cached.append(judged.frame)
        kept = judged.frame.where(f"{OUTCOME} = 'keep'").drop(*ADDED, *piece.hidden)
        schema = kept.schema
        _refuse_incomparable(table, schema)
        source.check_types(plan, schema)
        measures = load_of(table).measures(schema)
        known, counts, verdicts = measured(judged, measures, table.load.row_key, schema)
        run.landing.unchanged(files_of(plan), table=table.name)
        records = verdict_records(run, table, judged, verdicts)
        gate(table, records)
        quarantine = plan.handle.quarantine
        taken_back = reevaluated(spark, plan, piece)
        held, vouched = 0, settled.until
        if counts.quarantined or taken_back:
            wrote = quarantine.hold(
                judged.frame, entry_columns(judged), run.entries(plan.counter), takes_back=taken_back
            )
            held, vouched = wrote.rows, settled.with_own(wrote, len(taken_back))
        metadata = _metadata(run, plan, counts, held, records, vouched)
        if piece.change_rows is not None:
            left_out = piece.change_rows - counts.rows_in
            metadata = replace(metadata, counts=replace(metadata.counts, filtered=left_out))
        written = write(spark, run, plan, piece, kept, known, metadata)
        if written is None:
            quarantine.forget(run.entries(plan.counter))
        elif taken_back or settled.open:
            since = settled.until if settled.until is not None else NO_TABLE
            quarantine.settle(since, claims(run, plan.log, plan.counter))
        if written is not None and not written.metadata.counts.balanced:
            raise unbalanced(table, written.metadata.counts)
        return written
    finally:
        for frame in cached:
            frame.unpersist()


def _refuse_incomparable(table: Table, schema: StructType) -> None:
    wanted = {name.lower() for name in table.load.named}
    for field in schema.fields:
        if field.name.lower() in wanted and not groupable(field.dataType):
            raise RunError(
                "GS110",
                incomparable(field.name, field.dataType.simpleString()),
                where=table.where("load", table.load.kind),
                hint=EXTRACT_A_VALUE,
            )


def _metadata(
    run: Run,
    plan: LoadPlan,
    counts: Counts,
    held: int,
    records: tuple[VerdictRecord, ...],
    quarantine: int | None,
) -> CommitMetadata:
    bookmark = plan.handle.bookmark
    return CommitMetadata(
        table=plan.table.name,
        run_id=run.run_id,
        counter=plan.counter,
        mode=plan.action,
        definition=plan.table.definition,
        consumed=dict(consumed_by(plan)),
        files=files_of(plan),
        listing=plan.listing if isinstance(plan, NewFiles) else None,
        quarantine=quarantine,
        voided=bookmark.metadata.voided if bookmark else (),
        counts=RowCounts(rows_in=counts.rows_in, quarantined=held, dropped=counts.dropped),
        verdicts=records,
        interval=run.interval.as_text if run.interval else None,
        started=run.started.isoformat(),
    )


def unbalanced(table: Table, counts: RowCounts) -> GoldsmithError:
    """The error for a commit in which not every row is accounted for."""
    return RunError(
        "GS503",
        f"`{table.name}`: {counts.rows_in:,} rows came in, and {counts.written:,} written + {counts.quarantined:,} quarantined + "
        f"{counts.dropped:,} dropped + {counts.superseded:,} superseded do not make that.",
        where=Where(table=table.name),
        hint=f"The table may be wrong. Rebuild it: `goldsmith run {table.name} --rebuild {table.name}`, and report this.",
    )
