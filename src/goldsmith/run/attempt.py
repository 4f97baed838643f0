"""One attempt of a load: slice, types, expectations, gate, quarantine, one commit."""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts, VerdictRecord
from goldsmith.engine.delta.quarantine import Reconciled
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.row_literals import groupable
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.checks.columns import EXTRACT_A_VALUE, incomparable
from goldsmith.project.tables import Table
from goldsmith.quality.judge import OUTCOME, Counts
from goldsmith.run.commits import Written, write
from goldsmith.run.context import DataInterval, Run
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
from goldsmith.run.quarantine_limit import limit_records, rejected
from goldsmith.run.recovery import commit_status
from goldsmith.run.reevaluated import reevaluated
from goldsmith.run.sources import source_of


def attempt(spark: SparkSession, run: Run, plan: LoadPlan, reconciled: Reconciled) -> Written | None:
    """Loads one slice in one commit. None after a conflict with another run's commit."""
    source = source_of(plan.table)
    slice_ = source.rows(spark, run, plan)
    if plan.table.columns is None or plan.table.code is not None:
        # The case of the table's column names is only known now.
        resolved = plan.table.resolved(slice_.shaped.frame.columns)
        plan = replace(plan, handle=replace(plan.handle, table=resolved))
    table = plan.table
    cached: list[DataFrame] = list(slice_.persisted)
    try:
        judged = judged_slice(spark, run, plan, slice_)
        judged = replace(judged, frame=judged.frame.persist())
        cached.append(judged.frame)
        kept = judged.frame.where(f"{OUTCOME} = 'keep'").drop(*ADDED, *slice_.hidden)
        schema = kept.schema
        _refuse_incomparable(table, schema)
        source.check_types(plan, schema)
        load = load_of(table)
        known, counts, verdicts = measured(judged, load.measures(schema), load.counted_key, schema)
        run.landing.unchanged(files_of(plan), table=table.name)
        records = verdict_records(run, table, judged, verdicts)
        records += limit_records(run, table, judged, counts)
        gate(table, records, lambda: rejected(judged))
        quarantine = plan.handle.quarantine
        removed = reevaluated(spark, plan, slice_)
        quarantined, valid_until = 0, reconciled.until
        if counts.quarantined or removed:
            added = quarantine.add(
                judged.frame, entry_columns(judged), run.entry_batch(plan.counter), removed=removed
            )
            quarantined, valid_until = added.rows, reconciled.with_own(added, len(removed))
        metadata = _metadata(run, plan, counts, quarantined, records, valid_until)
        if slice_.change_rows is not None:
            filtered = slice_.change_rows - counts.rows_in
            metadata = replace(metadata, counts=replace(metadata.counts, filtered=filtered))
        written = write(spark, run, plan, slice_, kept, known, metadata)
        if written is None:
            quarantine.discard(run.entry_batch(plan.counter))
        elif removed or reconciled.pending:
            since = reconciled.until if reconciled.until is not None else NO_TABLE
            quarantine.reconcile(since, commit_status(run, plan.log, plan.counter))
        if written is not None and not written.metadata.counts.balanced:
            raise unbalanced(table, written.metadata.counts)
        return written
    finally:
        for frame in cached:
            frame.unpersist()


def _refuse_incomparable(table: Table, schema: StructType) -> None:
    wanted = {name.lower() for name in table.load.compared}
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
    quarantined: int,
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
        pulled=plan.pulled if isinstance(plan, NewFiles) else None,
        quarantine=quarantine,
        voided=bookmark.metadata.voided if bookmark else (),
        counts=RowCounts(rows_in=counts.rows_in, quarantined=quarantined, dropped=counts.dropped),
        verdicts=records,
        interval=_interval(run, plan),
        started=run.started.isoformat(),
    )


def _interval(run: Run, plan: LoadPlan) -> tuple[str, str] | None:
    day = DataInterval.of(plan.day, None) if isinstance(plan, NewFiles) else None
    interval = day or run.interval
    return interval.as_text if interval else None


def unbalanced(table: Table, counts: RowCounts) -> GoldsmithError:
    """The error for a commit whose row counts do not add up."""
    return RunError(
        "GS503",
        f"`{table.name}`: {counts.rows_in:,} rows were read, but {counts.written:,} written + {counts.quarantined:,} "
        f"quarantined + {counts.dropped:,} dropped + {counts.superseded:,} superseded rows do not add up to that.",
        where=Where(table=table.name),
        hint=f"Rebuild it, since it may be wrong: `goldsmith run {table.name} --rebuild {table.name}`. Report this error.",
    )
