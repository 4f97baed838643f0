"""Decides what a table's load has to do, from looks into logs and at the landing folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyspark.sql import SparkSession

from goldsmith.engine.changes import Span, look_at
from goldsmith.engine.landing import digest
from goldsmith.engine.log import NO_TABLE, Bookmark, HistoryGone, TableLog, TableState
from goldsmith.engine.metadata import Consumed, LoadedFile
from goldsmith.engine.shape import same_type
from goldsmith.errors import RunError, SourceError, StorageError, Where
from goldsmith.project.models import Append, Overwrite, OverwritePartitions
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.ledger import NewFiles, check_complete, known_files, new_files

Action = Literal["nothing", "first", "incremental", "full", "rebuild"]


@dataclass(frozen=True)
class Plan:
    """What one load of a table will do, and why.

    upstreams: each at the version that is read. driver: whose span is applied, where the load is incremental.
    consumed: what the table will have consumed after it. pending: other drivers whose changes are left.
    """

    table: Table
    action: Action
    reason: str
    state: TableState
    bookmark: Bookmark | None = None
    upstreams: Mapping[str, Consumed] = field(default_factory=dict)
    consumed: Mapping[str, Consumed] = field(default_factory=dict)
    driver: str | None = None
    span: Span | None = None
    files: NewFiles | None = None
    listing: str | None = None
    warning: str | None = None

    @property
    def counter(self) -> int:
        """The counter that the load's commit will carry."""
        return self.state.counter + 1

    @property
    def loaded(self) -> tuple[LoadedFile, ...]:
        """The files that the load takes."""
        return self.files.files if self.files is not None else ()


def plan_table(spark: SparkSession, run: Run, table: Table, *, force_full: str | None = None) -> Plan:
    """The plan for one table. force_full: why everything is read, where an incremental load turned out impossible.

    Raises SourceError, StorageError and RunError with what stands in the way.
    """
    log = TableLog(spark, run.path(table.name))
    state = log.state()
    bookmark = log.bookmark(state) if state.exists else None
    if table.spec.source is not None:
        return _plan_bronze(spark, run, table, log, state, bookmark)
    return _plan_derived(spark, run, table, state, bookmark, force_full)


def _plan_bronze(
    spark: SparkSession, run: Run, table: Table, log: TableLog, state: TableState, bookmark: Bookmark | None
) -> Plan:
    assert table.spec.source is not None
    asked = table.name in run.rebuild
    if state.exists and state.counter == 0 and not asked and not _just_made(log, state):
        raise _foreign(run, table)
    listing = run.landing.files(table.spec.source.files, table=table.name)
    seen = digest(listing)
    if bookmark is not None and bookmark.metadata.listing == seen and not bookmark.restored and not asked:
        return Plan(table, "nothing", "no new files", state, bookmark)
    known = known_files(spark, run, table, log, bookmark) if state.counter else frozenset()
    if asked:
        check_complete(table, listing, known)
        every = NewFiles(listing, (), ())
        return Plan(table, "rebuild", "asked for", state, bookmark, files=every, listing=seen)
    found = new_files(table, listing, known)
    if not found.files:
        ignored = f"; {len(found.ignored)} replaced files are ignored" if found.ignored else ""
        return Plan(table, "nothing", "no new files" + ignored, state, bookmark)
    if bookmark is not None and bookmark.metadata.definition != table.definition:
        _refuse_other_types(table, log)
    reason = f"{len(found.files)} new file{'s' if len(found.files) > 1 else ''}"
    if found.replaced:
        reason += f", {len(found.replaced)} of them replaced"
    return Plan(
        table, "incremental" if state.exists else "first", reason, state, bookmark, files=found, listing=seen
    )


def _just_made(log: TableLog, state: TableState) -> bool:
    """True for a clustered table whose first load did not come to its commit: made, and empty."""
    return state.version == 0 and log.commit(0).operation.startswith("CREATE") and not log.commit(0).added


def _refuse_other_types(table: Table, log: TableLog) -> None:
    held = log.types()
    for name, column in table.spec.columns.items():
        if name in held and column.type and not same_type(column.type, held[name]):
            raise RunError(
                "GS405",
                f"`{table.name}` holds {name} as {held[name]}, and it is declared as {column.type} now.",
                where=table.where("columns", name),
                hint="Bronze is never rebuilt by itself: "
                f"`goldsmith run {table.name} --rebuild {table.name}` reads all its files again.",
            )


