"""Plans silver and gold tables: what their upstreams changed since they were consumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from typing_extensions import override

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import Consumed
from goldsmith.engine.delta.spans import Span, read_span
from goldsmith.engine.delta.state import NO_TABLE, Bookmark, HistoryGone
from goldsmith.errors import RunError, SourceError, Where
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.plan import UNKNOWN_SIZE, Changes, Nothing, Plan, Whole
from goldsmith.run.planners.base import Planner

_MissingHistory = tuple[str, str | None]
"""The reason why the changes of an upstream are unknown, and a warning, if needed."""


class UpstreamsPlanner(Planner):
    """Compares the logs of the upstreams with the versions that the table has consumed."""

    @override
    def plan(self, run: Run, handle: TableHandle, *, force_full: str | None) -> Plan:
        """Plans to apply the changes since the consumed versions, or to compute the whole table."""
        table, bookmark = handle.table, handle.bookmark
        logs = {name: TableLog(run.path(name)) for name in _tracked(table)}
        now = {name: _consumed(log, table, name) for name, log in logs.items()}

        def whole(action: Literal["first", "full", "rebuild"], reason: str, *warnings: str) -> Whole:
            if action != "first" and table.name not in run.rebuild:
                _refuse_if_required(table, reason)
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
                "rebuild", "its bookmark is gone from the log", "the log no longer has the consumed versions"
            )
        changed = self.changed_declaration(table, handle.log, bookmark)
        if changed is not None:
            return whole("rebuild", changed)
        if bookmark.foreign:
            warning = f"its rows were changed outside Goldsmith ({', '.join(bookmark.foreign)})"
            return whole("rebuild", "changed outside Goldsmith", warning)
        if force_full is not None:
            return whole("full", force_full)
        spans, lost = _spans(bookmark.metadata.consumed, logs, now)
        if lost is not None:
            reason, lost_warning = lost
            return whole("rebuild", reason, *([lost_warning] if lost_warning else []))
        schema_changes = [
            f"{name}: {span.schema_change}" for name, span in spans.items() if span.schema_change is not None
        ]
        if schema_changes:
            # Rows that an append has kept and an upstream has removed can no longer be identified.
            keeps = table.load.accumulates and table.spec.on_removed == "ignore"
            lost_rows = "it is loaded in full, without the kept rows that an upstream no longer has"
            return whole("full", "; ".join(schema_changes), *([lost_rows] if keeps else []))
        action = _incremental_plan(handle, bookmark, spans, now, logs)
        return action if not isinstance(action, tuple) else whole(*action)

    @override
    def changed_declaration(self, table: Table, log: TableLog, bookmark: Bookmark) -> str | None:
        del log
        if table.continues(bookmark.metadata.definition):
            return None
        reason = "the declaration changed"
        _refuse_rebuild(table)
        _refuse_if_required(table, reason)
        return reason

    @override
    def type_change_hint(self, table: Table) -> str:
        """The next load detects the changed declaration and rebuilds the table."""
        return f"Run `goldsmith run {table.name}`, which rebuilds it and re-evaluates its quarantined rows."

    @override
    def is_empty(self, run: Run, table: Table) -> bool:
        """True for a table that reads others: these decide whether there are rows."""
        return bool(table.needs)


def _incremental_plan(
    handle: TableHandle,
    bookmark: Bookmark,
    spans: Mapping[str, Span],
    now: Mapping[str, Consumed],
    logs: Mapping[str, TableLog],
) -> Plan | tuple[Literal["full", "rebuild"], str]:
    """The plan for upstreams whose changes are known, or the action and reason of a full load."""
    table, load = handle.table, handle.table.load
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
        # Its new and removed rows may change the outcome of any row of the table.
        return (
            "rebuild",
            f"{', '.join(deciding_references)} changed, and rows are quarantined or dropped by it",
        )
    driver = drivers[0]
    full_load_reason = load.full_load_reason(table.analysis, driver)
    if full_load_reason is not None:
        return "full", f"{driver} changed, and its changes cannot be confined: {full_load_reason}"
    consumed = bookmark.metadata.consumed
    # Drivers that are not applied yet are read at their consumed versions, lookups at their newest ones.
    upstreams = {
        name: consumed[name] if name in table.drivers and name != driver else current
        for name, current in now.items()
    }
    return Changes(
        handle=handle,
        reason=load.incremental_reason(
            driver, removed=spans[driver].removed, refused=table.spec.on_removed == "fail"
        ),
        upstreams=upstreams,
        consumed=consumed,
        references=now,
        driver=driver,
        span=spans[driver],
        bytes=_bytes(handle.log, *logs.values()),
        more=len(drivers) > 1,
    )


def _refuse_if_required(table: Table, reason: str) -> None:
    if table.spec.incremental is not None:
        raise RunError(
            "GS509",
            f"A load of `{table.name}` would read everything, and it is `incremental: required`: {reason}.",
            where=table.where("incremental"),
            hint=f"Rebuild it once: `goldsmith run {table.name} --rebuild {table.name}`.",
        )


def _refuse_rebuild(table: Table) -> None:
    if table.spec.on_definition_change == "fail":
        raise RunError(
            "GS405",
            f"The declaration of `{table.name}` changed, and it has `on_definition_change: fail`.",
            where=table.where("on_definition_change"),
            hint=f"Rebuild it: `goldsmith run {table.name} --rebuild {table.name}`, or undo the change.",
        )


def _spans(
    consumed: Mapping[str, Consumed], logs: Mapping[str, TableLog], now: Mapping[str, Consumed]
) -> tuple[dict[str, Span], _MissingHistory | None]:
    """The changes of each upstream since it was consumed, or the reason why they are unknown."""
    spans: dict[str, Span] = {}
    removed = sorted(consumed.keys() - now.keys())
    if removed:
        return spans, (f"{', '.join(removed)} is no longer read", None)
    for name, current in now.items():
        former = consumed.get(name)
        if former is None:
            return spans, (f"{name} was not consumed before", None)
        if former.id != current.id:
            return spans, (f"{name} was made again", f"{name} is another table than the one consumed before")
        if current.version < former.version:
            return spans, (f"{name} lost its newest versions", f"the log of {name} went back")
        try:
            spans[name] = read_span(logs[name], former.version, current.version)
        except HistoryGone:
            return spans, (f"the history of {name} is gone", f"the log of {name} no longer reaches back")
    return spans, None


def _bytes(*logs: TableLog) -> int:
    sizes = [log.size() for log in logs]
    return sum(UNKNOWN_SIZE if size is None else size for size in sizes)


def _tracked(table: Table) -> tuple[str, ...]:
    """The tables that determine the table's content: its upstreams, and those that decide about rows."""
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
