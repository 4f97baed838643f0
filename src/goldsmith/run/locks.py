"""Table locks on a disk: file locks, which the system releases when their process ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from goldsmith.errors import RunError, Where
from goldsmith.run.context import Run

OPS_SECONDS = 600


@contextmanager
def table_lock(run: Run, table: str) -> Iterator[None]:
    """Locks a table, if there are locks. Raises RunError GS502, retryable, if another process has the lock."""
    if run.lockless:
        yield
        return
    lock, holder = _files(run, table)
    try:
        with FileLock(lock, timeout=0):
            holder.write_text(json.dumps({"pid": os.getpid(), "run_id": run.run_id}), encoding="utf-8")
            yield
    except Timeout:
        raise RunError(
            "GS502",
            f"Another run has locked `{table}`{_holder_text(holder)}.",
            where=Where(table=table),
            retryable=True,
            hint="Run again when that run has finished.",
        ) from None


@contextmanager
def ops_lock(run: Run) -> Iterator[None]:
    """Locks the tables of `ops`; waits for other processes, which hold the lock only briefly."""
    if run.lockless:
        yield
        return
    lock, _ = _files(run, "ops")
    with FileLock(lock, timeout=OPS_SECONDS):
        yield


def _files(run: Run, name: str) -> tuple[Path, Path]:
    folder = Path(run.warehouse) / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.lock", folder / f"{name}.json"


def _holder_text(holder: Path) -> str:
    try:
        process = json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return ""
    return f" (run {process['run_id']}, process {process['pid']})"
