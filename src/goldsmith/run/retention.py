"""Decides whether a table's old files may be removed: not while another table still has to read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import Consumed
from goldsmith.engine.delta.state import HistoryGone
from goldsmith.run.context import Run

MARGIN = timedelta(days=1)
"""The greatest time between the writing of files and their commit."""


def bookmarks(run: Run) -> dict[str, Mapping[str, Consumed]]:
    """The versions that each declared table has consumed. Tables without a bookmark are loaded in full."""
    found = {}
    for name in run.project.tables:
        log = TableLog(run.path(name))
        state = log.state()
        bookmark = log.bookmark(state) if state.exists else None
        if bookmark is not None:
            found[name] = bookmark.metadata.consumed
    return found


def blocking_reader(
    name: str, log: TableLog, consumed: Mapping[str, Mapping[str, Consumed]], now: datetime, kept: timedelta
) -> str | None:
    """A table that still has to read old files of this one; None if there is none.

    kept: the retention of removed files. A table that has consumed version v reads v and the changes after it, with
    files that were removed since v + 1. If the log no longer has v + 1, it is loaded in full and needs none of them.
    """
    id_, newest = log.identity()
    for reader, upstreams in consumed.items():
        former = upstreams.get(name)
        if former is None or former.id != id_ or former.version >= newest:
            continue
        try:
            first = log.commit(former.version + 1)
        except HistoryGone:
            continue
        if now - datetime.fromtimestamp(first.at / 1000, UTC) > kept - MARGIN:
            return reader
    return None
