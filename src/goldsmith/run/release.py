"""Judges quarantined rows again under the rules of today; those that hold enter the table, exactly once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructType

from goldsmith.engine.files import HEADER, Delivered
from goldsmith.engine.files import reasons as file_reasons
from goldsmith.engine.log import NO_TABLE, TableLog
from goldsmith.engine.metadata import CommitMetadata, RowCounts
from goldsmith.engine.parsing import MALFORMED, csv_record, json_record, reader_options
from goldsmith.engine.quarantine import Quarantine
from goldsmith.engine.shape import BAD, Shaped, shape
from goldsmith.errors import DeclarationError, RunError, Where
from goldsmith.project.models import SYSTEM_COLUMNS, Append, Merge
from goldsmith.project.sql_text import quoted
from goldsmith.project.tables import Table
from goldsmith.quality.judge import OUTCOME, REASONS
from goldsmith.run.commits import write
from goldsmith.run.context import Run
from goldsmith.run.counting import known_of
from goldsmith.run.loading import claims, judged_slice, put_in_order
from goldsmith.run.locks import table_lock
from goldsmith.run.outcome import TableOutcome
from goldsmith.run.plan import Plan
from goldsmith.run.slices import FILE_REASONS, Slice, types_of

ENTRY = "_gs_entry"


@dataclass(frozen=True)
class Released:
    """What a release did. chosen: the entries looked at; released: those that hold now; left: the others.

    outcome: for the records, where rows were released.
    """

    chosen: int
    released: int
    left: int
    outcome: TableOutcome | None = None


def release(spark: SparkSession, run: Run, table: Table, where: str | None = None) -> Released:
    """Puts quarantined rows of a table through its rules once more.

    where: SQL over the row's columns and `reasons`; all rows where absent. Rows that still violate a rule stay
    as they are. Raises RunError GS601 for a load whose rows are judged again anyway, DeclarationError GS203
    for a condition that cannot be read, RunError GS502 where another run holds the table.
    """
    if not isinstance(table.load, Append | Merge):
        raise RunError(
            "GS601",
            f"`{table.load.kind}` judges all rows of `{table.name}` again at each load: there is nothing to release.",
            where=Where(table=table.name),
            hint=f"After a change of the rules: `goldsmith run {table.name} --rebuild {table.name}`.",
        )
    with table_lock(run, table.name):
        return _release(spark, run, table, where)


def _release(spark: SparkSession, run: Run, table: Table, where: str | None) -> Released:
    quarantine = Quarantine(spark, run.quarantine_path(table.name))
    log = TableLog(spark, run.path(table.name))
    state = log.state()
    bookmark = log.bookmark(state) if state.exists else None
    if quarantine.version() < 0 or bookmark is None:
        return Released(0, 0, 0)
    table = table.resolved(log.types())
    settled = put_in_order(spark, run, table, log, state, bookmark)
    chosen = _chosen(_restored(spark, table, quarantine.entries(state.counter), log), where)
    shaped = shape(chosen, types_of(table))
    hidden = [name for name in (MALFORMED, HEADER, ENTRY) if name in chosen.columns]
    reasons = shaped.reasons
    if table.spec.source is not None:
        texts = tuple(name for name in chosen.columns if name not in (*hidden, *SYSTEM_COLUMNS))
        reasons = f"concat({file_reasons(Delivered(chosen, texts))}, {reasons})"
    marked = shaped.frame.selectExpr("*", f"{reasons} AS {FILE_REASONS}")
    plan = Plan(
        table,
        "incremental",
        "release",
        log,
        state,
        bookmark,
        upstreams=bookmark.metadata.consumed,
        consumed=bookmark.metadata.consumed,
        references=bookmark.metadata.consumed,
    )
    piece = Slice(Shaped(marked, FILE_REASONS), (*hidden, FILE_REASONS))
    judged = judged_slice(spark, run, plan, piece)
    judged = replace(judged, frame=judged.frame.persist())
    try:
        fit = judged.frame.where(F.col(OUTCOME) == "keep")
        kept = fit.drop(REASONS, OUTCOME, BAD, *piece.hidden)
        known, counts, _ = known_of(judged, table.load, kept.schema)
        total = counts.rows_in
        ids = [row[ENTRY] for row in fit.select(ENTRY).collect()]
        if not ids:
            return Released(total, 0, total)
        quarantine.hold(judged.frame.limit(0), [], run.entries(plan.counter), takes_back=ids)
        metadata = _metadata(run, plan, len(ids), settled.until)
        written = write(spark, run, plan, piece, kept, known, metadata)
        if written is None:
            quarantine.forget(run.entries(plan.counter))
            raise RunError(
                "GS502",
                f"Another run wrote `{table.name}` at the same time.",
                where=Where(table=table.name),
                retryable=True,
            )
        since = settled.until if settled.until is not None else NO_TABLE
        quarantine.settle(since, claims(run, log, plan.counter))
        outcome = TableOutcome(
            table.name,
            "done",
            "released",
            (written.metadata,),
            (written.version,),
            counter=written.metadata.counter,
            table_id=state.id,
        )
        return Released(total, len(ids), total - len(ids), outcome)
    finally:
        judged.frame.unpersist()


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


def _chosen(rows: DataFrame, where: str | None) -> DataFrame:
    if where is None:
        return rows.drop("reasons")
    try:
        return rows.where(where).drop("reasons")
    except (AnalysisException, ParseException) as error:
        told = str(error).splitlines()[0]
        raise DeclarationError(
            "GS203", f"--where cannot be read: {told}", hint="It is SQL over the row's columns."
        ) from None


def _restored(spark: SparkSession, table: Table, held: DataFrame, log: TableLog) -> DataFrame:
    """Quarantined rows as they were before they were cast, with ENTRY and `reasons`."""
    schema = spark.read.format("delta").load(log.path).schema
    declared = [name for name in table.columns or {} if name not in SYSTEM_COLUMNS]
    names = list(
        dict.fromkeys([*(field.name for field in schema if field.name not in SYSTEM_COLUMNS), *declared])
    )
    types = {field.name: field.dataType for field in schema}
    columns = [_value(name, types.get(name, StringType())).alias(name) for name in names]
    extra: list[Column] = []
    if table.spec.source is not None:
        extra = [_text(name).cast(kind).alias(name) for name, kind in SYSTEM_COLUMNS.items()]
        extra += [_text(MALFORMED).alias(MALFORMED), _text(HEADER).alias(HEADER)]
    rows = held.select(*columns, *extra, F.col("id").alias(ENTRY), "reasons")
    if table.spec.source is None:
        return rows
    return _parsed_again(table, rows, names)


def _parsed_again(table: Table, rows: DataFrame, names: list[str]) -> DataFrame:
    """Malformed records are read once more, with the options of today and their file's own columns."""
    assert table.spec.source is not None
    headers = [
        row[HEADER] for row in rows.where(F.col(MALFORMED).isNotNull()).select(HEADER).distinct().collect()
    ]
    whole = rows.where(F.col(MALFORMED).isNull())
    parts = [whole]
    options = reader_options(table.spec.source.options)
    for header in headers:
        found = header.split(",") if header else []
        record = (
            json_record(MALFORMED, dict.fromkeys(found, StringType()), {})
            if table.spec.source.format == "json"
            else csv_record(MALFORMED, found, options)
        )
        members = rows.where(F.col(HEADER) == header).withColumn("_gs_again", record)
        present = {name.lower(): name for name in found}
        values = [
            F.col(f"_gs_again.{quoted(present[name.lower()])}").alias(name)
            if name.lower() in present
            else F.col(quoted(name))
            for name in names
        ]
        again = F.col(f"_gs_again.{MALFORMED}").alias(MALFORMED)
        parts.append(members.select(*values, *SYSTEM_COLUMNS, again, HEADER, ENTRY, "reasons"))
    return reduce(lambda left, right: left.unionByName(right), parts)


def _text(name: str) -> Column:
    return F.get_json_object("row", f"$['{name}']")


def _value(name: str, kind: DataType) -> Column:
    """A value as it was before its cast: text for single values, its own type for nested ones."""
    if isinstance(kind, StructType | ArrayType | MapType):
        return F.from_json(_text(name), kind.simpleString())
    return _text(name)
