"""Judges quarantined rows again under the rules of today; those that hold enter the table, exactly once.

A row takes the path of a load: as it entered it is shaped, judged and written.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.entered import AS_ENTERED
from goldsmith.engine.delta.log import NO_TABLE, Bookmark, TableLog, TableState
from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts
from goldsmith.engine.delta.quarantine import Quarantine
from goldsmith.engine.failures import explained, is_bad_value
from goldsmith.engine.ingest.files import HEADER, Delivered, declared_type
from goldsmith.engine.ingest.parsing import MALFORMED, csv_record, json_record, reader_options
from goldsmith.engine.ingest.shape import Shaped, shape
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.loads import Append, Merge
from goldsmith.project.sources import SYSTEM_COLUMNS
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import Table
from goldsmith.quality.judge import OUTCOME
from goldsmith.run.commits import Written, write
from goldsmith.run.context import Run
from goldsmith.run.counting import known_of
from goldsmith.run.loading import ADDED, ATTEMPTS, claims, judged_slice, put_in_order, unbalanced
from goldsmith.run.locks import table_lock
from goldsmith.run.outcome import TableOutcome
from goldsmith.run.plan import Plan
from goldsmith.run.planning_files import refuse_other_types
from goldsmith.run.quarantined import BY, ENTRY, SINCE, WHY, Rows, chosen, rows_as_entered, unreadable
from goldsmith.run.slices import FILE_REASONS, Slice, shaped_delivery, types_of


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
    where a column is declared with another type than the table has, GS502 where another run holds the table;
    DeclarationError GS203 for a condition that cannot be read.
    """
    if not isinstance(table.load, Append | Merge):
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
    """One release. None where another run's commit was made instead."""
    quarantine = Quarantine(spark, run.quarantine_path(table.name))
    log = TableLog(spark, run.path(table.name))
    state = log.state()
    bookmark = log.bookmark(state) if state.exists else None
    if quarantine.version() < 0 or bookmark is None:
        return Released(0, 0, 0)
    refuse_other_types(table, log, bookmark)
    table = table.resolved(log.types())
    settled = put_in_order(spark, run, table, log, state, bookmark)
    piece = _slice(spark, table, quarantine.entries(state.counter), log, where)
    if piece is None:
        return Released(0, 0, 0)
    plan = _plan(table, log, state, bookmark)
    judged = judged_slice(spark, run, plan, piece)
    judged = replace(judged, frame=judged.frame.persist())
    try:
        fit = judged.frame.where(F.col(OUTCOME) == "keep")
        kept = fit.drop(*ADDED, *piece.hidden)
        known, counts, _ = known_of(judged, table.load, kept.schema)
        total = counts.rows_in
        ids = [row[ENTRY] for row in fit.select(ENTRY).collect()]
        if not ids:
            return Released(total, 0, total)
        quarantine.mark(run.entries(plan.counter), ids)
        metadata = _metadata(run, plan, len(ids), settled.until)
        written = write(spark, run, plan, piece, kept, known, metadata)
        if written is None:
            quarantine.forget(run.entries(plan.counter))
            return None
        since = settled.until if settled.until is not None else NO_TABLE
        quarantine.settle(since, claims(run, log, plan.counter))
        return _released(table, state, written, total)
    finally:
        judged.frame.unpersist()


def _plan(table: Table, log: TableLog, state: TableState, bookmark: Bookmark) -> Plan:
    consumed = bookmark.metadata.consumed
    return Plan(
        table,
        "incremental",
        "release",
        log,
        state,
        bookmark,
        upstreams=consumed,
        consumed=consumed,
        references=consumed,
    )


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


def _metadata(run: Run, plan: Plan, rows: int, quarantine: int | None) -> CommitMetadata:
    assert plan.bookmark is not None
    return replace(
        plan.bookmark.metadata,
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


def _slice(
    spark: SparkSession, table: Table, entries: DataFrame, log: TableLog, where: str | None
) -> Slice | None:
    """The chosen rows as a load would have them; None where there are none to choose from."""
    declared = types_of(table)
    folded = {name.lower() for name in declared}
    held = {name: kind for name, kind in log.types().items() if name.lower() not in folded}
    types = {**held, **declared}
    shaped = []
    for rows in rows_as_entered(spark, table, entries, log):
        for whole in _parsed_again(table, rows, types):
            picked = chosen(whole, where, types)
            shaped.append(_shaped(table, picked, types))
    if not shaped:
        return None
    frame = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), shaped)
    hidden = (MALFORMED, HEADER) if table.spec.source is not None else ()
    return Slice(Shaped(frame, FILE_REASONS), (*hidden, ENTRY, FILE_REASONS))


def _shaped(table: Table, rows: Rows, types: Mapping[str, str]) -> DataFrame:
    """Rows in the table's columns and types, with their violations in FILE_REASONS."""
    present = {name.lower() for name in rows.columns}
    missing = [
        f"CAST(NULL AS {kind}) AS {quoted(name)}"
        for name, kind in types.items()
        if name.lower() not in present
    ]
    frame = rows.frame.drop(WHY, SINCE, BY).selectExpr("*", *missing)
    if table.spec.source is None:
        shaped = shape(frame, types)
        return shaped.frame.selectExpr("*", f"{shaped.reasons} AS {FILE_REASONS}").drop(AS_ENTERED)
    texts = tuple(name for name in rows.columns if name not in (MALFORMED, HEADER, *SYSTEM_COLUMNS))
    return shaped_delivery(Delivered(frame, texts), types).frame.drop(AS_ENTERED)


def _parsed_again(table: Table, rows: Rows, taken: Iterable[str]) -> list[Rows]:
    """Malformed records are read once more, with the options of today and their file's own columns.

    taken: the columns that the table takes.
    """
    source = table.spec.source
    if source is None or MALFORMED not in rows.columns:
        return [rows]
    malformed = rows.frame.where(F.col(MALFORMED).isNotNull())
    parts = [replace(rows, frame=rows.frame.where(F.col(MALFORMED).isNull()))]
    options = reader_options(source.options)
    folded = {name.lower() for name in taken}
    for (header,) in malformed.select(HEADER).distinct().collect():
        found = next(csv.reader([header])) if header else []
        types = {name: declared_type(table.spec, name) for name in found}
        record = (
            json_record(MALFORMED, types, {})
            if source.format == "json"
            else csv_record(MALFORMED, found, options)
        )
        kept = [name for name in (*SYSTEM_COLUMNS, HEADER) if name in rows.columns]
        again = malformed.where(F.col(HEADER).eqNullSafe(header)).withColumn(_AGAIN, record)
        names = (*(name for name in found if name.lower() in folded), MALFORMED)
        values = [F.col(f"{_AGAIN}.{quoted(name)}").alias(name) for name in names]
        frame = again.select(*values, *kept, ENTRY, WHY, SINCE, BY)
        parts.append(Rows(frame, (*names, *kept)))
    return parts


_AGAIN = "_gs_again"
