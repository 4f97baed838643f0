"""Reads the recorded loads and expectation results, `ops.table_runs` and `ops.expectations`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from goldsmith.engine.delta.log import TableLog
from goldsmith.publish.report.cells import from_micros, micros
from goldsmith.publish.report.model import (
    ExpectationResult,
    ReportInterval,
    RowTotals,
)


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One row of `ops.table_runs`: a commit, or a load that failed."""

    table: str
    pipeline: str
    run_id: str
    status: str
    mode: str | None
    reason: str
    interval: ReportInterval | None
    started_at: datetime
    ended_at: datetime
    seconds: float
    rows: RowTotals
    message: str


@dataclass(frozen=True, slots=True)
class ExpectationRecord:
    """One row of `ops.expectations`. samples: only of the latest result with samples."""

    table: str
    name: str
    otherwise: str
    description: str
    result: ExpectationResult
    samples: tuple[str, ...]


def read_loads(spark: SparkSession, path: str, runs: int) -> tuple[LoadRecord, ...]:
    """The loads of each pipeline's latest runs, and each table's latest load of any age, oldest first.

    path: of `ops.table_runs`; () if it does not exist. One job.
    """
    if not TableLog(path).state().exists:
        return ()
    began = F.min("started_at").over(Window.partitionBy("pipeline", "run_id"))
    newest = (F.desc("began"), F.desc("run_id"))
    by_pipeline = F.dense_rank().over(Window.partitionBy("pipeline").orderBy(*newest))
    by_table = F.dense_rank().over(Window.partitionBy("table").orderBy(*newest))
    frame = spark.read.format("delta").load(path).withColumn("began", began)
    frame = frame.withColumn("run_place", by_pipeline).withColumn("table_place", by_table)
    frame = frame.where((F.col("run_place") <= runs) | (F.col("table_place") == 1)).select(
        *("table", "pipeline", "run_id", "status", "mode", "reason", "interval_start", "interval_end"),
        micros(F.col("started_at")).alias("started_at"),
        micros(F.col("ended_at")).alias("ended_at"),
        *("seconds", "rows_in", "written", "quarantined", "dropped", "superseded", "error_code", "message"),
    )
    loads = [
        LoadRecord(
            table=row.table,
            pipeline=row.pipeline,
            run_id=row.run_id,
            status=row.status,
            mode=row["mode"],
            reason=row.reason or "",
            interval=_interval(row.interval_start, row.interval_end),
            started_at=from_micros(row.started_at),
            ended_at=from_micros(row.ended_at),
            seconds=row.seconds,
            rows=RowTotals(
                row.rows_in or 0,
                row.written or 0,
                row.quarantined or 0,
                row.dropped or 0,
                row.superseded or 0,
            ),
            message=_with_code(row.message, row.error_code),
        )
        for row in frame.collect()
    ]
    return tuple(sorted(loads, key=lambda load: (load.started_at, load.run_id, load.ended_at)))


def read_expectations(
    spark: SparkSession, path: str, run_ids: Iterable[str]
) -> tuple[ExpectationRecord, ...]:
    """The expectation results of these runs, oldest first. path: of `ops.expectations`; () if it does not exist.
    One job."""
    wanted = sorted(set(run_ids))
    if not wanted or not TableLog(path).state().exists:
        return ()
    latest = Window.partitionBy("table", "name").orderBy(
        F.desc(F.size("samples") > 0), F.desc("judged_at"), F.desc("counter")
    )
    samples = F.when(F.row_number().over(latest) == 1, F.col("samples"))
    frame = spark.read.format("delta").load(path).where(F.col("run_id").isin(wanted))
    rows = frame.select(
        *("table", "run_id", "counter", "name", "otherwise", "description", "checked", "failed", "observed"),
        *("ok", "accepted_by", "accepted_why", samples.alias("samples")),
        micros(F.col("judged_at")).alias("judged_at"),
    ).collect()
    return tuple(
        ExpectationRecord(
            row.table,
            row["name"],
            row.otherwise,
            row.description or "",
            ExpectationResult(
                row.run_id,
                from_micros(row.judged_at),
                row.checked or 0,
                row.failed or 0,
                row.ok,
                _observed(row.observed),
                row.accepted_by,
                row.accepted_why or None,
            ),
            tuple(row.samples or ()),
        )
        for row in sorted(rows, key=lambda row: (row.judged_at, row.counter or 0, row["name"]))
    )


def _observed(text: str | None) -> str | None:
    """A measured number rounded to six digits; other text is unchanged."""
    if text is None or "." not in text:
        return text
    try:
        return f"{float(text):.6g}"
    except ValueError:
        return text


def _with_code(message: str | None, code: str | None) -> str:
    text = (message or "").strip()
    return f"{text} ({code})" if text and code else text or code or ""


def _interval(start: date | None, end: date | None) -> ReportInterval | None:
    if start is None or end is None:
        return None
    return ReportInterval(*(datetime.combine(day, time(), UTC) for day in (start, end)))
