"""Silver and gold tables: computed from their upstream tables, whole or from what changed there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, StructType
from typing_extensions import override

from goldsmith.engine.delta.changes import Span, look_at, read_table
from goldsmith.engine.delta.entered import AS_ENTERED
from goldsmith.engine.delta.log import NO_TABLE, Bookmark, HistoryGone, TableLog
from goldsmith.engine.delta.metadata import Consumed
from goldsmith.engine.ingest.shape import shape
from goldsmith.errors import RunError, SourceError, Where
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import LogOf, TableHandle
from goldsmith.run.loads import load_of
from goldsmith.run.plan import UNKNOWN_SIZE, Changes, LoadPlan, Nothing, Plan, Whole
from goldsmith.run.quarantined import Rows
from goldsmith.run.query import computed
from goldsmith.run.slices import FILE_REASONS, Slice
from goldsmith.run.sources.base import RowSource

_Lost = tuple[str, str | None]
"""Why the changes of an upstream are not known, and a warning where a person should hear of it."""


class Upstreams(RowSource):
    """The source of tables that have a query."""

    @override
    def plan(
        self, spark: SparkSession, run: Run, handle: TableHandle, *, force_full: str | None, log_of: LogOf
    ) -> Plan:
        """What changed upstream since the table consumed it, or that the whole table is computed."""
        del spark
        table, bookmark = handle.table, handle.bookmark
        logs = {name: log_of(run.path(name)) for name in _tracked(table)}
        now = {name: _consumed(log, table, name) for name, log in logs.items()}

        def whole(action: Literal["first", "full", "rebuild"], reason: str, *warnings: str) -> Whole:
            return Whole(
                handle=handle,
                action=action,
                reason=reason,
                warnings=warnings,
                upstreams=now,
                bytes=_bytes(*logs.values()),
            )

        if not handle.state.exists:
            return whole("first", "first load")
        if table.name in run.rebuild:
            return whole("rebuild", "asked for")
        if bookmark is None:
            if handle.state.counter == 0:
                if handle.is_foreign:
                    raise handle.foreign()
                return whole("first", "first load")
            return whole(
                "rebuild", "its bookmark is gone from the log", "the log no longer tells what was consumed"
            )
        if not table.continues(bookmark.metadata.definition):
            _refuse_rebuild(table)
            return whole("rebuild", "the declaration changed")
        if bookmark.foreign:
            told = f"its rows were changed outside Goldsmith ({', '.join(bookmark.foreign)})"
            return whole("rebuild", "changed outside Goldsmith", told)
        if force_full is not None:
            return whole("full", force_full)
        spans, lost = _spans(bookmark.metadata.consumed, logs, now)
        if lost is not None:
            reason, warning = lost
            return whole("rebuild", reason, *([warning] if warning else []))
        altered = [f"{name}: {span.altered}" for name, span in spans.items() if span.altered is not None]
        if altered:
            # What left an upstream and what an append has kept of it nobody can tell apart after this.
            keeps = table.load.accumulates and table.spec.on_removed == "ignore"
            told = "it is loaded in full, without the rows that it kept and an upstream has no more"
            return whole("full", "; ".join(altered), *([told] if keeps else []))
        action = _by_changes(handle, bookmark, spans, now, logs)
        return action if not isinstance(action, tuple) else whole(*action)

    @override
    def rows(self, spark: SparkSession, run: Run, plan: LoadPlan) -> Slice:
        """The query over the upstreams at their planned versions, or over what changed there."""
        assert isinstance(plan, Whole | Changes)
        table = plan.table
        pinned = {
            name: read_table(spark, run.path(name), at.version)
            for name, at in plan.upstreams.items()
            if name in table.upstreams
        }
        if isinstance(plan, Whole):
            return Slice(computed(spark, table, pinned))
        return load_of(table).changed(spark, run, plan, pinned)

    @override
    def check_types(self, plan: LoadPlan, delivered: StructType) -> None:
        """A query's types are what they are: columns that changed theirs make a full load."""

    @override
    def text_columns(self) -> Mapping[str, DataType]:
        """None: a query's rows have the table's columns alone."""
        return {}

    @override
    def parsed_again(self, table: Table, rows: Rows, names: Collection[str]) -> list[Rows]:
        """As they entered: nothing was parsed."""
        return [rows]

    @override
    def shaped_again(
        self,
        table: Table,
        frame: DataFrame,
        rows: Rows,
        types: Mapping[str, str],
    ) -> DataFrame:
        """As a query's rows are shaped."""
        shaped = shape(frame, types)
        return shaped.frame.selectExpr("*", f"{shaped.reasons} AS {FILE_REASONS}").drop(AS_ENTERED)

    @override
    def retyped_hint(self, table: Table) -> str:
        """The next load finds the changed declaration, and computes the whole table."""
        return f"A load rebuilds it and judges its quarantined rows again: `goldsmith run {table.name}`."

    @override
    def is_empty(self, run: Run, table: Table) -> bool:
        """True for a table that reads others: what these have to load is theirs to say."""
        return bool(table.needs)


