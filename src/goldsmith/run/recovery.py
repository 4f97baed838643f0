"""Recovers a table's quarantine after killed runs, conflicts, a RESTORE and the deletion of the table."""

from __future__ import annotations

from collections.abc import Callable

from goldsmith.engine.delta.entry_batches import CommitStatus, unreconciled
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.quarantine import Reconciled
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle


def recover(run: Run, handle: TableHandle) -> Reconciled:
    """Reconciles the quarantine with the table's log, and removes entries that a RESTORE voided.

    Entries of a former table at this path, which was deleted, are removed, too.
    """
    quarantine, bookmark = handle.quarantine, handle.bookmark
    if handle.state.counter == 0:
        _remove_former(run, handle)
    base = bookmark.metadata.quarantine if bookmark else None
    status_of = commit_status(run, handle.log, handle.state.counter)
    reconciled = quarantine.reconcile(base if base is not None else NO_TABLE, status_of)
    if bookmark is not None and bookmark.restored:
        quarantine.remove_voided(bookmark.metadata.voided)
    return reconciled


def discard_uncommitted(run: Run, handle: TableHandle, reconciled: Reconciled) -> None:
    """Removes the entries of a failed attempt, because the next one has the same run id and counter."""
    since = reconciled.until if reconciled.until is not None else NO_TABLE
    own = (run.run_id, handle.counter)
    if not any((batch.run_id, batch.counter) == own for batch in unreconciled(handle.quarantine.log, since)):
        return
    if handle.log.own_commit(handle.state.version, *own) is None:
        handle.quarantine.discard(run.entry_batch(handle.counter))


def _remove_former(run: Run, handle: TableHandle) -> None:
    """Removes all entries if the table has no commit of Goldsmith's, except pending ones of concurrent first loads."""
    found = handle.quarantine.batches()
    # In this order: a run may have committed since the handle was opened, and others may have written entries after it.
    if not found or handle.log.state().counter:
        return
    if run.lockless:
        first = [batch for batch in unreconciled(handle.quarantine.log, NO_TABLE) if batch.counter == 1]
        found -= {(batch.run_id, batch.counter) for batch in first}
    handle.quarantine.remove_batches(found)


def commit_status(run: Run, log: TableLog, last: int) -> Callable[[str, int], CommitStatus]:
    """Returns a function for the status of a run's commit. last: the counter of the table's last commit."""

    def status_of(run_id: str, counter: int) -> CommitStatus:
        if counter > last:
            return "pending" if run.lockless else "aborted"
        since = log.committed_since(counter - 1)
        made = next((commit for commit in since if commit.counter == counter), None)
        # Entries of a commit that is no longer in the log were reconciled when it was the last one.
        return "committed" if made is None or made.run_id == run_id else "aborted"

    return status_of
