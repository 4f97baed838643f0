"""Whether a table's old files may go: not while another table still has to read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from goldsmith.engine.delta.log import HistoryGone, TableLog
from goldsmith.engine.delta.metadata import Consumed
from goldsmith.run.context import Run

MARGIN = timedelta(days=1)
"""Files of a commit are written before it: by how much at most."""


def bookmarks(spark: SparkSession, run: Run) -> dict[str, Mapping[str, Consumed]]:
    """What each declared table has consumed of its upstreams; tables without a bookmark compute everything anew."""
    found = {}
    for name in run.project.tables:
        log = TableLog(spark, run.path(name))
        state = log.state()
        bookmark = log.bookmark(state) if state.exists else None
        if bookmark is not None:
            found[name] = bookmark.metadata.consumed
    return found


def held_by(
    name: str, log: TableLog, consumed: Mapping[str, Mapping[str, Consumed]], now: datetime
) -> str | None:
    """The table that still has to read files of this one which are older than what is kept; None if there is none.

    A table that has consumed version v reads v itself and every change after it: the files that were removed since
    v + 1. Where the log has lost v + 1 it computes everything anew, and needs none of them.
    """
    id_, newest = log.identity()
    kept = timedelta(hours=log.retention())
    for reader, upstreams in consumed.items():
        held = upstreams.get(name)
        if held is None or held.id != id_ or held.version >= newest:
            continue
        try:
            first = log.commit(held.version + 1)
        except HistoryGone:
            continue
        if now - datetime.fromtimestamp(first.at / 1000, UTC) > kept - MARGIN:
            return reader
    return None
