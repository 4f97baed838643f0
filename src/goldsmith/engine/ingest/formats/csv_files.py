"""CSV files: their headers, lines and records."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, FormatReader, Layout, Layouts
from goldsmith.engine.ingest.landing import Landing
from goldsmith.engine.ingest.lines import (
    BLANKS,
    FILE,
    LINE,
    REPLACEMENT,
    file_columns,
    needs_every_line,
    numbered_records,
)
from goldsmith.engine.ingest.parsing import MALFORMED, Options, csv_record
from goldsmith.errors import SourceError, Where

_AT_ONCE = 8
_PART = 1 << 16
_ROW = "_gs_row"
_NEVER = "\uffff"
"""A character that does not occur in text."""
_OF_LINES = (
    "header",
    "encoding",
    "linesep",
    "comment",
    "mode",
    "columnpruning",
    "columnnameofcorruptrecord",
)


class CsvReader(FormatReader):
    """Reads CSV; the header names the columns."""

    @override
    def layouts(
        self, spark: SparkSession, declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
    ) -> Layouts:
        found: Layouts = {}
        for file, header in zip(files, _csv_headers(declared, landing, files), strict=True):
            if header is not None:
                found.setdefault(Layout(header), []).append(file)
        return found

    @override
    def rows(self, spark: SparkSession, declared: FilesTable, layout: Layout, paths: list[str]) -> DataFrame:
        options = declared.options
        if needs_every_line(layout.names, options):
            lines = numbered_records(spark, paths, layout.names, options)
        else:
            lines = _csv_lines(spark, paths, options)
        parsed = csv_record(LINE, layout.names, options).alias(_ROW)
        return lines.select(parsed, *FILE).select(f"{_ROW}.*", *FILE)

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        return csv_record(text, names, declared.options)


def _csv_headers(
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
            lines = _ended_by(text, options["linesep"]) if "linesep" in options else text
            first = _first_record(lines, options)
    except FileNotFoundError:
        raise SourceError(
            "GS303",
            "A file was removed before it was read.",
            where=where,
            retryable=True,
            hint="Run again: nothing was committed.",
        ) from None
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
    return None if first is None else _named(first, encoding, where)


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


def _named(first: Sequence[str], encoding: str, where: Where) -> tuple[str, ...]:
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


def _csv_lines(spark: SparkSession, paths: list[str], options: Options) -> DataFrame:
    """The lines of the files without headers, blank lines and comments, which Spark skips."""
    # With column pruning only malformed columns that are used would make a line malformed.
    given = {"header": "true", **options, "mode": "PERMISSIVE", "columnpruning": "false"}
    given |= {"columnnameofcorruptrecord": MALFORMED, "sep": _NEVER, "quote": _NEVER}
    schema = StructType([StructField(name, StringType()) for name in (LINE, MALFORMED)])
    line_options = {key: given[key] for key in (*_OF_LINES, "sep", "quote") if key in given}
    lines = spark.read.schema(schema).options(**line_options).csv(paths)
    return lines.select(F.coalesce(MALFORMED, LINE).alias(LINE), *file_columns())
