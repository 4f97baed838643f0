"""The landing area on a disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.landing import (
    check_unchanged,
    delivered_name,
    fixed_part,
    ignored,
    missing_folder,
    outside,
    unpacked,
)
from goldsmith.errors import SourceError, StorageError, Where


@dataclass(frozen=True)
class DiskLanding:
    """A landing area in a folder. root: its absolute path."""

    root: Path

    @property
    def place(self) -> str:
        return str(self.root)

    @property
    def stem(self) -> str:
        return str(self.root)

    def files(self, pattern: str, *, table: str) -> tuple[LoadedFile, ...]:
        folder = self.root / fixed_part(pattern)
        if not folder.is_dir():
            raise missing_folder(str(folder), table)
        found = []
        links = _Links(self.root)
        for path in self.root.glob(pattern):
            if ignored(path.relative_to(folder).parts):
                continue
            name = path.relative_to(self.root).as_posix()
            state = self.state(name)
            if state is not None and path.is_file():
                if links.lead_out(path):
                    raise outside(name, table)
                found.append(state)
        return tuple(sorted(found, key=lambda file: file.path))

    def state(self, path: str) -> LoadedFile | None:
        try:
            stat = (self.root / path).stat()
        except FileNotFoundError:
            return None
        return LoadedFile(path, stat.st_size, stat.st_mtime_ns // 1_000_000)

    def unchanged(self, files: Sequence[LoadedFile], *, table: str) -> None:
        check_unchanged(files, (self.state(file.path) for file in files), table=table)

    def open(self, path: str) -> BinaryIO:
        return unpacked(path, (self.root / path).open("rb"))

    def end(self, path: str, length: int) -> bytes:
        with (self.root / path).open("rb") as stream:
            stream.seek(-min(length, stream.seek(0, os.SEEK_END)), os.SEEK_END)
            return stream.read()

    def deliver(self, path: str, content: bytes) -> bool:
        """Writes the file under a temporary name and renames it."""
        file = self.root / delivered_name(path)
        try:
            self._check_target(file, path)
            return self._put(file, content)
        except OSError as error:
            raise _not_written(file, error) from error

    def _check_target(self, file: Path, path: str) -> None:
        """Raises SourceError GS308 if the path is a folder, or leads out of the landing area by a link."""
        if file.is_dir():
            wrong, hint = "is a folder", "Deliver to the path of a file in it."
        elif not file.parent.resolve().is_relative_to(self.root.resolve()):
            wrong = "leaves the landing folder by a symbolic link"
            hint = "Deliver to a folder of the landing area, or set the profile's `landing` to that folder."
        else:
            return
        raise SourceError("GS308", f"The path `{path}` {wrong}.", where=Where(file=file), hint=hint)

    def _put(self, file: Path, content: bytes) -> bool:
        if file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        try:
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        return True

    def make_folder(self, pattern: str) -> None:
        (self.root / fixed_part(pattern)).mkdir(parents=True, exist_ok=True)

    def stage(self, path: str, file: Path) -> LoadedFile:
        target = self.root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.tmp")
            with file.open("rb") as source, partial.open("wb") as stream:
                shutil.copyfileobj(source, stream)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        except OSError as error:
            raise _not_written(target, error) from error
        state = self.state(path)
        assert state is not None
        return state

    def staged(self, folder: str) -> tuple[str, ...]:
        found = self.root / folder
        return tuple(sorted(path.name for path in found.iterdir())) if found.is_dir() else ()

    def discard(self, folder: str) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self.root / folder)


def _not_written(file: Path, error: OSError) -> StorageError:
    return StorageError(
        "GS402",
        f"A delivered file cannot be written: {error.strerror or error}.",
        where=Where(file=file),
        retryable=error.errno == errno.ENOSPC,
        hint="Check the owner of the folder, whether it is mounted read-only, and the free space of the disk.",
    )


class _Links:
    """Finds files that symbolic links place outside of a folder. Checks each folder once."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._known: dict[Path, bool] = {}

    def lead_out(self, file: Path) -> bool:
        if file.parent not in self._known:
            self._known[file.parent] = self._is_outside(file.parent)
        return self._known[file.parent] or (file.is_symlink() and self._is_outside(file))

    def _is_outside(self, path: Path) -> bool:
        return os.path.commonpath((self._root, os.path.realpath(path))) != self._root
