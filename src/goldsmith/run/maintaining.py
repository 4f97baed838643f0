"""Compacts and vacuums tables, their quarantines and `ops`; changes no rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import SimpleQueue

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.conditions import is_conflict
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.maintenance import compact, count_unreferenced, vacuum
from goldsmith.engine.delta.metadata import CommitMetadata, Consumed, RowCounts
from goldsmith.engine.delta.session_log import SessionLog
from goldsmith.engine.delta.state import NO_TABLE, Bookmark
from goldsmith.engine.delta.writing import with_commit_time
from goldsmith.engine.failures import explained
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.ops import OPS_TABLES
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.ledger import recorded
from goldsmith.run.locks import ops_lock, table_lock
from goldsmith.run.readable import OPS
from goldsmith.run.recovery import recover
from goldsmith.run.retention import blocking_reader, bookmarks
from goldsmith.run.table_loading import ATTEMPTS


@dataclass(frozen=True)
class MaintenanceResult:
    """The maintenance of one Delta table.

    files: their number before. compacted: the numbers of files removed and added by compaction. removed: the number of
    unreferenced files that were removed, or would be in a dry run. kept_hours: the retention of its versions. held_by:
    a table that has not consumed old changes yet, for which no file was removed. expired: the number of rows that were
    removed because of the project's retention, or would be in a dry run.
    """

    table: str
    files: int = 0
    compacted: tuple[int, int] | None = None
    removed: int = 0
    kept_hours: float = 0.0
    held_by: str | None = None
    expired: int = 0
    error: GoldsmithError | None = None


UserMetadata = Callable[[], str | None]
"""Returns the userMetadata of a compaction's commit."""


def maintain(
    spark: SparkSession, run: Run, names: Sequence[str], *, ops: bool, dry_run: bool, parallel: int
) -> tuple[MaintenanceResult, ...]:
    """Compacts the named tables and their quarantines, and `ops` if requested; then removes unreferenced files.

    Keeps files of versions within the table's retention, and all files while a declared table has not consumed old
    changes. Returns the error of a table that is locked or fails, and continues with the others.
    """
    consumed = bookmarks(run)
    sessions: SimpleQueue[SparkSession] = SimpleQueue()
    for _ in range(parallel):
        sessions.put(spark.newSession())

    def one(name: str) -> tuple[MaintenanceResult, ...]:
        session = sessions.get()
        try:
            if name in OPS:
                return (_ops(session, run, name, dry_run),)
            return _table(session, run, name, dry_run, consumed)
        except GoldsmithError as error:
            return (MaintenanceResult(name, error=error),)
        except Exception as error:  # noqa: BLE001 - one table's failure must not end the others
            return (MaintenanceResult(name, error=explained(error, table=name, path=run.path(name))),)
        finally:
            sessions.put(session)

    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="maintain") as pool:
        return tuple(done for each in pool.map(one, [*names, *(OPS if ops else ())]) for done in each)


def _table(
    spark: SparkSession, run: Run, name: str, dry_run: bool, consumed: Mapping[str, Mapping[str, Consumed]]
) -> tuple[MaintenanceResult, ...]:
    """Maintains a table and its quarantine under the table's lock."""
    with table_lock(run, name):
        log = TableLog(run.path(name))
        if not log.state().exists:
            return ()
        done = [_one(spark, name, log, dry_run, _bookmark_metadata(spark, run, name), consumed)]
        quarantine = TableLog(run.quarantine_path(name))
        if quarantine.version() != NO_TABLE:
            short = f"quarantine.{name.replace('.', '_')}"
            expired = _expire_quarantine(spark, run, name, dry_run)
            kept = _one(spark, short, quarantine, dry_run, lambda: None, {})
            done.append(replace(kept, expired=expired))
    return tuple(done)


def _ops(spark: SparkSession, run: Run, name: str, dry_run: bool) -> MaintenanceResult:
    log = TableLog(run.path(name))
    with ops_lock(run):
        if log.version() == NO_TABLE:
            return MaintenanceResult(name)
        expired = _expire_records(spark, run, name, dry_run)
        return replace(_one(spark, name, log, dry_run, partial(_recorded_metadata, log), {}), expired=expired)


