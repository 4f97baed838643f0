"""Delivered files: which there are, and their bytes."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from goldsmith.engine.metadata import LoadedFile
from goldsmith.errors import SourceError, Where

_IGNORED = (".", "_")
_PATTERN = re.compile(r"[\[\]{}?*\\]")


@dataclass(frozen=True)
class Landing:
    """The landing root on a disk. Paths of files are relative to it, with `/`."""

    root: Path

    def files(self, pattern: str, *, table: str) -> tuple[LoadedFile, ...]:
        """The files that match a glob, by path.

        Names of files and folders that begin with `.` or `_`, and `*.tmp`, are ignored.
        Raises SourceError GS301 where the folder that the pattern begins with is not there.
        """
        folder = self.root / _fixed_part(pattern)
        if not folder.is_dir():
            raise SourceError(
                "GS301",
                f"The landing folder {folder} is not there.",
                where=Where(table=table),
                retryable=True,
                hint="Deliver files there, or run the pipeline's feed: `goldsmith feed PIPELINE`.",
            )
        found = []
        for path in self.root.glob(pattern):
            names = path.relative_to(folder).parts
            if any(name.startswith(_IGNORED) for name in names) or path.name.endswith(".tmp"):
                continue
            state = self.state(path.relative_to(self.root).as_posix())
            if state is not None and path.is_file():
                found.append(state)
        return tuple(sorted(found, key=lambda file: file.path))

    def state(self, path: str) -> LoadedFile | None:
        """A file as it is now, or None where it is gone."""
        try:
            stat = (self.root / path).stat()
        except FileNotFoundError:
            return None
        return LoadedFile(path, stat.st_size, stat.st_mtime_ns // 1_000_000)

    def unchanged(self, files: Iterable[LoadedFile], *, table: str) -> None:
        """Raises SourceError GS303 where a file is no longer as it was listed."""
        for file in files:
            now = self.state(file.path)
            if now != file:
                told = "vanished" if now is None else "changed"
                raise SourceError(
                    "GS303",
                    f"A file {told} while it was read.",
                    where=Where(file=file.path, table=table),
                    retryable=True,
                    hint="Nothing was committed: run again. A file that is written under another name and "
                    "renamed is never seen half.",
                )

    def uri(self, path: str) -> str:
        """The address that Spark reads a file by: not encoded, and what would be a pattern taken as it is."""
        return "file://" + _PATTERN.sub(r"\\\g<0>", str(self.root / path))

    def open(self, path: str) -> BinaryIO:
        """A file's bytes, unpacked where its name ends in .gz or .bz2."""
        file = self.root / path
        if path.endswith(".gz"):
            return cast(BinaryIO, gzip.open(file))
        return cast(BinaryIO, bz2.open(file)) if path.endswith(".bz2") else file.open("rb")

    def deliver(self, path: str, content: bytes) -> bool:
        """Writes a file under a temporary name and renames it; False where it is there with this content."""
        file = self.root / path
        if file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
        return True


def listed(files: Collection[LoadedFile]) -> str:
    """A listing as one short text, equal for equal listings: how many files, and a digest of them."""
    told = hashlib.sha256()
    for file in sorted(files, key=lambda item: item.path):
        told.update(f"{file.path}\0{file.size}\0{file.modified}\n".encode())
    return f"{len(files)}:{told.hexdigest()[:32]}"


def added_to(former: str, files: Sequence[LoadedFile]) -> tuple[LoadedFile, ...] | None:
    """The files that were added to a listing whose text is `former`; None where it did more than grow by newer files.

    The oldest files are tried as the former listing, and its text tells whether they are.
    """
    count = int(former.partition(":")[0])
    by_age = sorted(files, key=lambda file: (file.modified, file.path))
    if count > len(files) or listed(by_age[:count]) != former:
        return None
    return tuple(sorted(by_age[count:], key=lambda file: file.path))


def _fixed_part(pattern: str) -> str:
    """The folders of a glob before its first wildcard."""
    parts = []
    for part in pattern.split("/")[:-1]:
        if any(wildcard in part for wildcard in "*?["):
            break
        parts.append(part)
    return "/".join(parts)