def _plan_derived(
    spark: SparkSession,
    run: Run,
    table: Table,
    state: TableState,
    bookmark: Bookmark | None,
    force_full: str | None,
) -> Plan:
    now = {name: _upstream_state(spark, run, table, name) for name in tracked(table)}

    def whole(action: Action, reason: str, warning: str | None = None) -> Plan:
        return Plan(table, action, reason, state, bookmark, upstreams=now, consumed=now, warning=warning)

    if not state.exists:
        return whole("first", "first load")
    if table.name in run.rebuild:
        return whole("rebuild", "asked for")
    if bookmark is None:
        if state.counter == 0 and _just_made(TableLog(spark, run.path(table.name)), state):
            return whole("first", "first load")
        if state.counter == 0:
            if _just_made(TableLog(spark, run.path(table.name)), state):
                return whole("first", "first load")
            raise _foreign(run, table)
        return whole(
            "rebuild", "its bookmark is gone from the log", "the log no longer tells what was consumed"
        )
    held = bookmark.metadata
    if held.definition != table.definition:
        if table.spec.on_definition_change == "fail":
            raise RunError(
                "GS405",
                f"The declaration of `{table.name}` changed, and it says `on_definition_change: fail`.",
                where=table.where("on_definition_change"),
                hint=f"Rebuild it: `goldsmith run {table.name} --rebuild {table.name}`, or take the change back.",
            )
        return whole("rebuild", "the declaration changed")
    if bookmark.foreign_changes:
        return whole(
            "rebuild",
            "something else changed its rows",
            "its rows were changed by something else than Goldsmith",
        )
    if force_full is not None:
        return whole("full", force_full)
    return _plan_changes(spark, run, table, state, bookmark, now)


def _plan_changes(
    spark: SparkSession,
    run: Run,
    table: Table,
    state: TableState,
    bookmark: Bookmark,
    now: Mapping[str, Consumed],
) -> Plan:
    held = bookmark.metadata.consumed
    spans: dict[str, Span] = {}

    def whole(action: Action, reason: str, warning: str | None = None) -> Plan:
        return Plan(table, action, reason, state, bookmark, upstreams=now, consumed=now, warning=warning)

    for name, current in now.items():
        former = held.get(name)
        if former is None:
            return whole("rebuild", f"{name} was not consumed before")
        if former.id != current.id:
            return whole(
                "rebuild", f"{name} was made again", f"{name} is another table than the one consumed before"
            )
        if current.version < former.version:
            return whole("rebuild", f"{name} lost its newest versions", f"the log of {name} went back")
        try:
            spans[name] = look_at(TableLog(spark, run.path(name)), former.version, current.version)
        except HistoryGone:
            return whole(
                "rebuild", f"the history of {name} is gone", f"the log of {name} no longer reaches back"
            )
    changed = [name for name, span in spans.items() if not span.empty]
    counted = [name for name in changed if table.spec.lookups.get(name) != "as_loaded"]
    drivers = [name for name in table.drivers if name in changed]
    lookups = [name for name in counted if name not in table.drivers]
    if isinstance(table.load, Overwrite):
        if counted:
            return whole("full", f"{', '.join(counted)} changed")
        return Plan(table, "nothing", "nothing new upstream", state, bookmark)
    if lookups:
        return whole("rebuild", f"the lookup {', '.join(lookups)} changed")
    if not drivers:
        return Plan(table, "nothing", "nothing new upstream", state, bookmark)
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
        state,
        bookmark,
        upstreams=upstreams,
        consumed=upstreams,
        driver=driver,
        span=span,
    )


def _foreign(run: Run, table: Table) -> StorageError:
    return StorageError(
        "GS406",
        f"`{table.name}` was written by something other than Goldsmith.",
        where=Where(file=run.path(table.name), table=table.name),
        hint=f"Move it away, or replace it: `goldsmith run {table.name} --rebuild {table.name}`.",
    )


def tracked(table: Table) -> tuple[str, ...]:
    """The upstreams that decide the table's content: what it reads, and what rows are quarantined or dropped against."""
    deciding = {
        str(expectation.arguments["table"])
        for expectation in table.spec.expectations
        if expectation.kind == "expect_column_values_to_exist_in"
        and expectation.otherwise in ("drop", "quarantine")
    }
    return tuple(dict.fromkeys((*table.upstreams, *sorted(deciding))))


def _upstream_state(spark: SparkSession, run: Run, table: Table, name: str) -> Consumed:
    id_, version = TableLog(spark, run.path(name)).identity()
    if version == NO_TABLE:
        raise SourceError(
            "GS307",
            f"`{name}` has not been loaded yet.",
            where=Where(table=table.name),
            retryable=True,
            hint=f"Load it first: `goldsmith run {name}`.",
        )
    return Consumed(id_, version)
