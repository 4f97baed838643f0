"""Announces what a changed declaration does to a loaded table, before its next load."""

from __future__ import annotations

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import TableState
from goldsmith.errors import RunError
from goldsmith.project.tables import Table
from goldsmith.run.planners import planner_of


def announcement(table: Table, log: TableLog, state: TableState) -> str | None:
    """What the next load does because the table's declaration changed; None if it did not, or has no such effect."""
    bookmark = log.bookmark(state) if state.exists else None
    if bookmark is None:
        return None
    try:
        reason = planner_of(table).changed_declaration(table, log, bookmark)
    except RunError as error:
        return f"The next load will fail with {error.code}. {error.message} {error.hint or ''}".rstrip()
    return None if reason is None else f"The next load computes the whole table: {reason}."
