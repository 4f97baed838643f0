"""What `ops.table_runs` and `ops.expectations` tell, as the report's runs and verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import RowCounts
from goldsmith.project.expectations import Expectation
from goldsmith.project.graph import downstream_of
from goldsmith.project.tables import Project
from goldsmith.publish.report.cells import micros, moment
from goldsmith.publish.report.formats import count, number
from goldsmith.publish.report.model import ExpectationReport, Interval, Outcome, Rows, TableRun, Verdict
from goldsmith.run.outcome import warning_of

MODES = {"first": "first load", "full": "in full"}
"""Modes whose own name says too little."""

_TOLD = 3
_DONE_TO_ROWS = {"quarantine": "quarantined", "drop": "dropped"}


@dataclass(frozen=True, slots=True)
class Load:
    """One row of `ops.table_runs`: a commit, or a load that failed."""

    table: str
    pipeline: str
    run_id: str
    status: str
    mode: str | None
    reason: str
    interval: Interval | None
    started_at: datetime
    ended_at: datetime
    seconds: float
    rows: Rows
    message: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """One row of `ops.expectations`. samples: only with the latest verdict that has some."""

    table: str
    name: str
    otherwise: str
    description: str
    verdict: Verdict
    samples: tuple[str, ...]


def read_loads(spark: SparkSession, path: str, runs: int) -> tuple[Load, ...]:
    """The loads of each pipeline's latest runs, and each table's latest load however old, oldest first.

    path: of `ops.table_runs`; () where it is not there yet. One job.
    """
    if not TableLog(spark, path).state().exists:
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
        Load(
            table=row.table,
            pipeline=row.pipeline,
            run_id=row.run_id,
            status=row.status,
            mode=row["mode"],
            reason=row.reason or "",
            interval=_interval(row.interval_start, row.interval_end),
            started_at=moment(row.started_at),
            ended_at=moment(row.ended_at),
            seconds=row.seconds,
            rows=Rows(
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


def read_judgements(spark: SparkSession, path: str, run_ids: Iterable[str]) -> tuple[Judgement, ...]:
    """The verdicts of these runs, oldest first. path: of `ops.expectations`; () where it is not there yet.
    One job."""
    wanted = sorted(set(run_ids))
    if not wanted or not TableLog(spark, path).state().exists:
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
        Judgement(
            row.table,
            row["name"],
            row.otherwise,
            row.description or "",
            Verdict(
                row.run_id,
                moment(row.judged_at),
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


def table_runs(
    project: Project, loads: Sequence[Load], judgements: Sequence[Judgement]
) -> dict[str, tuple[TableRun, ...]]:
    """The runs of each declared table, oldest first.

    A table that had nothing to do leaves no record. In the newest run of its pipeline it is `nothing_new`,
    unless its last load failed: then it took no part. In a run that failed upstream of it, it is `skipped`.
    """
    by_run: dict[str, dict[str, list[Load]]] = defaultdict(lambda: defaultdict(list))
    for load in loads:
        if load.table in project.tables:
            by_run[load.run_id][load.table].append(load)
    bad: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    for one in judgements:
        if not one.verdict.ok:
            bad[one.verdict.run_id, one.table].append(one)
    newest = {load.pipeline: load.run_id for load in loads}
    found: dict[str, list[TableRun]] = {name: [] for name in project.tables}
    for run_id, tables in by_run.items():
        for name, loaded in _timed(project, tables, bad).items():
            found[name].append(loaded)
        some = next(iter(tables.values()))[0]
        skipped = _skipped(project, run_id, tables, some.interval)
        for name, run in skipped.items():
            found[name].append(run)
        began = min(load.started_at for parts in tables.values() for load in parts)
        for name, table in project.tables.items():
            if newest.get(table.pipeline) != run_id or name in tables or name in skipped:
                continue
            if found[name] and found[name][-1].outcome not in ("failed", "gate", "skipped"):
                found[name].append(TableRun(run_id, "nothing_new", began, interval=some.interval))
    return {name: tuple(of_table) for name, of_table in found.items()}


def expectation_reports(
    declared: Sequence[Expectation], judgements: Sequence[Judgement]
) -> tuple[ExpectationReport, ...]:
    """The declared expectations of one table with its verdicts, which are oldest first."""
    by_name: dict[str, list[Judgement]] = defaultdict(list)
    for one in judgements:
        by_name[one.name].append(one)
    return tuple(_expectation(item, by_name[item.name]) for item in declared)


def _expectation(declared: Expectation, judgements: Sequence[Judgement]) -> ExpectationReport:
    sampled = next((one for one in reversed(judgements) if one.samples), None)
    last = judgements[-1] if judgements else None
    return ExpectationReport(
        name=declared.name,
        kind=declared.kind,
        otherwise=declared.otherwise,
        description=declared.description or (last.description if last else ""),
        verdicts=tuple(one.verdict for one in judgements),
        samples=sampled.samples if sampled else (),
        samples_at=sampled.verdict.at if sampled is not None and sampled is not last else None,
    )


def _timed(
    project: Project, tables: Mapping[str, Sequence[Load]], bad: Mapping[tuple[str, str], Sequence[Judgement]]
) -> dict[str, TableRun]:
    """The tables of one run, none of them begun before the tables that it needs had ended."""
    runs: dict[str, TableRun] = {}
    for name in project.tables:
        if name not in tables:
            continue
        run = _loaded(tables[name], bad.get((tables[name][0].run_id, name), ()))
        assert run.started_at is not None
        ends = [_end(runs[need]) for need in project.needs[name] if need in runs]
        runs[name] = replace(run, started_at=max([run.started_at, *ends]))
    return runs


def _end(run: TableRun) -> datetime:
    assert run.started_at is not None
    return run.started_at + timedelta(seconds=run.seconds)


def _loaded(parts: Sequence[Load], bad: Sequence[Judgement]) -> TableRun:
    """One table's run from its commits, and from its failure where it ended in one."""
    failed = next((load for load in parts if load.status in ("failed", "gate")), None)
    little = warning_of(parts[0].table, [_counts(load.rows) for load in parts])
    outcome: Outcome = "warned" if bad or little else "done"
    message = "; ".join((*_told(bad), *((little,) if little else ())))
    if failed is not None:
        outcome = "gate" if failed.status == "gate" else "failed"
        stopping = [one for one in bad if one.otherwise == "fail"] if outcome == "gate" else []
        message = f"{'; '.join(_told(stopping))}. Nothing was written." if stopping else failed.message
    seconds = sum(load.seconds for load in parts)
    # A record's start may be the whole run's; the table's own is about as long before its commit as it took.
    began = parts[0].started_at
    if failed is None:
        began = max(began, parts[-1].ended_at - timedelta(seconds=seconds))
    modes = dict.fromkeys(load.mode for load in parts if load.mode)
    return TableRun(
        run_id=parts[0].run_id,
        outcome=outcome,
        started_at=began,
        seconds=seconds,
        interval=parts[0].interval,
        mode=", ".join(MODES.get(mode, mode) for mode in modes),
        rows=sum((load.rows for load in parts), Rows()),
        message=message,
        # The reason of a load that failed is its message.
        reason="" if failed is not None else parts[0].reason,
    )