def _by_changes(
    handle: TableHandle,
    bookmark: Bookmark,
    spans: Mapping[str, Span],
    now: Mapping[str, Consumed],
    logs: Mapping[str, TableLog],
) -> Plan | tuple[Literal["full", "rebuild"], str]:
    """The plan for upstreams whose changes are known; or with which action, and why, the whole table is computed."""
    table, load = handle.table, load_of(handle.table)
    changed = [name for name, span in spans.items() if not span.empty]
    counted = [name for name in changed if table.spec.lookups.get(name) != "as_loaded"]
    drivers = [name for name in table.drivers if name in changed]
    lookups = [name for name in counted if name not in table.drivers]
    if not table.load.incremental:
        if counted:
            return "full", f"{', '.join(counted)} changed"
        return Nothing(handle=handle, reason="nothing new upstream")
    if lookups:
        return "rebuild", f"the lookup {', '.join(lookups)} changed"
    if not drivers:
        return Nothing(handle=handle, reason="nothing new upstream")
    deciding_references = [name for name in drivers if name in table.deciding_references]
    if deciding_references:
        # Its new and removed rows may decide about any row of the table, not only about those they give.
        return (
            "rebuild",
            f"{', '.join(deciding_references)} changed, and rows are quarantined or dropped by it",
        )
    driver = drivers[0]
    unconfined = load.unconfined(table, driver)
    if unconfined is not None:
        return "full", f"{driver} changed, and its changes cannot be confined: {unconfined}"
    consumed = bookmark.metadata.consumed
    # Drivers whose turn has not come are read as they were consumed; lookups as they are now.
    upstreams = {
        name: consumed[name] if name in table.drivers and name != driver else current
        for name, current in now.items()
    }
    return Changes(
        handle=handle,
        reason=load.reason(table, driver, spans[driver]),
        upstreams=upstreams,
        consumed=consumed,
        references=now,
        driver=driver,
        span=spans[driver],
        bytes=_bytes(handle.log, *logs.values()),
        more=len(drivers) > 1,
    )


def _refuse_rebuild(table: Table) -> None:
    if table.spec.on_definition_change == "fail":
        raise RunError(
            "GS405",
            f"The declaration of `{table.name}` changed, and it says `on_definition_change: fail`.",
            where=table.where("on_definition_change"),
            hint=f"Rebuild it: `goldsmith run {table.name} --rebuild {table.name}`, or take the change back.",
        )


def _spans(
    held: Mapping[str, Consumed], logs: Mapping[str, TableLog], now: Mapping[str, Consumed]
) -> tuple[dict[str, Span], _Lost | None]:
    """What happened in each upstream since it was consumed; or why that is not known."""
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


def _bytes(*logs: TableLog) -> int:
    sizes = [log.size() for log in logs]
    return sum(UNKNOWN_SIZE if size is None else size for size in sizes)


def _tracked(table: Table) -> tuple[str, ...]:
    """The upstreams that decide the table's content: what it reads, and what rows are quarantined or dropped against."""
    return tuple(dict.fromkeys((*table.upstreams, *sorted(table.deciding_references))))


def _consumed(log: TableLog, table: Table, name: str) -> Consumed:
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
