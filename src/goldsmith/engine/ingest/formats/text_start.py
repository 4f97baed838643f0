"""The start of text files, read in the driver: a file of another format is refused before its bytes are read as rows."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO, TextIO, TypeVar, cast

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, FilesLoad, LandedFiles, removed
from goldsmith.engine.ingest.formats.signatures import AT_LEAST, recognized
from goldsmith.engine.ingest.formats.zstd_start import zstd_start
from goldsmith.engine.ingest.zipped import ZipError
from goldsmith.errors import SourceError, Where

Found = TypeVar("Found")

_AT_ONCE = 8
_ZSTD = ".zst"
_NAMES = {"csv": "CSV", "json": "JSON", "debezium": "JSON", "xml": "XML"}


def starts(
    load: LandedFiles, files: Sequence[LoadedFile], read: Callable[[TextIO, LoadedFile], Found]
) -> Iterator[Found]:
    """What `read` returns for the text of each file, in parallel: on S3 each is a request.

    Raises SourceError: GS302 for a file that cannot be decompressed or read, or has another format; GS303 for one that
    no longer exists.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="start") as pool:
        try:
            yield from pool.map(lambda file: _start(load, file, read), files)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def needs_session(files: Sequence[LoadedFile]) -> bool:
    """Whether the start of a file can only be read with a FilesLoad."""
    return any(file.path.lower().endswith(_ZSTD) for file in files)


def refuse_other_formats(load: LandedFiles, files: Sequence[LoadedFile]) -> None:
    """Raises SourceError as `starts` does, without reading lines."""
    for _ in starts(load, files, lambda _text, _file: None):
        pass


@contextmanager
def opened(load: LandedFiles, file: LoadedFile) -> Iterator[BinaryIO]:
    """A stream of a file, decompressed according to its name; of `.zst`, only of its first bytes.

    Raises SourceError: GS302 for a file that cannot be decompressed or read, also while it is read, and GS303 for one
    that no longer exists.
    """
    where = Where(file=file.path, table=load.declared.name)
    try:
        with _stream(load, file.path) as stream:
            yield stream
    except FileNotFoundError:
        raise removed(where) from None
    except (EOFError, gzip.BadGzipFile, ZipError, zlib.error) as error:
        raise _damaged(error, where) from None
    except OSError as error:
        # Python's error for invalid data of bzip2 has no class of its own.
        if file.path.lower().endswith(".bz2") and error.errno is None:
            raise _damaged(error, where) from None
        message = f"A file cannot be read: {error.strerror}."
        raise SourceError(
            "GS302", message, where=where, retryable=True, hint="Check its owner and permissions."
        ) from None


def _start(load: LandedFiles, file: LoadedFile, read: Callable[[TextIO, LoadedFile], Found]) -> Found:
    where = Where(file=file.path, table=load.declared.name)
    encoding = load.declared.options.get("encoding", "utf-8")
    # Excel writes a byte order mark before UTF-8.
    known = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    with (
        opened(load, file) as stream,
        io.TextIOWrapper(stream, encoding=known, errors="replace", newline="") as text,
    ):
        start = cast(io.BufferedReader, stream).peek(AT_LEAST)
        _refuse_other_format(start, load.declared.source.format, where)
        return read(text, file)


def _damaged(error: Exception, where: Where) -> SourceError:
    message = f"A file cannot be decompressed: {str(error).rstrip('.')}."
    return SourceError("GS302", message, where=where, retryable=True, hint=REDELIVER_HINT)


def _stream(load: LandedFiles, path: str) -> BinaryIO:
    """A stream of a file's first bytes, decompressed according to its name."""
    stream = load.landing.open(path)
    if not path.lower().endswith(_ZSTD):
        return stream
    assert isinstance(load, FilesLoad)
    with stream:
        return zstd_start(load.spark, stream)


def _refuse_other_format(start: bytes, form: str, where: Where) -> None:
    """Raises SourceError GS302 for a file that begins as a file of another format does."""
    if (found := recognized(start)) is not None:
        name, hint = found
        message = f"A file is not {_NAMES.get(form, 'text')}: it is {name}."
        raise SourceError("GS302", message, where=where, hint=hint)
