"""Decides what a table's load has to do, from looks into logs and at the landing folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from pyspark.sql import SparkSession

from goldsmith.engine.delta.changes import Span, look_at
from goldsmith.engine.delta.log import NO_TABLE, Bookmark, HistoryGone, TableLog, TableState
from goldsmith.engine.delta.metadata import Consumed
from goldsmith.errors import RunError, SourceError, Where
from goldsmith.project.loads import Append, Overwrite, OverwritePartitions
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.ledger import recorded_counter
from goldsmith.run.plan import Action, Plan
from goldsmith.run.planning_files import foreign, just_made, plan_files


def plan_table(
    spark: SparkSession,
    run: Run,
    table: Table,
    *,
    force_full: str | None = None,
    log_of: Callable[[str], TableLog] | None = None,
) -> Plan:
    """The plan for one table. force_full: why everything is read, where an incremental load turned out impossible.

    log_of: opens the log of the table at a path; by default in the session's JVM.
    Raises SourceError, StorageError and RunError with what stands in the way.
    """
    log_of = log_of or partial(TableLog, spark)
    log = log_of(run.path(table.name))
    state = log.state()
    bookmark = log.bookmark(state) if state.exists else None
    if state.exists and state.counter == 0:
        state = replace(state, counter=recorded_counter(spark, run, table.name, state.id))
    if table.spec.source is not None:
        return plan_files(spark, run, table, log, state, bookmark)
    logs = {name: log_of(run.path(name)) for name in tracked(table)}
    return _plan_derived(run, table, log, logs, state, bookmark, force_full)


def _plan_derived(
    run: Run,
    table: Table,
    log: TableLog,
    logs: Mapping[str, TableLog],
    state: TableState,
    bookmark: Bookmark | None,
    force_full: str | None,
) -> Plan:
    now = {name: _upstream_state(upstream, table, name) for name, upstream in logs.items()}

    def whole(action: Action, reason: str, warning: str | None = None) -> Plan:
        size = _bytes(*logs.values())
        return Plan(
            table,
            action,
            reason,
            log,
            state,
            bookmark,
            upstreams=now,
            consumed=now,
            references=now,
            warning=warning,
            bytes=size,
        )

    if not state.exists:
        return whole("first", "first load")
    if table.name in run.rebuild:
        return whole("rebuild", "asked for")
    if bookmark is None:
        if state.counter == 0:
            if just_made(log, state):
                return whole("first", "first load")
            raise foreign(run, table)
        return whole(
            "rebuild", "its bookmark is gone from the log", "the log no longer tells what was consumed"
        )
    held = bookmark.metadata
    if not table.continues(held.definition):
        if table.spec.on_definition_change == "fail":
            raise RunError(
                "GS405",
                f"The declaration of `{table.name}` changed, and it says `on_definition_change: fail`.",
                where=table.where("on_definition_change"),
                hint=f"Rebuild it: `goldsmith run {table.name} --rebuild {table.name}`, or take the change back.",
            )
        return whole("rebuild", "the declaration changed")
    if bookmark.foreign:
        told = f"its rows were changed outside Goldsmith ({', '.join(bookmark.foreign)})"
        return whole("rebuild", "changed outside Goldsmith", told)
    if force_full is not None:
        return whole("full", force_full)
    return _plan_changes(table, log, state, bookmark, logs, now)


def _plan_changes(
    table: Table,
    log: TableLog,
    state: TableState,
    bookmark: Bookmark,
    logs: Mapping[str, TableLog],
    now: Mapping[str, Consumed],
) -> Plan:
    held = bookmark.metadata.consumed

    def whole(action: Action, reason: str, warning: str | None = None) -> Plan:
        size = _bytes(*logs.values())
        return Plan(
            table,
            action,
            reason,
            log,
            state,
            bookmark,
            upstreams=now,
            consumed=now,
            references=now,
            warning=warning,
            bytes=size,
        )

    spans, lost = _spans(bookmark.metadata.consumed, logs, now)
    if lost is not None:
        return whole("rebuild", *lost)
    altered = [f"{name}: {span.altered}" for name, span in spans.items() if span.altered is not None]
    if altered:
        # What left an upstream and what an append has kept of it nobody can tell apart after this.
        keeps = isinstance(table.load, Append) and table.spec.on_removed == "ignore"
        told = "it is loaded in full, without the rows that it kept and an upstream has no more"
        return whole("full", "; ".join(altered), told if keeps else None)
    changed = [name for name, span in spans.items() if not span.empty]
    counted = [name for name in changed if table.spec.lookups.get(name) != "as_loaded"]
    drivers = [name for name in table.drivers if name in changed]
    lookups = [name for name in counted if name not in table.drivers]
    if isinstance(table.load, Overwrite):
        if counted:
            return whole("full", f"{', '.join(counted)} changed")
        return Plan(table, "nothing", "nothing new upstream", log, state, bookmark)
    if lookups:
        return whole("rebuild", f"the lookup {', '.join(lookups)} changed")
    if not drivers:
        return Plan(table, "nothing", "nothing new upstream", log, state, bookmark)
    deciding = [name for name in drivers if name in table.deciding]
    if deciding:
        # Its new and removed rows may decide about any row of the table, not only about those they give.
        return whole("rebuild", f"{', '.join(deciding)} changed, and rows are quarantined or dropped by it")
    driver = drivers[0]
    # Drivers whose turn has not come are read as they were consumed; lookups as they are now.
    upstreams = {
        name: held[name] if name in table.drivers and name != driver else current
        for name, current in now.items()
    }
    if isinstance(table.load, OverwritePartitions):
        assert table.analysis is not None
        reason = table.analysis.recomputable_by(driver, table.load.by)
        if reason is not None:
            return whole("full", f"{driver} changed, and its changes cannot be confined: {reason}")
    span = spans[driver]
    if isinstance(table.load, Append) and span.removed and table.spec.on_removed == "fail":
        told = f"{driver} changed rows; only added ones can be appended"
    else:
        told = f"{driver} changed" if span.removed else f"{driver} has new rows"
    return Plan(
        table,
        "incremental",
        told,
        log,
        state,
        bookmark,
        upstreams=upstreams,
        consumed=upstreams,
        references=now,
        driver=driver,
        span=span,
        bytes=_bytes(log, *logs.values()),
        more=len(drivers) > 1,
    )


def _spans(
    held: Mapping[str, Consumed], logs: Mapping[str, TableLog], now: Mapping[str, Consumed]
) -> tuple[dict[str, Span], tuple[str, str | None] | None]:
    """What happened in each upstream since it was consumed; or why that is not known, with a warning."""
    spans: dict[str, Span] = {}
    unread = sorted(held.keys() - now.keys())
    if unread:
        return spans, (f"{', '.join(unread)} is no longer read", None)
    for name, current in now.items():
        former = held.get(name)
        if former is None:
            return spans, (f"{name} was not consumed before", None)
        if former.id != current.id:
            return spans, (f"{name} was made again", f"{name} is another table than the one consumed before")
        if current.version < former.version:
            return spans, (f"{name} lost its newest versions", f"the log of {name} went back")
        try:
            spans[name] = look_at(logs[name], former.version, current.version)
        except HistoryGone:
            return spans, (f"the history of {name} is gone", f"the log of {name} no longer reaches back")
    return spans, None


def _bytes(*logs: TableLog) -> int | None:
    sizes = [log.size() for log in logs]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def tracked(table: Table) -> tuple[str, ...]:
    """The upstreams that decide the table's content: what it reads, and what rows are quarantined or dropped against."""
    return tuple(dict.fromkeys((*table.upstreams, *sorted(table.deciding))))


def _upstream_state(log: TableLog, table: Table, name: str) -> Consumed:
    id_, version = log.identity()
    if version == NO_TABLE:
        raise SourceError(
            "GS307",
            f"`{name}` has not been loaded yet.",
            where=Where(table=table.name),
            retryable=True,
            hint=f"Load it first: `goldsmith run {name}`.",
        )
    return Consumed(id_, version)
