"""The headers of CSV files: the columns of a file, and what is wrong with a file that has none."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO, cast

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, removed
from goldsmith.engine.ingest.landing import Landing
from goldsmith.engine.ingest.lines import BLANKS, REPLACEMENT
from goldsmith.errors import SourceError, Where

_AT_ONCE = 8
_PART = 1 << 16
_SEPARATORS = (",", ";", "\t", "|")
_SIGNATURES = {
    b"PK\x03\x04": (
        "an Excel workbook or a ZIP archive",
        "Declare `format: excel`, or save the sheet as CSV and deliver that file.",
    ),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "Save the sheet as CSV and deliver that file."),
    b"\x1f\x8b": ("compressed by gzip", "Deliver it under a name that ends in `.gz`."),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "Deliver it uncompressed, or compressed by gzip."),
    b"\xff\xfe": ("text in UTF-16", "Deliver it in UTF-8."),
    b"\xfe\xff": ("text in UTF-16", "Deliver it in UTF-8."),
    b"PAR1": ("a Parquet file", "Declare `format: parquet`."),
    b"Obj\x01": ("an Avro file", "Deliver it as CSV, JSON lines or Parquet."),
}
"""The first bytes of other formats, each with its name and what to do."""
_LONGEST = max(map(len, _SIGNATURES))


def csv_headers(
    declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
) -> Iterator[tuple[str, ...] | None]:
    """The header of each file, read in parallel: on S3 each is a request."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="header") as pool:
        try:
            yield from pool.map(lambda file: _csv_header(declared, landing, file), files)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _csv_header(declared: FilesTable, landing: Landing, file: LoadedFile) -> tuple[str, ...] | None:
    options = declared.options
    if options.get("header", "true").lower() == "false":
        return tuple(declared.spec.columns) if file.size else None
    where = Where(file=file.path, table=declared.name)
    encoding = options.get("encoding", "utf-8")
    try:
        # Excel writes a byte order mark before UTF-8.
        known = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        with (
            landing.open(file.path) as stream,
            io.TextIOWrapper(stream, encoding=known, errors="replace", newline="") as text,
        ):
            _refuse_other_format(cast(io.BufferedReader, stream).peek(_LONGEST), where)
            lines = _ended_by(text, options["linesep"]) if "linesep" in options else text
            first = _first_record(lines, options)
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
    except csv.Error as error:
        raise SourceError(
            "GS302", f"The header of a file is not CSV: {error}.", where=where, hint=REDELIVER_HINT
        ) from None
    if first is None:
        return None
    _refuse_without_header(first, declared, where)
    return named(first, where, encoding)


def _refuse_other_format(start: bytes, where: Where) -> None:
    """Raises SourceError GS302 for a file that begins as a file of another format does."""
    for signature, (name, hint) in _SIGNATURES.items():
        if start.startswith(signature):
            raise SourceError("GS302", f"A file is not CSV: it is {name}.", where=where, hint=hint)


def _refuse_without_header(first: Sequence[str], declared: FilesTable, where: Where) -> None:
    """Raises SourceError GS305 if the first line has another separator, or is not a header."""
    known = {name.lower() for name in declared.spec.columns}
    separator = _other_separator(first, known)
    if separator is not None:
        shown = separator.replace("\t", "\\t")
        raise SourceError(
            "GS305",
            f"The header of a file is a single column: {first[0].strip()}",
            where=where,
            hint=f'If `{shown}` separates its values, declare it: `options: {{sep: "{shown}"}}`.',
        )
    named = known.intersection(name.strip().lower() for name in first)
    values = any(re.match(r"\s*[+-]?\d", name) for name in first)
    if known and not named and (values or declared.spec.on_missing_column == "fail"):
        raise SourceError(
            "GS305",
            f"The first line of a file has none of the declared columns: {', '.join(first)}",
            where=where,
            hint="If the file has no header, set `options: {header: false}`: its values then belong to the declared "
            "columns in their order. Otherwise correct its header.",
        )


def _other_separator(first: Sequence[str], known: Collection[str]) -> str | None:
    """The separator of a header that was read as a single column; None if it is one. known: the declared columns."""
    if len(first) != 1 or first[0].strip().lower() in known:
        return None
    for separator in _SEPARATORS:
        names = {name.strip().strip('"').lower() for name in first[0].split(separator)}
        if len(names) > 1 and (not known or names.intersection(known)):
            return separator
    return None


def _ended_by(text: TextIO, separator: str) -> Iterator[str]:
    """The lines of a text with a separator other than a line break."""
    begun = ""
    while part := text.read(_PART):
        *whole, begun = (begun + part).split(separator)
        yield from whole
    yield begun


def _first_record(text: Iterable[str], options: Mapping[str, str]) -> list[str] | None:
    """The fields of the first line that is neither blank nor a comment."""
    comment, separator = options.get("comment"), options["sep"]
    lines = (line for line in text if line.strip(BLANKS) and not (comment and line.startswith(comment)))
    if len(separator) > 1:
        return next(
            ([part.strip(options["quote"]) for part in line.split(separator)] for line in lines), None
        )
    quote = options["quote"]
    return next(
        csv.reader(lines, delimiter=separator, quotechar=quote)
        if quote
        else csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE),
        None,
    )


def named(first: Sequence[str], where: Where, encoding: str = "utf-8") -> tuple[str, ...]:
    """The names of a header. Raises SourceError: GS302 for invalid bytes, GS305 for a missing or repeated name."""
    header = tuple(name.strip() for name in first)
    folded = [name.lower() for name in header]
    message = None
    if any(REPLACEMENT in name for name in header):
        message = f"The header of a file is not valid in its encoding, {encoding}."
        hint = "Declare the encoding, as in `options: {encoding: iso-8859-1}`, or deliver the file again."
        raise SourceError("GS302", message, where=where, hint=hint)
    if "" in header:
        message = "The header of a file has a column without a name."
    elif len(set(folded)) < len(folded):
        double = next(name for name in header if folded.count(name.lower()) > 1)
        message = f"The header of a file has two columns named `{double}`."
    if message is not None:
        raise SourceError(
            "GS305", message, where=where, hint="Correct the header and deliver the file again."
        )
    return header
