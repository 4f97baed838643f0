"""The run protocol of one table: slice, shape, judge, gate, side tables, one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.changes import read_table
from goldsmith.engine.delta.entered import AS_ENTERED, BAD
from goldsmith.engine.delta.log import NO_TABLE, Bookmark, TableLog, TableState
from goldsmith.engine.delta.merging import NULL_KEY, null_key
from goldsmith.engine.delta.metadata import CommitMetadata, Mode, RowCounts, VerdictRecord
from goldsmith.engine.delta.quarantine import Claim, Quarantine, Settled
from goldsmith.engine.failures import explained, is_bad_value, is_conflict, is_history_gone
from goldsmith.engine.launch.session import sized
from goldsmith.engine.literals import groupable
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.checks.columns import TAKE_A_PART, incomparable
from goldsmith.project.expectations import Expectation
from goldsmith.project.loads import Append, Merge
from goldsmith.project.sql.literals import literal
from goldsmith.project.tables import Table
from goldsmith.quality.judge import OUTCOME, REASONS, Counts, Judged, judge
from goldsmith.run.commits import Written, write
from goldsmith.run.context import Run
from goldsmith.run.counting import known_of
from goldsmith.run.describing import describe
from goldsmith.run.gate import gate, verdict_records
from goldsmith.run.plan import Plan
from goldsmith.run.planning import plan_table
from goldsmith.run.planning_files import refuse_types_of_files
from goldsmith.run.slices import FILE_REASONS, Slice, TooMuchTouched, slice_of
from goldsmith.run.taking_back import entries_taken_back

ATTEMPTS = 10
"""How often a load is planned again because another writer committed first."""

ADDED = (REASONS, OUTCOME, BAD, AS_ENTERED)
"""Columns that shaping and judging add to a row."""


@dataclass(frozen=True)
class Loaded:
    """What a table's loads did. reason: the first plan's. counter: of the table's last commit."""

    reason: str
    commits: tuple[CommitMetadata, ...] = ()
    versions: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    counter: int = 0
    table_id: str = ""


def load_table(spark: SparkSession, run: Run, table: Table) -> Loaded:
    """Brings a table up to date with its sources as they are now; does nothing where it is.

    Several drivers are applied one after the other, a commit each. Raises GoldsmithError: GateStopped for a
    gate, others for failures; in each case the table is as it was.
    """
    done = Loaded("")
    attempts = 0
    force_full: str | None = None
    while True:
        plan = plan_table(spark, run, table, force_full=force_full)
        done = replace(done, reason=done.reason or plan.reason)
        if plan.warning:
            done = replace(done, warnings=(*done.warnings, plan.warning))
        settled = put_in_order(spark, run, table, plan.log, plan.state, plan.bookmark)
        if plan.action == "nothing":
            if plan.state.exists:
                describe(spark, run, table, plan.log)
            return replace(done, counter=plan.state.counter, table_id=plan.state.id)
        before = plan.log.types() if plan.state.exists else {}
        try:
            with sized(spark, plan.bytes, run.project.profile(run.profile).spark.conf):
                taken = _load_once(spark, run, plan, settled)
        except TooMuchTouched as reason:
            force_full = str(reason)
            continue
        except GoldsmithError:
            raise
        except Exception as error:
            if is_conflict(error):
                taken = None
            elif is_history_gone(error) and plan.driver is not None:
                force_full = f"the history of {plan.driver} is gone"
                done = replace(
                    done, warnings=(*done.warnings, f"the changes of {plan.driver} can no longer be read")
                )
                continue
            elif is_bad_value(error) and plan.driver is not None and not isinstance(table.load, Append):
                # Keys are sought among all rows of the driver, also those that the query leaves out.
                force_full = (
                    f"the changes of {plan.driver} cannot be confined: {table.name} failed on a value"
                )
                told = (
                    f"{force_full} ({explained(error, table=table.name, path=run.path(table.name)).message})"
                )
                done = replace(done, warnings=(*done.warnings, told))
                continue
            else:
                # What Spark says of a file that was taken away under it depends on the moment.
                run.landing.unchanged(plan.loaded, table=table.name)
                raise explained(error, table=table.name, path=run.path(table.name)) from error
        if taken is None:
            attempts += 1
            if attempts == ATTEMPTS:
                raise RunError(
                    "GS502",
                    f"Other writers of `{table.name}` were faster {ATTEMPTS} times.",
                    where=Where(table=table.name),
                    retryable=True,
                    hint="Run it again when they are done.",
                )
            continue
        done = replace(
            done,
            reason=done.reason + _new_columns(before, plan.log),
            commits=(*done.commits, taken.metadata),
            versions=(*done.versions, taken.version),
        )
        passed_over = taken.version > plan.state.version + 1 and plan.action == "incremental"
        if not plan.more and not passed_over:
            table_id, _ = plan.log.identity()
            describe(spark, run, table, plan.log)
            return replace(done, counter=plan.counter, table_id=table_id)
        # What another program committed in between is found by the next plan.
        force_full = None


def _new_columns(before: Mapping[str, str], log: TableLog) -> str:
    """What a load's reason says of columns that came to a table; before: its columns, none where it is new."""
    new = [name for name in log.types() if name not in before] if before else []
    if not new:
        return ""
    return f"; new {'column' if len(new) == 1 else 'columns'} {', '.join(new)}"


