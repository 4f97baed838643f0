"""Delivered files: which there are, and their bytes. A landing area lies on a disk or on S3."""

from __future__ import annotations

import bz2
import fnmatch
import gzip
import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.errors import SourceError, Where

_IGNORED = (".", "_")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PATTERN = re.compile(r"[\[\]{}?*\\]")


class Landing(Protocol):
    """A landing area. Paths of files are relative to its root, with `/`."""

    @property
    def place(self) -> str:
        """The root's address: a folder's absolute path, or `s3a://bucket/folder`."""
        ...

    @property
    def stem(self) -> str:
        """The root as the path of a URI, without its scheme: `/folder`, or `/bucket/folder`."""
        ...

    def files(self, pattern: str, *, table: str) -> tuple[LoadedFile, ...]:
        """The files that match a glob, by path.

        Names of files and folders that begin with `.` or `_`, and `*.tmp`, are ignored.
        Raises SourceError GS301 if the folder that the pattern begins with is not there.
        """
        ...

    def unchanged(self, files: Sequence[LoadedFile], *, table: str) -> None:
        """Raises SourceError GS303 if a file is no longer as it was listed."""
        ...

    def open(self, path: str) -> BinaryIO:
        """A file's bytes, unpacked where its name ends in .gz or .bz2. Raises FileNotFoundError, OSError."""
        ...

    def deliver(self, path: str, content: bytes) -> bool:
        """Writes a file, whole or not at all; False if it is there with this content.

        Raises SourceError GS308 for a path that leaves the landing area or that loads ignore, StorageError.
        """
        ...

    def make_folder(self, pattern: str) -> None:
        """Makes the folder that a glob begins with, where it is not there."""
        ...


def uri(landing: Landing, path: str) -> str:
    """The address that Spark reads a file by: not encoded, and what would be a pattern taken as it is."""
    scheme = "" if "://" in landing.place else "file://"
    return scheme + _PATTERN.sub(r"\\\g<0>", f"{landing.place}/{path}")


def listed(files: Collection[LoadedFile]) -> str:
    """A listing as one short text, equal for equal listings: how many files, and a digest of them."""
    told = hashlib.sha256()
    for file in sorted(files, key=lambda item: item.path):
        etag = f"\0{file.etag}" if file.etag else ""
        told.update(f"{file.path}\0{file.size}\0{file.modified}{etag}\n".encode())
    return f"{len(files)}:{told.hexdigest()[:32]}"


def added_to(former: str, files: Sequence[LoadedFile]) -> tuple[LoadedFile, ...] | None:
    """The files that were added to a listing whose text is `former`; None if it did more than grow by newer files.

    The oldest files are tried as the former listing, and its text tells whether they are.
    """
    count = int(former.partition(":")[0])
    by_age = sorted(files, key=lambda file: (file.modified, file.path))
    if count > len(files) or listed(by_age[:count]) != former:
        return None
    return tuple(sorted(by_age[count:], key=lambda file: file.path))


def fixed_part(pattern: str) -> str:
    """The folders of a glob before its first wildcard."""
    parts = []
    for part in pattern.split("/")[:-1]:
        if any(wildcard in part for wildcard in "*?["):
            break
        parts.append(part)
    return "/".join(parts)


def ignored(names: Sequence[str]) -> bool:
    """Whether a file is left out of listings. names: its own, after those of its folders below the fixed part."""
    return any(name.startswith(_IGNORED) for name in names) or names[-1].endswith(".tmp")


def delivered_name(path: str) -> str:
    """A path that a file may be delivered under. Raises SourceError GS308 for one that leads out or is ignored by loads."""
    names = path.split("/")
    if not path or path.endswith("/"):
        wrong = "names no file"
    elif path.startswith("/") or "://" in path or ".." in names:
        wrong = "leaves the landing folder"
    elif any(name in ("", ".") for name in names):
        wrong = "has an empty part or `.`"
    elif _CONTROL.search(path):
        wrong = "has a control character in it"
    elif ignored(names):
        wrong = "would be ignored by every load: a name begins with `.` or `_`, or ends in `.tmp`"
    else:
        return path
    raise SourceError(
        "GS308",
        f"The path `{path}` {wrong}.",
        hint="Deliver under a path below the landing folder, like `orders/2026-01-05.csv`.",
    )


def matches(pattern: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the parts of a glob match those of a file's path, as pathlib's glob does on a disk."""
    if not pattern:
        return not names
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        # By itself it stands for folders, of which a file is none.
        return bool(rest) and any(matches(rest, names[skipped:]) for skipped in range(len(names)))
    return bool(names) and fnmatch.fnmatchcase(names[0], first) and matches(rest, names[1:])


def unpacked(path: str, stream: BinaryIO) -> BinaryIO:
    """A file's bytes as its name says they are packed."""
    if path.endswith(".gz"):
        return cast(BinaryIO, gzip.open(stream))
    return cast(BinaryIO, bz2.open(stream)) if path.endswith(".bz2") else stream


def missing_folder(folder: str, table: str) -> SourceError:
    return SourceError(
        "GS301",
        f"The landing folder {folder} is not there.",
        where=Where(table=table),
        retryable=True,
        hint="Deliver files there, or run the pipeline's feed: `goldsmith feed PIPELINE`.",
    )


def outside(path: str, table: str) -> SourceError:
    return SourceError(
        "GS302",
        "A file is a link, or lies behind one, that leads out of the landing folder.",
        where=Where(file=path, table=table),
        hint="Deliver the file itself, or make the folder that the link leads to the profile's `landing`.",
    )


def compared(files: Iterable[LoadedFile], now: Iterable[LoadedFile | None], *, table: str) -> None:
    """Raises SourceError GS303 for the first file that is no longer as it was listed. now: each one's state."""
    for file, state in zip(files, now, strict=True):
        if state != file:
            told = "vanished" if state is None else "changed"
            raise SourceError(
                "GS303",
                f"A file {told} while it was read.",
                where=Where(file=file.path, table=table),
                retryable=True,
                hint="Nothing was committed: run again. A file that is written under another name and "
                "renamed is never seen half.",
            )


def landing_at(place: str) -> Landing:
    """The landing area at a folder's absolute path, or at `s3a://bucket/folder`."""
    from goldsmith.engine.ingest.landing_disk import DiskLanding
    from goldsmith.engine.ingest.landing_s3 import S3Landing

    return S3Landing(place) if "://" in place else DiskLanding(Path(place))