def _counts(rows: Rows) -> RowCounts:
    return RowCounts(rows_in=rows.incoming, quarantined=rows.quarantined, dropped=rows.dropped)


def _skipped(
    project: Project, run_id: str, tables: Mapping[str, Sequence[Load]], interval: Interval | None
) -> dict[str, TableRun]:
    """The tables that a failure of this run kept from loading, by name."""
    stopped = {
        name for name, parts in tables.items() if any(load.status in ("failed", "gate") for load in parts)
    }
    waiting = downstream_of(stopped, project.needs) - tables.keys()
    runs = {}
    for name in waiting:
        blocking = [need for need in project.needs[name] if need in stopped or need in waiting]
        message = f"Waits for {', '.join(blocking)}."
        runs[name] = TableRun(run_id, "skipped", None, interval=interval, message=message)
    return runs


def _told(bad: Sequence[Judgement]) -> list[str]:
    """The verdicts that did not hold, in words; of many the first few."""
    told = [_verdict_told(one) for one in bad[:_TOLD]]
    return [*told, f"and {len(bad) - _TOLD} more"] if len(bad) > _TOLD else told


def _verdict_told(one: Judgement) -> str:
    verdict = one.verdict
    if verdict.failed:
        became = _DONE_TO_ROWS.get(one.otherwise, "fail" if verdict.failed != 1 else "fails")
        text = f"{number(verdict.failed)} of {count(verdict.checked, 'row')} {became}"
    else:
        text = f"observed {verdict.observed}"
    return f"{one.name}: {text}" + (f", accepted by {verdict.accepted_by}" if verdict.accepted_by else "")


def _observed(text: str | None) -> str | None:
    """A measured number without the digits that nobody reads; other text as it is."""
    if text is None or "." not in text:
        return text
    try:
        return f"{float(text):.6g}"
    except ValueError:
        return text


def _with_code(message: str | None, code: str | None) -> str:
    text = (message or "").strip()
    return f"{text} ({code})" if text and code else text or code or ""


def _interval(start: date | None, end: date | None) -> Interval | None:
    if start is None or end is None:
        return None
    return Interval(*(datetime.combine(day, time(), UTC) for day in (start, end)))