def put_in_order(
    spark: SparkSession, run: Run, table: Table, log: TableLog, state: TableState, bookmark: Bookmark | None
) -> Settled:
    """Mends a table's quarantine after a run that was killed or came second, and after a RESTORE."""
    quarantine = Quarantine(spark, run.quarantine_path(table.name))
    base = bookmark.metadata.quarantine if bookmark else None
    settled = quarantine.settle(base if base is not None else NO_TABLE, claims(run, log, state.counter))
    if bookmark is not None and bookmark.restored:
        quarantine.remove_void(bookmark.metadata.voided)
    return settled


def claims(run: Run, log: TableLog, last: int) -> Callable[[str, int], Claim]:
    """Tells what became of the commit that a run meant to make. last: the counter of the table's last commit."""

    def claim(run_id: str, counter: int) -> Claim:
        if counter > last:
            return "open" if run.meets_others else "void"
        since = log.committed_since(counter - 1)
        made = next((commit for commit in since if commit.counter == counter), None)
        # A commit that has left the log was settled when it was the last one.
        return "taken" if made is None or made.run_id == run_id else "void"

    return claim


def _load_once(spark: SparkSession, run: Run, plan: Plan, settled: Settled) -> Written | None:
    """One slice, one commit. None where another run's commit was taken instead."""
    piece = slice_of(spark, run, plan)
    if plan.table.columns is None or plan.table.code is not None:
        # Only now is it known how the columns are spelt.
        plan = replace(plan, table=plan.table.resolved(piece.shaped.frame.columns))
    table = plan.table
    cached: list[DataFrame] = list(piece.persisted)
    try:
        judged = judged_slice(spark, run, plan, piece)
        judged = replace(judged, frame=judged.frame.persist())
        cached.append(judged.frame)
        kept = judged.frame.where(f"{OUTCOME} = 'keep'").drop(*ADDED, *piece.hidden)
        schema = kept.schema
        _refuse_incomparable(table, schema)
        if table.spec.source is not None and plan.action == "incremental":
            refuse_types_of_files(table, plan.log.types(), schema)
        known, counts, verdicts = known_of(judged, table.load, schema)
        run.landing.unchanged(plan.loaded, table=table.name)
        records = verdict_records(run, table, judged, verdicts)
        gate(table, records)
        quarantine = Quarantine(spark, run.quarantine_path(table.name))
        taken_back = entries_taken_back(spark, plan, piece, quarantine)
        held, vouched = 0, settled.until
        if counts.quarantined or taken_back:
            wrote = quarantine.hold(
                judged.frame, _content(judged), run.entries(plan.counter), takes_back=taken_back
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
                hint=TAKE_A_PART,
            )


def _content(judged: Judged) -> list[str]:
    """The columns that a quarantined row is kept with."""
    left_out = {*ADDED, FILE_REASONS}
    return [name for name in judged.frame.columns if name not in left_out]


def judged_slice(spark: SparkSession, run: Run, plan: Plan, piece: Slice) -> Judged:
    """The slice's rows with what they violate and what becomes of them."""
    table = plan.table
    expectations = [
        expectation.model_copy(update={"otherwise": "warn"})
        if run.accepted.covers(table.name, expectation.name)
        else expectation
        for expectation in table.spec.expectations
    ]
    reasons = piece.shaped.reasons
    if isinstance(table.load, Merge):
        missing = f"IF({null_key(table.load)}, array({literal(NULL_KEY)}), CAST(array() AS array<string>))"
        reasons = f"concat({reasons}, {missing})"
    judged = judge(
        piece.shaped.frame, expectations, reasons=reasons, lookups=_lookups(spark, run, plan, expectations)
    )
    if AS_ENTERED not in piece.shaped.frame.columns:
        return judged
    # Only the quarantine takes it: the rows that are kept need not carry their former values.
    needed = f"IF({OUTCOME} = 'quarantine', {AS_ENTERED}, NULL) AS {AS_ENTERED}"
    return replace(judged, frame=judged.frame.selectExpr(f"* EXCEPT ({AS_ENTERED})", needed))


def _lookups(
    spark: SparkSession, run: Run, plan: Plan, expectations: Sequence[Expectation]
) -> dict[str, DataFrame]:
    """The tables that references look up: at the version that the plan pins, else the newest.

    A driver whose turn has not come is looked up as it is now: its new rows are loaded by the same run.
    """
    named = {str(e.arguments["table"]) for e in expectations if e.kind == "expect_column_values_to_exist_in"}
    frames = {}
    for name in named:
        log = TableLog(spark, run.path(name))
        pinned = plan.references.get(name)
        version = log.version()
        if version == NO_TABLE:
            raise RunError(
                "GS307",
                f"`{name}`, which rows are held against, has not been loaded yet.",
                where=Where(table=plan.table.name),
                hint=f"Load it first: `goldsmith run {name}`.",
                retryable=True,
            )
        frames[name] = read_table(spark, run.path(name), pinned.version if pinned else version)
    return frames


def _metadata(
    run: Run,
    plan: Plan,
    counts: Counts,
    held: int,
    records: tuple[VerdictRecord, ...],
    quarantine: int | None,
) -> CommitMetadata:
    modes: dict[str, Mode] = {
        "first": "first",
        "incremental": "incremental",
        "full": "full",
        "rebuild": "rebuild",
    }
    return CommitMetadata(
        table=plan.table.name,
        run_id=run.run_id,
        counter=plan.counter,
        mode=modes[plan.action],
        definition=plan.table.definition,
        consumed=dict(plan.consumed),
        files=plan.loaded,
        listing=plan.listing,
        quarantine=quarantine,
        voided=plan.bookmark.metadata.voided if plan.bookmark else (),
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
