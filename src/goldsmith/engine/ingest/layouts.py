"""Which columns delivered files have, and which of them a table takes."""

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
from goldsmith.engine.ingest.declared import FilesTable
from goldsmith.engine.ingest.landing import Landing, uri
from goldsmith.engine.ingest.lines import BLANKS, LINE, json_lines
from goldsmith.errors import SourceError, Where
from goldsmith.project.checks.columns import IMPOSSIBLE
from goldsmith.project.models import RESERVED

AGAIN = "Deliver the file again under the same name, or move it out of the landing folder."
_AT_ONCE = 8
_PART = 1 << 16
REPLACEMENT = "\ufffd"
"""What stands for bytes that are not in a file's encoding."""


@dataclass(frozen=True)
class Layout:
    """A file's columns in their order. types: as text, of formats that carry types.

    spellings: other ways in which documents write a column's name. unique: no document has two keys for one
    column.
    """

    names: tuple[str, ...]
    types: str = ""
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    unique: bool = False


def layouts(
    spark: SparkSession, declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
) -> dict[Layout, list[LoadedFile]]:
    """Files by their columns: those with the same columns in the same order are read together.

    Files without a row or a first line are left out. Raises SourceError: GS302 for a file that cannot be
    read, GS303 for one that is gone, GS305 for a first line that names no columns.
    """
    for file in files:
        if ":" in file.path:
            raise SourceError(
                "GS302",
                "A file has a colon in its name, and Spark cannot read such names.",
                where=Where(file=file.path, table=declared.name),
                hint="Rename it.",
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


def columns_taken(files_table: FilesTable, groups: Mapping[Layout, list[LoadedFile]]) -> tuple[str, ...]:
    """The columns that the table takes: the declared ones, and new ones where `on_new_column` lets them in.

    Raises SourceError GS305 for columns that are new, missing, or cannot be a table's.
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
                hint="Declare them under `columns:`, or say `on_new_column: add` or `ignore`.",
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
                hint="Deliver it again with them, or say `on_missing_column: fill` to take NULLs.",
            )
    return tuple(taken)


def _refuse_impossible(names: Iterable[str], where: Where) -> None:
    for name in names:
        if name.lower() in RESERVED or name.lower().startswith("_gs_"):
            told = f"A file has a column `{name}`, a name that Goldsmith keeps for itself."
        elif not name or IMPOSSIBLE.search(name):
            told = f"A file has a column `{name}`, and a table's column cannot be called that."
        else:
            continue
        raise SourceError(
            "GS305",
            told,
            where=Where(file=where.file, table=where.table, field=name),
            hint="Rename it in the file, or declare the other columns and say `on_new_column: ignore`.",
        )


def _csv_headers(
    declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
) -> Iterator[tuple[str, ...] | None]:
    """Each file's first record. Several are read at once: on S3 each is a request."""
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
        # Excel writes a mark of three bytes before UTF-8.
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
            "A file vanished before it was read.",
            where=where,
            retryable=True,
            hint="Nothing was committed; run again.",
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(
            "GS302", f"A file cannot be unpacked: {error}.", where=where, retryable=True, hint=AGAIN
        ) from None
    except OSError as error:
        told = f"A file cannot be read: {error.strerror}."
        raise SourceError("GS302", told, where=where, retryable=True, hint="Check who may read it.") from None
    except csv.Error as error:
        raise SourceError(
            "GS302", f"The first line of a file is not CSV: {error}.", where=where, hint=AGAIN
        ) from None
    return None if first is None else _named(first, encoding, where)


def _ended_by(text: TextIO, separator: str) -> Iterator[str]:
    """The lines of a text that end otherwise than with a line break."""
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
    told = None
    if any(REPLACEMENT in name for name in header):
        told = f"The first line of a file is not in its encoding, {encoding}."
        hint = "Say which one it is in: `options: {encoding: iso-8859-1}`; or deliver it again."
        raise SourceError("GS302", told, where=where, hint=hint)
    if "" in header:
        told = "The first line of a file has a column without a name."
    elif len(set(folded)) < len(folded):
        double = next(name for name in header if folded.count(name.lower()) > 1)
        told = f"The first line of a file has two columns called `{double}`."
    if told is not None:
        raise SourceError("GS305", told, where=where, hint="Mend the first line and deliver the file again.")
    return header


def _parquet_layout(spark: SparkSession, table: str, landing: Landing, file: LoadedFile) -> Layout:
    try:
        schema = spark.read.parquet(uri(landing, file.path)).schema
        return Layout(tuple(schema.fieldNames()), schema.simpleString())
    except Exception as error:
        landing.unchanged([file], table=table)
        raise SourceError(
            "GS302",
            "A file is not parquet, or was cut off.",
            where=Where(file=file.path, table=table),
            retryable=True,
            hint=AGAIN,
        ) from error


def _json_layout(
    spark: SparkSession, declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
) -> Layout:
    """The declared columns and every other key of the documents; declared ones are never missing in JSON."""
    paths = [uri(landing, file.path) for file in files]
    lines = json_lines(spark, paths, declared.options)
    # The function is lenient: of a line that is no document it may give keys too.
    documents = lines.where(F.col(LINE).rlike(r'(?s)^\s*+\{\s*+(?:".*)?\}\s*+$'))
    keys = documents.select(F.json_object_keys(LINE).alias("keys"))
    # A document with a key that it has twice adds a NULL.
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
