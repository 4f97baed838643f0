"""Puts the files of tables in order, with their quarantines and the platform's own tables; no row changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import SimpleQueue

from pyspark.sql import SparkSession

from goldsmith.engine.delta.log import NO_TABLE, Bookmark, TableLog
from goldsmith.engine.delta.maintenance import compact, remove_unneeded, unneeded
from goldsmith.engine.delta.metadata import CommitMetadata, Consumed, RowCounts
from goldsmith.engine.delta.writing import stamped
from goldsmith.engine.failures import explained, is_conflict
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.run.asking import OPS
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.ledger import recorded
from goldsmith.run.loading import ATTEMPTS
from goldsmith.run.locks import ops_lock, table_lock
from goldsmith.run.recovery import recover
from goldsmith.run.retention import bookmarks, held_by


@dataclass(frozen=True)
class Upkeep:
    """What became of one Delta table.

    files: it had before. compacted: of these, how many were put together, into how many. removed: files that nobody
    reads any more, or, where this is a plan, that would be removed. kept_hours: how far back its versions can be
    read. held_by: the table for whose sake no file was removed: it has changes to take in that are about as old.
    """

    table: str
    files: int = 0
    compacted: tuple[int, int] | None = None
    removed: int = 0
    kept_hours: float = 0.0
    held_by: str | None = None
    error: GoldsmithError | None = None


Told = Callable[[TableLog], str | None]
"""What the commit says that compacts a table, given its log."""


def maintain(
    spark: SparkSession, run: Run, names: Sequence[str], *, ops: bool, dry_run: bool, parallel: int
) -> tuple[Upkeep, ...]:
    """Compacts the named tables and their quarantines, and the platform's own where `ops`; then removes old files.

    Never removed is what versions of the table's retention need, nor anything while a declared table has changes to
    take in that are about as old. A table that another run holds, or whose upkeep fails, is told with its error; the
    others go on.
    """
    consumed = bookmarks(spark, run)
    sessions: SimpleQueue[SparkSession] = SimpleQueue()
    for _ in range(parallel):
        sessions.put(spark.newSession())

    def one(name: str) -> tuple[Upkeep, ...]:
        session = sessions.get()
        try:
            if name in OPS:
                return (_ops(session, run, name, dry_run),)
            return _table(session, run, name, dry_run, consumed)
        except GoldsmithError as error:
            return (Upkeep(name, error=error),)
        except Exception as error:  # noqa: BLE001 - one table's failure must not end the others
            return (Upkeep(name, error=explained(error, table=name, path=run.path(name))),)
        finally:
            sessions.put(session)

    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="maintain") as pool:
        return tuple(done for each in pool.map(one, [*names, *(OPS if ops else ())]) for done in each)


def _table(
    spark: SparkSession, run: Run, name: str, dry_run: bool, consumed: Mapping[str, Mapping[str, Consumed]]
) -> tuple[Upkeep, ...]:
    """A table and its quarantine, while no load of it is under way."""
    with table_lock(run, name):
        log = TableLog(spark, run.path(name))
        if not log.state().exists:
            return ()
        done = [_one(spark, name, log, dry_run, _bookmark_again(spark, run, name), consumed)]
        held = TableLog(spark, run.quarantine_path(name))
        if held.version() != NO_TABLE:
            short = f"quarantine.{name.replace('.', '_')}"
            done.append(_one(spark, short, held, dry_run, lambda _log: None, {}))
    return tuple(done)


def _ops(spark: SparkSession, run: Run, name: str, dry_run: bool) -> Upkeep:
    log = TableLog(spark, run.path(name))
    with ops_lock(run):
        if log.version() == NO_TABLE:
            return Upkeep(name)
        return _one(spark, name, log, dry_run, _recorded_again, {})


def _one(
    spark: SparkSession,
    name: str,
    log: TableLog,
    dry_run: bool,
    told: Told,
    consumed: Mapping[str, Mapping[str, Consumed]],
) -> Upkeep:
    done = Upkeep(name, files=log.files())
    if not dry_run:
        done = replace(done, compacted=_compacted(spark, name, log, told))
    done = replace(done, kept_hours=log.retention(), held_by=held_by(name, log, consumed, datetime.now(UTC)))
    if done.held_by is not None:
        return done
    removed = unneeded(spark, log.path)
    if removed and not dry_run:
        remove_unneeded(spark, log.path)
    return replace(done, removed=removed)


def _compacted(spark: SparkSession, name: str, log: TableLog, told: Told) -> tuple[int, int]:
    for _ in range(ATTEMPTS):
        try:
            return compact(spark, log.path, told(log))
        except Exception as error:
            if not is_conflict(error):
                raise
    raise RunError(
        "GS502",
        f"Other writers of `{name}` were faster {ATTEMPTS} times.",
        where=Where(table=name),
        retryable=True,
        hint="Run it again when they are done.",
    )


def _bookmark_again(spark: SparkSession, run: Run, name: str) -> Told:
    """The table's bookmark under the next counter, so that its log never lacks it.

    Not where the next load has to find out from the log that another program changed the table, or that a RESTORE led
    to its bookmark.
    """

    def told(log: TableLog) -> str | None:
        handle = TableHandle.opened(spark, run, run.project.tables[name], lambda _path: log)
        bookmark = handle.bookmark
        if bookmark is None or bookmark.foreign or bookmark.restored:
            return None
        settled = recover(run, handle)
        return stamped(_maintained(run, bookmark, settled.until)).to_json(handle.state.version)

    return told


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


def _recorded_again(log: TableLog) -> str | None:
    """Up to which counters tables are recorded; the next run reads it from the newest commit."""
    known = recorded(log)
    return json.dumps({"base": log.version(), "recorded": known}) if known else None
