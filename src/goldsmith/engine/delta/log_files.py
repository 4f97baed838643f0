"""The files of a table's Delta log and folder, on a disk or on S3, without a JVM."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Protocol

from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.s3 import Bucket, environment

_COMMIT = re.compile(r"(\d{20})\.json")


class LogFiles(Protocol):
    """The files of one table."""

    def newest(self, known: int) -> int:
        """The newest version; NO_TABLE if there is none. known: a version that was the newest one, or NO_TABLE."""
        ...

    def text(self, name: str) -> str:
        """A file of the log. Raises FileNotFoundError."""
        ...

    def folder(self) -> list[str]:
        """The names of files and folders in the table's folder; its own name if it is a file."""
        ...


def log_files(path: str) -> LogFiles:
    """The files of the table at `path`."""
    return _S3Files(path) if "://" in path else _DiskFiles(path)


class _DiskFiles:
    def __init__(self, path: str) -> None:
        self._table = Path(path)
        self._log = self._table / "_delta_log"

    def newest(self, known: int) -> int:  # noqa: ARG002 - a folder is listed as a whole
        return max(_versions(self._names(self._log)), default=NO_TABLE)

    def text(self, name: str) -> str:
        return (self._log / name).read_text(encoding="utf-8")

    def folder(self) -> list[str]:
        return [self._table.name] if self._table.is_file() else list(self._names(self._table))

    def _names(self, folder: Path) -> Iterator[str]:
        try:
            yield from (file.name for file in folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return


class _S3Files:
    def __init__(self, path: str) -> None:
        bucket, _, key = path.partition("://")[2].partition("/")
        self._bucket = _bucket(bucket, environment())
        self._table = key.rstrip("/") + "/"
        self._log = f"{self._table}_delta_log/"

    def newest(self, known: int) -> int:
        known = known if known != NO_TABLE else self._checkpointed()
        found = max(_versions(self._after(known)), default=NO_TABLE)
        if found == NO_TABLE and known != NO_TABLE:
            # The table was deleted since, and perhaps made again.
            found = max(_versions(self._after(NO_TABLE)), default=NO_TABLE)
        return found

    def _checkpointed(self) -> int:
        """The version of the last checkpoint, which saves the listing of older commits."""
        try:
            return int(json.loads(self.text("_last_checkpoint"))["version"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return NO_TABLE

    def _after(self, known: int) -> Iterator[str]:
        """The names of the log's files, without those of versions before a known one."""
        start = f"{self._log}{known:020d}" if known > NO_TABLE else ""
        return (item["Key"].rpartition("/")[2] for item in self._bucket.listed(self._log, after=start))

    def text(self, name: str) -> str:
        return self._bucket.body(self._log + name).readall().decode()

    def folder(self) -> list[str]:
        keys = (item["Key"].removeprefix(self._table) for item in self._bucket.listed(self._table))
        return list(dict.fromkeys(key.partition("/")[0] for key in keys))


def _versions(names: Iterator[str]) -> Iterator[int]:
    return (int(match[1]) for name in names if (match := _COMMIT.fullmatch(name)))


@cache
def _bucket(name: str, _of: tuple[str | None, ...]) -> Bucket:
    """A bucket of the environment's store, whose client is kept while the environment is the same."""
    return Bucket.of(f"s3a://{name}")
