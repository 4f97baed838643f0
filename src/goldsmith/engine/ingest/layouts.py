"""Finds the columns of delivered files and the columns that a table takes from them."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TextIO

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.landing import Landing, uri
from goldsmith.engine.ingest.lines import BLANKS, LINE, json_lines
from goldsmith.errors import SourceError, Where
from goldsmith.project.checks.columns import IMPOSSIBLE
from goldsmith.project.models import RESERVED

REDELIVER_HINT = "Deliver the file again under the same name, or move it out of the landing folder."
_AT_ONCE = 8
_PART = 1 << 16
REPLACEMENT = "\ufffd"
"""The replacement character for bytes that are not valid in a file's encoding."""


@dataclass(frozen=True)
class Layout:
    """The columns of a file in order. types: as text, for formats with types.

    spellings: other spellings of a column's name in documents. unique: no document has two keys for one column.
    """

    names: tuple[str, ...]
    types: str = ""
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    unique: bool = False


def layouts(
    spark: SparkSession, declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
) -> dict[Layout, list[LoadedFile]]:
    """Groups files with the same columns in the same order, which are read together.

    Empty files are skipped. Raises SourceError: GS302 for a file that cannot be read, GS303 for one that no longer
    exists, GS305 for an invalid header.
    """
    for file in files:
        if ":" in file.path:
            raise SourceError(
                "GS302",
                "The name of a file contains a colon, and Spark cannot read such files.",
                where=Where(file=file.path, table=declared.name),
                hint="Rename the file.",
            )
    groups: dict[Layout, list[LoadedFile]] = {}
    layout: Layout | None
    headers = _csv_headers(declared, landing, files) if declared.source.format == "csv" else iter(())
    for file in files:
        match declared.source.format:
            case "csv":
                header = next(headers)
                layout = Layout(header) if header is not None else None
            case "parquet":
                layout = _parquet_layout(spark, declared.name, landing, file)
            case "json":
                layout = Layout(()) if file.size else None
        if layout is not None:
            groups.setdefault(layout, []).append(file)
    if declared.source.format == "json" and groups:
        documents = groups[Layout(())]
        groups = {_json_layout(spark, declared, landing, documents): documents}
    return groups


def table_columns(files_table: FilesTable, groups: Mapping[Layout, list[LoadedFile]]) -> tuple[str, ...]:
    """The columns of the table: declared ones, and new ones if `on_new_column` allows them.

    Raises SourceError GS305 for columns that are new, missing, or not valid in a table.
    """
    spec = files_table.spec
    declared = tuple(spec.columns)
    known = {name.lower() for name in declared}
    taken = list(declared)
    for layout, members in groups.items():
        where = Where(file=members[0].path, table=files_table.name)
        new = [name for name in layout.names if name.lower() not in known]
        if new and declared and spec.on_new_column == "fail":
            raise SourceError(
                "GS305",
                f"A file has columns that are not declared: {', '.join(new)}.",
                where=where,
                hint="Declare them under `columns:`, or set `on_new_column: add` or `ignore`.",
            )
        if spec.on_new_column == "add" or not declared:
            _refuse_impossible(new, where)
            taken += new
            known |= {name.lower() for name in new}
        present = {name.lower() for name in layout.names}
        missing = [name for name in declared if name.lower() not in present]
        if missing and spec.on_missing_column == "fail":
            raise SourceError(
                "GS305",
                f"A file lacks declared columns: {', '.join(missing)}.",
                where=where,
                hint="Deliver it again with them, or set `on_missing_column: fill` to load NULLs.",
            )
    return tuple(taken)


def _refuse_impossible(names: Iterable[str], where: Where) -> None:
    for name in names:
        if name.lower() in RESERVED or name.lower().startswith("_gs_"):
            message = f"A file has a column `{name}`, a name that Goldsmith reserves."
        elif not name or IMPOSSIBLE.search(name):
            message = f"A file has a column `{name}`, which is not a valid name of a table's column."
        else:
            continue
        raise SourceError(
            "GS305",
            message,
            where=Where(file=where.file, table=where.table, field=name),
            hint="Rename it in the file, or declare the other columns and set `on_new_column: ignore`.",
        )


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


def _parquet_layout(spark: SparkSession, table: str, landing: Landing, file: LoadedFile) -> Layout:
    try:
        schema = spark.read.parquet(uri(landing, file.path)).schema
        return Layout(tuple(schema.fieldNames()), schema.simpleString())
    except Exception as error:
        landing.unchanged([file], table=table)
        raise SourceError(
            "GS302",
            "A file is not Parquet, or it is truncated.",
            where=Where(file=file.path, table=table),
            retryable=True,
            hint=REDELIVER_HINT,
        ) from error


def _json_layout(
    spark: SparkSession, declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
) -> Layout:
    """The declared columns and all other keys of the documents. Declared columns are never missing in JSON."""
    paths = [uri(landing, file.path) for file in files]
    lines = json_lines(spark, paths, declared.options)
    # The function is lenient: it may return keys of a line that is not a document.
    documents = lines.where(F.col(LINE).rlike(r'(?s)^\s*+\{\s*+(?:".*)?\}\s*+$'))
    keys = documents.select(F.json_object_keys(LINE).alias("keys"))
    # A document with a duplicate key adds a NULL.
    marked = "CASE WHEN size(array_distinct(keys)) < size(keys) THEN array_append(keys, NULL) ELSE keys END"
    rows = keys.select(F.explode(F.expr(marked)).alias("key")).distinct().collect()
    found: dict[str, list[str]] = {}
    for key in sorted(row.key for row in rows if row.key is not None):
        found.setdefault(key.lower(), []).append(key)
    spec = declared.spec
    known = {name.lower() for name in spec.columns}
    new = [keys[0] for folded, keys in found.items() if folded not in known]
    names = [*spec.columns, *(new if spec.on_new_column != "ignore" or not known else ())]
    others = {name: tuple(key for key in found.get(name.lower(), ()) if key != name) for name in names}
    spellings = {name: keys for name, keys in others.items() if keys}
    unique = not spellings and all(row.key is not None for row in rows)
    return Layout(tuple(names), spellings=spellings, unique=unique)