def _expire_quarantine(spark: SparkSession, run: Run, name: str, dry_run: bool) -> int:
    """Removes a table's quarantined rows that are older than the retention; returns their number."""
    kept = run.project.spec.retention.quarantine
    if kept is None:
        return 0
    handle = TableHandle.opened(spark, run, run.project.tables[name])
    if not dry_run:
        recover(run, handle)
    before, until = run.started - kept, handle.state.counter
    expired = handle.quarantine.expired(before, until)
    if expired and not dry_run:
        handle.quarantine.remove_expired(before, until)
    return expired


def _expire_records(spark: SparkSession, run: Run, name: str, dry_run: bool) -> int:
    """Removes records that are older than the retention; returns their number."""
    kept = run.project.spec.retention.ops
    column = next(table.expires_by for table in OPS_TABLES if f"ops.{table.name}" == name)
    if kept is None or column is None:
        return 0
    old = F.col(column) < F.lit((run.started - kept).isoformat()).cast("timestamp")
    path = run.path(name)
    expired = spark.read.format("delta").load(path).where(old).count()
    if expired and not dry_run:
        DeltaTable.forPath(spark, path).delete(old)
    return expired


def _one(
    spark: SparkSession,
    name: str,
    log: TableLog,
    dry_run: bool,
    user_metadata: UserMetadata,
    consumed: Mapping[str, Mapping[str, Consumed]],
) -> MaintenanceResult:
    done = MaintenanceResult(name, files=SessionLog(spark, log.path).files())
    if not dry_run:
        done = replace(done, compacted=_compacted(spark, name, log, user_metadata))
    kept = SessionLog(spark, log.path).retention()
    held_by = blocking_reader(name, log, consumed, datetime.now(UTC), timedelta(hours=kept))
    done = replace(done, kept_hours=kept, held_by=held_by)
    if done.held_by is not None:
        return done
    removed = count_unreferenced(spark, log.path)
    if removed and not dry_run:
        vacuum(spark, log.path)
    return replace(done, removed=removed)


def _compacted(spark: SparkSession, name: str, log: TableLog, user_metadata: UserMetadata) -> tuple[int, int]:
    for _ in range(ATTEMPTS):
        try:
            return compact(spark, log.path, user_metadata())
        except Exception as error:
            if not is_conflict(error):
                raise
    raise RunError(
        "GS502",
        f"Gave up after {ATTEMPTS} conflicts with other writers of `{name}`.",
        where=Where(table=name),
        retryable=True,
        hint="Run it again when the other writers have finished.",
    )


def _bookmark_metadata(spark: SparkSession, run: Run, name: str) -> UserMetadata:
    """Repeats the table's bookmark with the next counter, so that it stays in the log.

    Not if the next load must detect from the log that another program changed the table, or that it was restored.
    """

    def user_metadata() -> str | None:
        handle = TableHandle.opened(spark, run, run.project.tables[name])
        bookmark = handle.bookmark
        if bookmark is None or bookmark.foreign or bookmark.restored:
            return None
        reconciled = recover(run, handle)
        return with_commit_time(_maintained(run, bookmark, reconciled.until)).to_json(handle.state.version)

    return user_metadata


def _maintained(run: Run, bookmark: Bookmark, quarantine: int | None) -> CommitMetadata:
    return replace(
        bookmark.metadata,
        run_id=run.run_id,
        counter=bookmark.state.counter + 1,
        mode="maintenance",
        files=(),
        quarantine=quarantine,
        counts=RowCounts(),
        merged=None,
        verdicts=(),
        interval=None,
        started=run.started.isoformat(),
    )


def _recorded_metadata(log: TableLog) -> str | None:
    """Repeats the counters up to which tables are recorded; runs read them from the newest commit."""
    known = recorded(log)
    return json.dumps({"base": log.version(), "recorded": known}) if known else None
