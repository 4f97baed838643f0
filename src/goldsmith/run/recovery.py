"""Recovers a table's quarantine after runs that were killed or lost a race, and after a RESTORE."""

from __future__ import annotations

from collections.abc import Callable

from goldsmith.engine.delta.log import NO_TABLE, TableLog
from goldsmith.engine.delta.quarantine import Claim, Settled
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle


def recover(run: Run, handle: TableHandle) -> Settled:
    """Settles what runs before left open in the quarantine, and removes entries that a RESTORE voided."""
    quarantine, bookmark = handle.quarantine, handle.bookmark
    base = bookmark.metadata.quarantine if bookmark else None
    claimed = claims(run, handle.log, handle.state.counter)
    settled = quarantine.settle(base if base is not None else NO_TABLE, claimed)
    if bookmark is not None and bookmark.restored:
        quarantine.remove_void(bookmark.metadata.voided)
    return settled


def claims(run: Run, log: TableLog, last: int) -> Callable[[str, int], Claim]:
    """Tells what became of the commit that a run meant to make. last: the counter of the table's last commit."""

    def claim(run_id: str, counter: int) -> Claim:
        if counter > last:
            return "open" if run.meets_others else "void"
        since = log.committed_since(counter - 1)
        made = next((commit for commit in since if commit.counter == counter), None)
        # A commit that has left the log was settled when it was the last one.
        return "taken" if made is None or made.run_id == run_id else "void"

    return claim
