"""The batches in which a run writes entries to a quarantine, as recorded in the quarantine's log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import HistoryGone

CommitStatus = Literal["committed", "aborted", "pending"]
"""The status of the commit that entries belong to."""


@dataclass(frozen=True)
class EntryBatch:
    """Identifies the entries that a run writes: by its id and the counter of its commit."""

    run_id: str
    counter: int
    at: datetime


@dataclass(frozen=True)
class WrittenBatch:
    """A write of entries. marks: the number of marks among them."""

    run_id: str
    counter: int
    marks: int
    version: int


def unreconciled(log: TableLog, since: int) -> list[WrittenBatch]:
    """The batches written after a version of a quarantine that are not reconciled, oldest first.

    Versions that are no longer in the log were reconciled long ago.
    """
    commits = []
    for number in range(log.version(), since, -1):
        try:
            commits.append(log.commit(number))
        except HistoryGone:
            break
    found: list[WrittenBatch] = []
    for commit in reversed(commits):
        metadata = json.loads(commit.user_metadata or "{}")
        if "run_id" in metadata:
            found.append(
                WrittenBatch(metadata["run_id"], metadata["counter"], metadata["marks"], commit.version)
            )
        done = {(run_id, counter) for run_id, counter in metadata.get("settled", ())}
        found = [written for written in found if (written.run_id, written.counter) not in done]
    return found
