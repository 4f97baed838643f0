"""Reads delivered files into rows with all columns as text, independent of the order of columns.

Malformed records, and records with bytes that are not valid in the file's encoding, are kept with a reason.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NullType, StringType

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats import reader_of
from goldsmith.engine.ingest.formats.base import FilesLoad, Layout
from goldsmith.engine.ingest.landing import Landing
from goldsmith.engine.ingest.layouts import layouts, table_columns
from goldsmith.engine.ingest.lines import FILE, REPLACEMENT, source_file
from goldsmith.engine.ingest.parsing import MALFORMED
from goldsmith.engine.rows import frame_of
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.project.types import widest

HEADER = "_header"
"""The columns of a malformed record's file, as a line of CSV."""


@dataclass(frozen=True)
class Delivered:
    """The rows of some files. frame: columns as text, the system columns, MALFORMED and HEADER."""

    frame: DataFrame
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Stamp:
    """Values of the system columns `_run_id` and `_ingested_at`."""

    run_id: str
    at: datetime


def read_files(
    spark: SparkSession,
    declared: FilesTable,
    landing: Landing,
    files: Sequence[LoadedFile],
    stamp: Stamp,
) -> Delivered:
    """Reads the rows of `files`.

    Raises SourceError: GS302 for a file that cannot be read, GS303 for one that no longer exists, GS305 for columns
    that the table does not accept.
    """
    load = FilesLoad(declared, landing, spark)
    groups = layouts(load, files)
    columns = table_columns(declared, groups)
    parts = _with_common_types([_read(load, key, members, columns) for key, members in groups.items()])
    frame = reduce(lambda left, right: left.unionByName(right), parts) if parts else _none(spark, columns)
    stamped = frame.selectExpr(
        *[quoted(name) for name in columns],
        f"{source_file(landing.stem)} AS _source_file",
        "_gs_modified AS _source_modified",
        "_gs_size AS _source_size",
        f"TIMESTAMP '{stamp.at.isoformat()}' AS _ingested_at",
        f"{literal(stamp.run_id)} AS _run_id",
        MALFORMED,
        HEADER,
    )
    return Delivered(stamped, columns)


def header_text(names: Sequence[str]) -> str:
    """A file's columns as the value of HEADER, to be parsed by `csv`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    return text.getvalue()


def reasons(delivered: Delivered) -> str:
    """SQL, array<string>: the violations of a delivered row: malformed, or not valid in its encoding."""
    schema = delivered.frame.schema
    texts = [quoted(name) for name in delivered.columns if isinstance(schema[name].dataType, StringType)]
    # A text column may have been cast to another type by now.
    replaced = " OR ".join(
        f"contains(CAST({name} AS string), '{REPLACEMENT}')" for name in (MALFORMED, *texts)
    )
    return (
        f"array_compact(array(CASE WHEN {MALFORMED} IS NOT NULL THEN 'malformed' END, "
        f"CASE WHEN {replaced} THEN 'not_in_encoding' END))"
    )


def _read(load: FilesLoad, layout: Layout, files: list[LoadedFile], columns: tuple[str, ...]) -> DataFrame:
    """The rows of one layout. Missing columns are untyped NULLs; typed columns keep their types."""
    frame = reader_of(load.declared).rows(load, layout, files)
    present = {name.lower(): name for name in layout.names}
    chosen = [
        f"{quoted(present[name.lower()]) if name.lower() in present else 'NULL'} AS {quoted(name)}"
        for name in columns
    ]
    header = f"CASE WHEN {MALFORMED} IS NOT NULL THEN {literal(header_text(layout.names))} END AS {HEADER}"
    return frame.selectExpr(*chosen, *FILE, MALFORMED, header)


def _with_common_types(parts: list[DataFrame]) -> list[DataFrame]:
    """The frames with one type per column: the widest one, or text if none of the types has the values of the others."""
    if len(parts) <= 1:
        return parts
    common: dict[str, DataType] = {}
    for name in parts[0].columns:
        types = {part.schema[name].dataType for part in parts} - {NullType()}
        if len(types) > 1:
            wide = widest([kind.simpleString() for kind in types])
            common[name] = next((kind for kind in types if kind.simpleString() == wide), StringType())
    return [
        part.withColumns({name: F.col(quoted(name)).cast(kind) for name, kind in common.items()})
        for part in parts
    ]


def _none(spark: SparkSession, columns: tuple[str, ...]) -> DataFrame:
    texts = dict.fromkeys((*columns, "_gs_path"), "string")
    return frame_of(
        spark,
        [],
        {**texts, "_gs_modified": "timestamp", "_gs_size": "bigint", MALFORMED: "string", HEADER: "string"},
    )
