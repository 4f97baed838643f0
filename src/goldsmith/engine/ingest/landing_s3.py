"""The landing area on S3."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from os.path import commonprefix
from pathlib import Path
from typing import Any, BinaryIO, cast

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.landing import (
    check_unchanged,
    delivered_name,
    fixed_part,
    ignored,
    matches,
    missing_folder,
    unpacked,
)
from goldsmith.engine.s3 import Bucket
from goldsmith.project.formats import ZIP

_AT_ONCE = 16
_MOST_REQUESTS = 200
"""The number of files up to which each is requested by itself; above it a listing is cheaper."""


@dataclass(frozen=True)
class S3Landing:
    """Objects below a prefix. place: `s3a://bucket/prefix`.

    S3 has times in whole seconds; the ETag distinguishes versions written within one second.
    """

    place: str

    @property
    def stem(self) -> str:
        return "/" + self.place.partition("://")[2]

    @cached_property
    def _bucket(self) -> Bucket:
        return Bucket.of(self.place)

    @cached_property
    def _root(self) -> str:
        prefix = self.place.partition("://")[2].partition("/")[2]
        return f"{prefix}/" if prefix else ""

    def files(self, pattern: str, *, table: str) -> tuple[LoadedFile, ...]:
        found = matching(self._bucket, self._root, pattern)
        folder = fixed_part(pattern)
        if not found and not self._bucket.holds(self._root + (f"{folder}/" if folder else "")):
            raise missing_folder(f"{self.place}/{folder}".rstrip("/"), table)
        return found

    def _listed(self, prefix: str) -> Iterator[LoadedFile]:
        return _listed(self._bucket, self._root, prefix)

    def state(self, path: str) -> LoadedFile | None:
        item = self._bucket.head(self._root + path)
        return _file(path, item, item["ContentLength"]) if item is not None else None

    def unchanged(self, files: Sequence[LoadedFile], *, table: str) -> None:
        if len(files) > _MOST_REQUESTS:
            shared = commonprefix([file.path for file in files])  # noqa: RUF071 - keys are text, not paths
            known = {file.path: file for file in self._listed(shared)}
            check_unchanged(files, (known.get(file.path) for file in files), table=table)
            return
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="landing") as pool:
            check_unchanged(files, pool.map(self.state, [file.path for file in files]), table=table)

    def open(self, path: str) -> BinaryIO:
        key = self._root + path
        # The members of a ZIP file are listed at its end.
        body = self._bucket.parts(key) if path.lower().endswith(ZIP) else self._bucket.body(key)
        return unpacked(path, cast(BinaryIO, io.BufferedReader(body, 1 << 16)))

    def end(self, path: str, length: int) -> bytes:
        return self._bucket.body(self._root + path, part=f"-{length}").readall()

    def deliver(self, path: str, content: bytes) -> bool:
        key = self._root + delivered_name(path)
        existing = self._bucket.head(key)
        if existing is not None and existing["ContentLength"] == len(content):
            # The ETag of an object that was uploaded in one part, without encryption by a key, is its MD5.
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            if existing["ETag"].strip('"') == digest or self._bucket.body(key).readall() == content:
                return False
        self._bucket.put(key, content)
        return True

    def make_folder(self, pattern: str) -> None:
        """Creates an empty object whose key ends in `/`, as Hadoop's file system does."""
        folder = fixed_part(pattern)
        key = f"{self._root}{folder}/" if folder else self._root
        if key and not self._bucket.holds(key):
            self._bucket.put(key, b"")

    def stage(self, path: str, file: Path) -> LoadedFile:
        self._bucket.upload(self._root + path, file)
        state = self.state(path)
        if state is None:
            raise FileNotFoundError(path)
        return state

    def staged(self, folder: str) -> tuple[str, ...]:
        below = f"{folder}/"
        return tuple(
            sorted({file.path.removeprefix(below).partition("/")[0] for file in self._listed(below)})
        )

    def discard(self, folder: str) -> None:
        for file in list(self._listed(f"{folder}/")):
            self._bucket.delete(self._root + file.path)


def matching(bucket: Bucket, root: str, pattern: str) -> tuple[LoadedFile, ...]:
    """The objects below a prefix that match a glob, without those that loads ignore, sorted by path.

    root: the prefix, which ends in `/` or is empty. Paths are relative to it.
    """
    folder, parts = fixed_part(pattern), pattern.split("/")
    below = f"{folder}/" if folder else ""
    depth = len(folder.split("/")) if folder else 0
    found = []
    for file in _listed(bucket, root, below + _literal(parts[depth])):
        names = file.path.split("/")
        # Spark cannot read keys that are not valid paths on a disk.
        if any(name in ("", ".", "..") for name in names):
            continue
        if matches(parts, names) and not ignored(names[depth:]):
            found.append(file)
    return tuple(sorted(found, key=lambda file: file.path))


def _listed(bucket: Bucket, root: str, prefix: str) -> Iterator[LoadedFile]:
    for item in bucket.listed(root + prefix):
        yield _file(item["Key"].removeprefix(root), item, item["Size"])


def _file(path: str, item: dict[str, Any], size: int) -> LoadedFile:
    return LoadedFile(path, size, int(item["LastModified"].timestamp()) * 1000, item["ETag"].strip('"'))


def _literal(part: str) -> str:
    """The prefix of a part of a glob before its first wildcard."""
    ends = [part.index(wildcard) for wildcard in "*?[" if wildcard in part]
    return part[: min(ends)] if ends else part
