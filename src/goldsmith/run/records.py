"""Records runs in `ops.table_runs`, `ops.expectations` and `ops.files`; creates `ops.dqops_results`.

The records repeat the metadata of the tables' commits permanently and in a form to query. Each of their commits lists
the counters up to which tables are recorded: the next run adds the records of a killed process, and none is written
twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from goldsmith.engine.conditions import is_conflict
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import CommitMetadata, VerdictRecord
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.failures import explained
from goldsmith.engine.rows import frame_of
from goldsmith.errors import GoldsmithError, RunError
from goldsmith.project import ops
from goldsmith.project.ops import OpsTable
from goldsmith.run.catalog_sync import has_catalog
from goldsmith.run.context import Run
from goldsmith.run.ledger import recorded
from goldsmith.run.locks import ops_lock
from goldsmith.run.outcome import TableOutcome

Rows = list[dict[str, Any]]
"""Rows by column name; missing columns are NULL."""

_COUNTS = (
    *("rows_in", "written", "quarantined", "dropped", "superseded", "filtered"),
    *("inserted", "updated", "deleted"),
)

ATTEMPTS = 10


@dataclass(frozen=True)
class _Record:
    """A table of `ops`: its rows for a load, and those for an outcome without a commit."""

    table: OpsTable
    of_load: Callable[[Run, CommitMetadata, TableOutcome], Rows]
    of_failure: Callable[[Run, TableOutcome], Rows]


def record(
    spark: SparkSession, run: Run, outcomes: Sequence[TableOutcome]
) -> tuple[int, tuple[GoldsmithError, ...]]:
    """Records a run. Returns the number of restored records of earlier runs, and errors.

    A run without loads and failures leaves no record. The loads are already committed: an error is reported, and the
    next run tries again.
    """
    by_name = {outcome.table: outcome for outcome in outcomes}
    try:
        with ops_lock(run), ThreadPoolExecutor(max_workers=4, thread_name_prefix="record") as pool:
            recording = [
                pool.submit(_record_into, spark, run, by_name, kind)
                for kind in (
                    _Record(ops.TABLE_RUNS, _run_rows, _failure_rows),
                    _Record(ops.EXPECTATIONS, _verdict_rows, _gate_rows),
                    _Record(ops.FILES, _file_rows, lambda *_: []),
                )
            ]
            if has_catalog(run):
                # Dashboards read it even if DQOps is not used.
                pool.submit(make_results, spark, run.path("ops.dqops_results")).result()
            restored = [future.result() for future in recording]
    except GoldsmithError as error:
        return 0, (error,)
    except Exception as error:  # noqa: BLE001 - the tables are written; the next run records them
        return 0, (explained(error, table="ops", path=f"{run.warehouse}/ops"),)
    return max(restored), ()


def make_results(spark: SparkSession, path: str) -> None:
    """Creates `ops.dqops_results` if it does not exist."""
    if TableLog(path).version() != NO_TABLE:
        return
    made = DeltaTable.createIfNotExists(spark).location(path)
    for name, kind in ops.DQOPS_RESULTS.types.items():
        made = made.addColumn(name, kind)
    made.execute()
    TableLog(path).version()


def _record_into(
    spark: SparkSession,
    run: Run,
    outcomes: Mapping[str, TableOutcome],
    kind: _Record,
) -> int:
    path = run.path(f"ops.{kind.table.name}")
    failures = [outcome for outcome in outcomes.values() if outcome.status in ("failed", "gate")]
    for _ in range(ATTEMPTS):
        log = TableLog(path)
        version = log.version()
        known = recorded(log)
        behind = {
            table: known[table][1] if table in known and known[table][0] == outcome.table_id else 0
            for table, outcome in outcomes.items()
        }
        found = {
            table: _commits(run, outcome, behind[table])
            for table, outcome in outcomes.items()
            if outcome.counter > behind[table]
        }
        commits = {table: loads for table, loads in found.items() if loads}
        if not commits and not failures:
            return 0
        loaded_rows = [
            (load, kind.of_load(run, load, outcomes[table]))
            for table, loads in commits.items()
            for load in loads
        ]
        new = [row for _, rows in loaded_rows for row in rows]
        new += [row for outcome in failures for row in kind.of_failure(run, outcome)]
        if not new and version != NO_TABLE:
            return 0
        now = {**known, **{table: (outcomes[table].table_id, outcomes[table].counter) for table in commits}}
        writer = (
            frame_of(spark, kind.table.ordered(new), kind.table.types).write.format("delta").mode("append")
        )
        # Adds columns of a newer version of Goldsmith to an existing table.
        writer = writer.option("mergeSchema", "true")
        try:
            writer.option("userMetadata", json.dumps({"base": version, "recorded": now})).save(path)
        except Exception as error:
            if is_conflict(error):
                continue
            raise
        # A run without rows for this table makes no commit in it: its loads are unrecorded without an interruption.
        return sum(bool(rows) for load, rows in loaded_rows if load.run_id != run.run_id)
    raise RunError(
        "GS502",
        f"Gave up after {ATTEMPTS} conflicts with other writers of ops.{kind.table.name}.",
        retryable=True,
    )


def _commits(run: Run, outcome: TableOutcome, after: int) -> Sequence[CommitMetadata]:
    """A table's loads with a greater counter: this run's, or from the log if there are others."""
    if len(outcome.commits) == outcome.counter - after:
        return outcome.commits
    since = TableLog(run.path(outcome.table)).committed_since(after)
    return [commit for commit in since if commit.mode != "maintenance"]


def _run_rows(run: Run, commit: CommitMetadata, outcome: TableOutcome) -> Rows:
    own = commit.run_id == run.run_id
    began = _began(run, outcome) if own else _time(commit.started)
    ended = _time(commit.committed)
    seconds = (
        outcome.seconds / max(len(outcome.commits), 1)
        if own
        else (ended - _time(commit.started)).total_seconds()
    )
    counts = commit.counts
    row = {
        **_of_table(run, outcome, commit.interval),
        "run_id": commit.run_id,
        "counter": commit.counter,
        "status": "done",
        "mode": commit.mode,
        "reason": outcome.reason if own else "",
        "started_at": began,
        "ended_at": ended,
        "seconds": seconds,
        "balanced": counts.balanced,
        **{name: getattr(counts, name) for name in _COUNTS},
    }
    return [row]


def _failure_rows(run: Run, outcome: TableOutcome) -> Rows:
    error, began = outcome.error, _began(run, outcome)
    row = {
        **_of_table(run, outcome, run.interval.as_text if run.interval else None),
        "run_id": run.run_id,
        "status": outcome.status,
        "reason": outcome.reason,
        "started_at": began,
        "ended_at": began + timedelta(seconds=outcome.seconds),
        "seconds": outcome.seconds,
        "error_code": error.code if error else None,
        "message": error.message if error else None,
    }
    return [row]


def _of_table(run: Run, outcome: TableOutcome, interval: tuple[str, str] | None) -> dict[str, Any]:
    declared = run.project.tables[outcome.table]
    low, high = (datetime.fromisoformat(end).date() for end in interval) if interval else (None, None)
    return {
        "table": outcome.table,
        "pipeline": declared.pipeline,
        "layer": declared.layer,
        "interval_start": low,
        "interval_end": high,
    }


def _verdict_rows(_run: Run, commit: CommitMetadata, outcome: TableOutcome) -> Rows:
    at = _time(commit.committed)
    return [
        _verdict_row(outcome.table, commit.run_id, commit.counter, verdict, at) for verdict in commit.verdicts
    ]


def _gate_rows(run: Run, outcome: TableOutcome) -> Rows:
    if outcome.status != "gate":
        return []
    at = _began(run, outcome) + timedelta(seconds=outcome.seconds)
    return [_verdict_row(outcome.table, run.run_id, None, verdict, at) for verdict in outcome.verdicts]


def _verdict_row(
    table: str, run_id: str, counter: int | None, verdict: VerdictRecord, at: datetime
) -> dict[str, Any]:
    return {
        "table": table,
        "run_id": run_id,
        "counter": counter,
        "name": verdict.name,
        "kind": verdict.kind,
        "otherwise": verdict.otherwise,
        "description": verdict.description,
        "checked": verdict.checked,
        "failed": verdict.failed,
        "observed": verdict.observed,
        "ok": verdict.ok,
        "accepted_by": verdict.accepted_by,
        "accepted_why": verdict.accepted_why,
        "samples": list(verdict.samples),
        "judged_at": at,
    }


def _file_rows(_run: Run, commit: CommitMetadata, outcome: TableOutcome) -> Rows:
    return [
        {
            "table": outcome.table,
            "table_id": outcome.table_id,
            "path": file.path,
            "size": file.size,
            "modified_ms": file.modified,
            "etag": file.etag,
            "counter": commit.counter,
            "run_id": commit.run_id,
            "loaded_at": _time(commit.committed),
        }
        for file in commit.files
    ]


def _began(run: Run, outcome: TableOutcome) -> datetime:
    return run.started + timedelta(seconds=outcome.began)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
