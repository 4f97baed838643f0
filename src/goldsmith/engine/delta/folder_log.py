"""Reads a Delta log from its files without a JVM, to decide whether a table has anything to load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Protocol

from goldsmith.engine.delta.commit import Commit, read_commit
from goldsmith.engine.delta.log import TableLog, types_in
from goldsmith.engine.delta.state import NO_TABLE, HistoryGone
from goldsmith.engine.s3 import Bucket

_COMMIT = re.compile(r"(\d{20})\.json")


class NeedsSpark(Exception):  # noqa: N818 - asks the caller to start Spark
    """The log's files do not suffice; the message is the reason."""


class WithoutSpark:
    """A placeholder for a session that raises NeedsSpark when used."""

    def __getattr__(self, name: str) -> NoReturn:
        raise NeedsSpark(f"`{name}` of the session is needed")


class _Files(Protocol):
    """The files of one folder."""

    def names(self) -> Iterator[str]: ...

    def text(self, name: str) -> str:
        """Raises FileNotFoundError."""
        ...


class _DiskFiles:
    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def names(self) -> Iterator[str]:
        return (file.name for file in self._folder.iterdir()) if self._folder.is_dir() else iter(())

    def text(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8")


class _S3Files:
    def __init__(self, folder: str) -> None:
        self._bucket = _bucket(folder.partition("://")[2].partition("/")[0])
        self._prefix = folder.partition("://")[2].partition("/")[2] + "/"

    def names(self) -> Iterator[str]:
        return (item["Key"].rpartition("/")[2] for item in self._bucket.listed(self._prefix))

    def text(self, name: str) -> str:
        return self._bucket.body(self._prefix + name).readall().decode()


@cache
def _bucket(name: str) -> Bucket:
    return Bucket.of(f"s3a://{name}", patient=False)


class FolderLog(TableLog):
    """The log of the table at `path`, at the version of the first call. Methods that need Spark raise NeedsSpark."""

    def __init__(self, path: str) -> None:
        # Without super().__init__, which opens the log in the JVM.
        self.path = path
        self._commits: dict[int, Commit] = {}
        self._checksums: dict[int, dict[str, Any]] = {}
        folder = f"{path}/_delta_log"
        self._files: _Files = _S3Files(folder) if "://" in path else _DiskFiles(folder)
        self._newest: int | None = None

    def __getattr__(self, name: str) -> NoReturn:
        raise NeedsSpark(f"`{name}` of {self.path} is not in the log's files")

    def version(self) -> int:
        if self._newest is None:
            found = [int(match[1]) for name in self._files.names() if (match := _COMMIT.fullmatch(name))]
            self._newest = max(found, default=NO_TABLE)
        return self._newest

    def cached_version(self) -> int:
        return self.version()

    def identity(self) -> tuple[str, int]:
        version = self.version()
        return (str(self._metadata(version)["id"]) if version != NO_TABLE else "", version)

    def size(self) -> int | None:
        found = self._checksum(self.version()).get("tableSizeBytes")
        return int(found) if found is not None else None

    def types(self, version: int | None = None) -> dict[str, str]:
        return types_in(self._metadata(self.version() if version is None else version)["schemaString"])

    def table_property(self, key: str) -> str | None:
        found = (self._metadata(self.version()).get("configuration") or {}).get(key)
        return str(found) if found is not None else None

    def commit(self, version: int) -> Commit:
        if version not in self._commits:
            try:
                text = self._files.text(f"{version:020d}.json")
            except FileNotFoundError:
                raise HistoryGone(f"{self.path} version {version}") from None
            self._commits[version] = read_commit(version, text.splitlines())
        return self._commits[version]

    def _metadata(self, version: int) -> dict[str, Any]:
        found = self._checksum(version).get("metadata")
        if not isinstance(found, dict):
            raise NeedsSpark(f"{self.path} has no metadata in the checksum of version {version}")
        return found

    def _checksum(self, version: int) -> dict[str, Any]:
        if version not in self._checksums:
            try:
                self._checksums[version] = json.loads(self._files.text(f"{version:020d}.crc"))
            except FileNotFoundError:
                raise NeedsSpark(f"{self.path} has no checksum of version {version}") from None
        return self._checksums[version]

    def _require_delta_folder(self) -> None:
        """Does nothing: a missing table is loaded, and the load checks its folder."""
