"""Copies DQOps' result files while the server may be writing them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from goldsmith.errors import SourceError, Where
from goldsmith.publish.dqops.names import CONNECTION, FOLDER

_MAGIC = b"PAR1"
_SMALLEST = 12
ATTEMPTS = 50
PAUSE = 0.1


def data_folder(root: Path, environment: Mapping[str, str] | None = None) -> Path:
    """The server's folder of results: DQOPS_DATA, else `.data` of the project's user home.

    Raises SourceError GS706 if the folder does not exist.
    """
    env = os.environ if environment is None else environment
    folder = Path(env.get("DQOPS_DATA") or root / FOLDER / ".data")
    if not folder.is_dir():
        raise SourceError(
            "GS706",
            "The folder of DQOps' results does not exist.",
            where=Where(file=folder),
            hint="Run some checks on the server, mount its user home here, or set DQOPS_DATA to its folder `.data`.",
        )
    return folder


def copy_results(data: Path, target: Path, since: date | None) -> int:
    """Copies the check results of the months from `since` on, with their folders; returns the number of files.

    A file that changes during the copy is copied again. Raises a retryable SourceError GS706 for a file that keeps
    changing.
    """
    count = 0
    for file in sorted((data / "check_results" / f"c={CONNECTION}").glob("t=*/m=*/*.parquet")):
        month = file.parent.name.removeprefix("m=")
        if since is not None and month < since.replace(day=1).isoformat():
            continue
        copy = target / file.relative_to(data)
        copy.parent.mkdir(parents=True, exist_ok=True)
        count += _copy_consistently(file, copy)
    return count


def _copy_consistently(file: Path, copy: Path) -> bool:
    """Copies a complete file that does not change meanwhile; False if it was removed."""
    for _ in range(ATTEMPTS):
        try:
            before = file.stat()
            shutil.copyfile(file, copy)
            after = file.stat()
        except FileNotFoundError:
            copy.unlink(missing_ok=True)
            return False
        same = (before.st_ino, before.st_size, before.st_mtime_ns) == (
            after.st_ino,
            after.st_size,
            after.st_mtime_ns,
        )
        if same and _is_complete(copy):
            return True
        time.sleep(PAUSE)
    copy.unlink(missing_ok=True)
    raise SourceError(
        "GS706",
        "A file of DQOps' results is incomplete or keeps changing.",
        where=Where(file=file),
        hint="Check the state of the server in its console.",
        retryable=True,
    )


def _is_complete(file: Path) -> bool:
    """Whether a Parquet file has its first and last bytes."""
    if file.stat().st_size < _SMALLEST:
        return False
    with file.open("rb") as content:
        has_start = content.read(len(_MAGIC)) == _MAGIC
        content.seek(-len(_MAGIC), os.SEEK_END)
        return has_start and content.read() == _MAGIC
