"""One writer per table on a disk: a file lock, which the system releases when its process dies."""

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
    """Holds a table where there are locks. Raises RunError GS502, which may be retried, where another process has it."""
    if run.meets_others:
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
            f"Another run holds `{table}`{_told(holder)}.",
            where=Where(table=table),
            retryable=True,
            hint="It goes on there. Run this again when that run is done.",
        ) from None


@contextmanager
def ops_lock(run: Run) -> Iterator[None]:
    """Holds the platform's own tables, waiting for others: they are written for moments."""
    if run.meets_others:
        yield
        return
    lock, _ = _files(run, "ops")
    with FileLock(lock, timeout=OPS_SECONDS):
        yield


def _files(run: Run, name: str) -> tuple[Path, Path]:
    folder = Path(run.warehouse) / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.lock", folder / f"{name}.json"


def _told(holder: Path) -> str:
    try:
        held = json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return ""
    return f" (run {held['run_id']}, process {held['pid']})"
