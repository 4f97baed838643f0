"""The start of text files, read in the driver: a file of another format is refused before its bytes are read as rows."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO, TypeVar, cast

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, FilesLoad, removed
from goldsmith.errors import SourceError, Where

Found = TypeVar("Found")

_AT_ONCE = 8
_UTF_16 = ("text in UTF-16", "Deliver it in UTF-8.")
_SIGNATURES = {
    rb"PK\x03\x04": (
        "an Excel workbook or a ZIP archive",
        "Declare `format: excel`, or save the sheet as CSV and deliver that file.",
    ),
    rb"\xd0\xcf\x11\xe0": ("an old Excel workbook", "Save the sheet as CSV and deliver that file."),
    rb"\x1f\x8b": ("compressed by gzip", "Deliver it under a name that ends in `.gz`."),
    rb"\x28\xb5\x2f\xfd": ("compressed by zstd", "Deliver it uncompressed, or compressed by gzip."),
    rb"\xff\xfe": _UTF_16,
    rb"\xfe\xff": _UTF_16,
    rb"PAR1\x15": ("a Parquet file", "Declare `format: parquet`."),
    rb"Obj\x01": ("an Avro file", "Deliver it as CSV, JSON lines or Parquet."),
}
"""Patterns of the first bytes of other formats, each with its name and what to do."""
_LONGEST = 16


def starts(
    load: FilesLoad, files: Sequence[LoadedFile], read: Callable[[TextIO, LoadedFile], Found]
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


def refuse_other_formats(load: FilesLoad, files: Sequence[LoadedFile]) -> None:
    """Raises SourceError as `starts` does, without reading lines."""
    for _ in starts(load, files, lambda _text, _file: None):
        pass


def _start(load: FilesLoad, file: LoadedFile, read: Callable[[TextIO, LoadedFile], Found]) -> Found:
    where = Where(file=file.path, table=load.declared.name)
    encoding = load.declared.options.get("encoding", "utf-8")
    # Excel writes a byte order mark before UTF-8.
    known = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        with (
            load.landing.open(file.path) as stream,
            io.TextIOWrapper(stream, encoding=known, errors="replace", newline="") as text,
        ):
            _refuse_signature(
                cast(io.BufferedReader, stream).peek(_LONGEST), load.declared.source.format, where
            )
            return read(text, file)
    except FileNotFoundError:
        raise removed(where) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(
            "GS302",
            f"A file cannot be decompressed: {error}.",
            where=where,
            retryable=True,
            hint=REDELIVER_HINT,
        ) from None
    except OSError as error:
        message = f"A file cannot be read: {error.strerror}."
        raise SourceError(
            "GS302", message, where=where, retryable=True, hint="Check its owner and permissions."
        ) from None


def _refuse_signature(start: bytes, form: str, where: Where) -> None:
    """Raises SourceError GS302 for a file that begins as a file of another format does."""
    for signature, (name, hint) in _SIGNATURES.items():
        if re.match(signature, start, re.DOTALL):
            raise SourceError(
                "GS302", f"A file is not {_NAMES.get(form, 'text')}: it is {name}.", where=where, hint=hint
            )


_NAMES = {"csv": "CSV", "json": "JSON", "debezium": "JSON"}
