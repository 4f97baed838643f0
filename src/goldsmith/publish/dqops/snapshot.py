"""A copy of DQOps' results as they lie on disk, taken while its server may be writing them."""

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
TRIES = 50
PAUSE = 0.1


def data_folder(root: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Where the server keeps its results: DQOPS_DATA, else `.data` of the project's user home.

    Raises SourceError GS706 where no such folder is there.
    """
    env = os.environ if environment is None else environment
    folder = Path(env.get("DQOPS_DATA") or root / FOLDER / ".data")
    if not folder.is_dir():
        raise SourceError(
            "GS706",
            "DQOps' results are not there.",
            where=Where(file=folder),
            hint="Let its server run some checks, mount its user home here, or set DQOPS_DATA to its folder `.data`.",
        )
    return folder


def copied(data: Path, target: Path, since: date | None) -> int:
    """Copies the check results of the months from `since` on, with their folders; returns how many files there were.

    Each file is copied whole: one that changed meanwhile is copied again. Raises SourceError GS706, which may be
    retried, where a file does not come to rest.
    """
    count = 0
    for file in sorted((data / "check_results" / f"c={CONNECTION}").glob("t=*/m=*/*.parquet")):
        month = file.parent.name.removeprefix("m=")
        if since is not None and month < since.replace(day=1).isoformat():
            continue
        place = target / file.relative_to(data)
        place.parent.mkdir(parents=True, exist_ok=True)
        count += _copy_whole(file, place)
    return count


def _copy_whole(file: Path, place: Path) -> bool:
    """Copies a file that does not change meanwhile and is whole; False where it was taken away."""
    for _ in range(TRIES):
        try:
            before = file.stat()
            shutil.copyfile(file, place)
            after = file.stat()
        except FileNotFoundError:
            place.unlink(missing_ok=True)
            return False
        same = (before.st_ino, before.st_size, before.st_mtime_ns) == (
            after.st_ino,
            after.st_size,
            after.st_mtime_ns,
        )
        if same and _is_whole(place):
            return True
        time.sleep(PAUSE)
    place.unlink(missing_ok=True)
    raise SourceError(
        "GS706",
        "A file of DQOps' results is not whole, or is being written all the time.",
        where=Where(file=file),
        hint="See in its console whether the server is well.",
        retryable=True,
    )


def _is_whole(file: Path) -> bool:
    """Whether a parquet file has its beginning and its end."""
    if file.stat().st_size < _SMALLEST:
        return False
    with file.open("rb") as content:
        begun = content.read(len(_MAGIC)) == _MAGIC
        content.seek(-len(_MAGIC), os.SEEK_END)
        return begun and content.read() == _MAGIC
