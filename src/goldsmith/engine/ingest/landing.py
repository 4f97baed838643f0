"""The landing area of delivered files, on a disk or on S3: listings and contents."""

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
from goldsmith.engine.ingest.zipped import only_member
from goldsmith.errors import SourceError, Where
from goldsmith.project.formats import ZIP

_IGNORED = (".", "_")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PATTERN = re.compile(r"[\[\]{}?*\\]")


class Landing(Protocol):
    """A landing area. Paths of files are relative to its root and use `/`."""

    @property
    def place(self) -> str:
        """The root: a folder's absolute path, or `s3a://bucket/folder`."""
        ...

    @property
    def stem(self) -> str:
        """The path of the root's URI, without the scheme: `/folder` or `/bucket/folder`."""
        ...

    def files(self, pattern: str, *, table: str) -> tuple[LoadedFile, ...]:
        """The files that match a glob, sorted by path.

        Files and folders whose names begin with `.` or `_`, and `*.tmp`, are ignored.
        Raises SourceError GS301 if the folder that the pattern begins with does not exist.
        """
        ...

    def state(self, path: str) -> LoadedFile | None:
        """The size and modification time of a file; None if it does not exist."""
        ...

    def unchanged(self, files: Sequence[LoadedFile], *, table: str) -> None:
        """Raises SourceError GS303 if a file has changed since it was listed."""
        ...

    def open(self, path: str) -> BinaryIO:
        """A stream of a file's bytes, decompressed if its name ends in .gz, .bz2 or .zip, but not .zst.

        Raises FileNotFoundError, OSError; ZipError also while it is read.
        """
        ...

    def end(self, path: str, length: int) -> bytes:
        """The last bytes of a file. Raises FileNotFoundError, OSError."""
        ...

    def deliver(self, path: str, content: bytes) -> bool:
        """Writes a file atomically; False if it already exists with this content.

        Raises SourceError GS308 for a path outside the landing area or one that loads ignore, StorageError.
        """
        ...

    def make_folder(self, pattern: str) -> None:
        """Creates the folder that a glob begins with, if it does not exist."""
        ...

    def stage(self, path: str, file: Path) -> LoadedFile:
        """Copies a file of this machine to a path that globs never match, atomically. Raises StorageError."""
        ...

    def staged(self, folder: str) -> tuple[str, ...]:
        """The names of the folders below a folder of staged files."""
        ...

    def discard(self, folder: str) -> None:
        """Removes a folder of staged files."""
        ...


def uri(landing: Landing, path: str) -> str:
    """The path of a file for Spark's reader, with characters of glob patterns escaped."""
    scheme = "" if "://" in landing.place else "file://"
    return scheme + _PATTERN.sub(r"\\\g<0>", f"{landing.place}/{path}")


def uris(landing: Landing, files: Iterable[LoadedFile]) -> list[str]:
    """The paths of files for Spark's reader."""
    return [uri(landing, file.path) for file in files]


def listing_digest(files: Collection[LoadedFile]) -> str:
    """The digest of a listing: the number of files and a hash of them."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda item: item.path):
        etag = f"\0{file.etag}" if file.etag else ""
        digest.update(f"{file.path}\0{file.size}\0{file.modified}{etag}\n".encode())
    return f"{len(files)}:{digest.hexdigest()[:32]}"


def files_added_to(former: str, files: Sequence[LoadedFile]) -> tuple[LoadedFile, ...] | None:
    """The files that were added to a listing with the digest `former`; None if it changed in another way.

    The oldest files are compared with the former listing by its digest.
    """
    count = int(former.partition(":")[0])
    by_age = sorted(files, key=lambda file: (file.modified, file.path))
    if count > len(files) or listing_digest(by_age[:count]) != former:
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
    """Whether listings ignore a file. names: its folders below the fixed part, then its own name."""
    return any(name.startswith(_IGNORED) for name in names) or names[-1].endswith(".tmp")


def delivered_name(path: str) -> str:
    """Checks the path of a delivered file. Raises SourceError GS308 for one outside or one that loads ignore."""
    names = path.split("/")
    if not path or path.endswith("/"):
        wrong = "is not the path of a file"
    elif path.startswith("/") or "://" in path or ".." in names:
        wrong = "leaves the landing folder"
    elif any(name in ("", ".") for name in names):
        wrong = "has an empty part or `.`"
    elif _CONTROL.search(path):
        wrong = "contains a control character"
    elif ignored(names):
        wrong = "is ignored by loads: a name begins with `.` or `_`, or ends in `.tmp`"
    else:
        return path
    raise SourceError(
        "GS308",
        f"The path `{path}` {wrong}.",
        hint="Deliver to a path below the landing folder, such as `orders/2026-01-05.csv`.",
    )


def matches(pattern: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the parts of a glob match those of a file's path, as in pathlib's glob."""
    if not pattern:
        return not names
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        # A glob that ends in `**` only matches folders.
        return bool(rest) and any(matches(rest, names[skipped:]) for skipped in range(len(names)))
    return bool(names) and fnmatch.fnmatchcase(names[0], first) and matches(rest, names[1:])


def unpacked(path: str, stream: BinaryIO) -> BinaryIO:
    """A stream that decompresses a file according to its name. stream: can seek if the name ends in `.zip`."""
    # Spark ignores the case of these endings too.
    folded = path.lower()
    if folded.endswith(".gz"):
        return cast(BinaryIO, gzip.open(stream))
    if folded.endswith(ZIP):
        return only_member(stream)
    return cast(BinaryIO, bz2.open(stream)) if folded.endswith(".bz2") else stream


def missing_folder(folder: str, table: str) -> SourceError:
    return SourceError(
        "GS301",
        f"The landing folder {folder} does not exist.",
        where=Where(table=table),
        retryable=True,
        hint="Deliver files there, or run the pipeline's feed: `goldsmith feed run PIPELINE`.",
    )


def outside(path: str, table: str) -> SourceError:
    return SourceError(
        "GS302",
        "A file is outside the landing folder: it is a symbolic link, or below one.",
        where=Where(file=path, table=table),
        hint="Deliver the file itself, or set the profile's `landing` to the folder that the link points to.",
    )


def check_unchanged(files: Iterable[LoadedFile], now: Iterable[LoadedFile | None], *, table: str) -> None:
    """Raises SourceError GS303 for the first file that changed since it was listed. now: the files' current states."""
    for file, state in zip(files, now, strict=True):
        if state != file:
            change = "was removed" if state is None else "changed"
            raise SourceError(
                "GS303",
                f"A file {change} while it was read.",
                where=Where(file=file.path, table=table),
                retryable=True,
                hint="Run again: nothing was committed. Write files under another name and rename them, so that "
                "they are never read half-written.",
            )


def landing_at(place: str) -> Landing:
    """The landing area at a folder's absolute path, or at `s3a://bucket/folder`."""
    from goldsmith.engine.ingest.landing_disk import DiskLanding
    from goldsmith.engine.ingest.landing_s3 import S3Landing

    return S3Landing(place) if "://" in place else DiskLanding(Path(place))
