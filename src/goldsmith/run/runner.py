"""Runs tables in loading order, in parallel if they do not depend on each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from queue import SimpleQueue

from pyspark.sql import SparkSession

from goldsmith.engine.delta.metadata import VerdictRecord
from goldsmith.engine.failures import explained
from goldsmith.errors import GateStopped, GoldsmithError
from goldsmith.run.catalog_sync import has_catalog, prepare, register
from goldsmith.run.context import Run
from goldsmith.run.locks import table_lock
from goldsmith.run.outcome import RunResult, TableOutcome, limit_warning, warning_of
from goldsmith.run.records import record
from goldsmith.run.table_loading import Loaded, load_table

Listener = Callable[[str, TableOutcome | None], None]
"""Called with a table's name when its load starts (None) and when it ends (its outcome)."""


def run_tables(
    spark: SparkSession, run: Run, names: Sequence[str], *, parallel: int, listener: Listener | None = None
) -> RunResult:
    """Loads the named tables and records the run.

    names: in loading order. If a table fails or is stopped by a gate, its downstream tables are skipped.
    """
    began = time.monotonic()
    notify: Listener = listener or (lambda _name, _outcome: None)
    outcomes: dict[str, TableOutcome] = {}
    waiting = list(names)
    running: dict[Future[TableOutcome], str] = {}
    needs = run.project.needs
    # The settings of an idempotent write are those of the session: a session serves one table at a time.
    sessions: SimpleQueue[SparkSession] = SimpleQueue()
    for _ in range(parallel):
        sessions.put(spark.newSession())
    with ThreadPoolExecutor(max_workers=parallel + 1, thread_name_prefix="load") as pool:
        if has_catalog(run):
            # The first call takes seconds, so it is made while tables load. Registration reports its errors.
            pool.submit(prepare, spark, run)
        while waiting or running:
            for name in list(waiting):
                wanted = [need for need in needs[name] if need in names]
                if any(need not in outcomes for need in wanted):
                    continue
                waiting.remove(name)
                blocked = [need for need in wanted if outcomes[need].status in ("failed", "gate", "skipped")]
                if blocked:
                    outcomes[name] = TableOutcome(
                        name, "skipped", f"{', '.join(blocked)} failed or was stopped"
                    )
                    notify(name, outcomes[name])
                else:
                    running[pool.submit(_load, sessions, run, name, began, notify)] = name
            if running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    outcomes[name] = future.result()
                    notify(name, outcomes[name])
    ordered = tuple(outcomes[name] for name in names)
    restored, errors = record(spark, run, ordered)
    errors += register(
        spark, run, [name for name in names if outcomes[name].status in ("done", "nothing_new")]
    )
    return RunResult(run.run_id, ordered, time.monotonic() - began, restored, errors)


def _load(
    sessions: SimpleQueue[SparkSession], run: Run, name: str, run_began: float, notify: Listener
) -> TableOutcome:
    notify(name, None)
    began = time.monotonic()
    offset = began - run_began
    session = sessions.get()
    session.sparkContext.setLocalProperty("spark.scheduler.pool", name)
    session.sparkContext.setJobDescription(f"Goldsmith {name}")
    try:
        with table_lock(run, name):
            loaded = load_table(session, run, run.project.tables[name])
    except GateStopped as error:
        return _ended(
            TableOutcome(name, "gate", "a gate stopped it", verdicts=_verdicts(error), error=error),
            offset,
            began,
        )
    except GoldsmithError as error:
        return _ended(TableOutcome(name, "failed", error.message, error=error), offset, began)
    except Exception as error:  # noqa: BLE001 - one table's failure must not end the others
        known = explained(error, table=name, path=run.path(name))
        return _ended(TableOutcome(name, "failed", known.message, error=known), offset, began)
    finally:
        sessions.put(session)
    return _ended(_outcome(name, loaded), offset, began)


def _outcome(name: str, loaded: Loaded) -> TableOutcome:
    verdicts = tuple(verdict for commit in loaded.commits for verdict in commit.verdicts)
    rejected = limit_warning(name, loaded.commits) or warning_of(
        name, [commit.counts for commit in loaded.commits]
    )
    return TableOutcome(
        name,
        "done" if loaded.commits else "nothing_new",
        loaded.reason,
        loaded.commits,
        loaded.versions,
        verdicts,
        (*loaded.warnings, *((rejected,) if rejected else ())),
        counter=loaded.counter,
        table_id=loaded.table_id,
    )


def _ended(outcome: TableOutcome, offset: float, began: float) -> TableOutcome:
    return replace(outcome, began=offset, seconds=time.monotonic() - began)


def _verdicts(error: GateStopped) -> tuple[VerdictRecord, ...]:
    return tuple(verdict for verdict in error.verdicts if isinstance(verdict, VerdictRecord))
