"""Reads delivered files into rows, every column as text, whatever the order of their columns.

A line that is not a record of its file, or not in its file's encoding, comes along as it is, marked
by a reason.
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
from pyspark.sql.types import DataType, NullType, StringType, StructField, StructType

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.declared import FilesTable
from goldsmith.engine.ingest.landing import Landing, uri
from goldsmith.engine.ingest.layouts import REPLACEMENT, Layout, columns_taken, layouts
from goldsmith.engine.ingest.lines import (
    FILE,
    LINE,
    file_columns,
    json_lines,
    needs_every_line,
    numbered_records,
)
from goldsmith.engine.ingest.parsing import MALFORMED, Options, csv_record, json_record
from goldsmith.engine.rows import frame_of
from goldsmith.project.models import TableSpec
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted

HEADER = "_header"
"""The columns of the malformed record's file, as a line of CSV."""

_ROW = "_gs_row"
_NEVER = "\uffff"
"""A character that no text has."""
_OF_LINES = (
    "header",
    "encoding",
    "linesep",
    "comment",
    "mode",
    "columnpruning",
    "columnnameofcorruptrecord",
)


@dataclass(frozen=True)
class Delivered:
    """Rows of some files. frame: columns as text, the system columns, MALFORMED and HEADER."""

    frame: DataFrame
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Stamp:
    """What the platform writes beside each delivered row."""

    run_id: str
    at: datetime


def read_files(
    spark: SparkSession,
    declared: FilesTable,
    landing: Landing,
    files: Sequence[LoadedFile],
    stamp: Stamp,
) -> Delivered:
    """The rows of `files`.

    Raises SourceError: GS302 for a file that cannot be read, GS303 for one that is gone, GS305 for columns
    that the table does not take.
    """
    groups = layouts(spark, declared, landing, files)
    columns = columns_taken(declared, groups)
    parts = _alike(
        [_read(spark, declared, landing, key, members, columns) for key, members in groups.items()]
    )
    frame = reduce(lambda left, right: left.unionByName(right), parts) if parts else _none(spark, columns)
    # Spark writes `file:/x` or `file:///x`, and encodes the path; a plus sign stands for itself there.
    plain = "url_decode(replace(_gs_path, '+', '%2B'))"
    path = f"regexp_replace({plain}, '^[a-z0-9]+:/+', '/')"
    stamped = frame.selectExpr(
        *[quoted(name) for name in columns],
        f"substring({path}, {len(landing.stem) + 2}) AS _source_file",
        "_gs_modified AS _source_modified",
        "_gs_size AS _source_size",
        f"TIMESTAMP '{stamp.at.isoformat()}' AS _ingested_at",
        f"{literal(stamp.run_id)} AS _run_id",
        MALFORMED,
        HEADER,
    )
    return Delivered(stamped, columns)


def header_text(names: Sequence[str]) -> str:
    """A file's columns for HEADER; `csv` reads them again."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(names)
    return text.getvalue()


def reasons(delivered: Delivered) -> str:
    """SQL, array<string>: why a delivered row cannot be taken as it is."""
    schema = delivered.frame.schema
    texts = [quoted(name) for name in delivered.columns if isinstance(schema[name].dataType, StringType)]
    # A text may have got another type since, as that of a nested value.
    replaced = " OR ".join(
        f"contains(CAST({name} AS string), '{REPLACEMENT}')" for name in (MALFORMED, *texts)
    )
    return (
        f"array_compact(array(CASE WHEN {MALFORMED} IS NOT NULL THEN 'malformed' END, "
        f"CASE WHEN {replaced} THEN 'not_in_encoding' END))"
    )


def _read(
    spark: SparkSession,
    declared: FilesTable,
    landing: Landing,
    layout: Layout,
    files: list[LoadedFile],
    columns: tuple[str, ...],
) -> DataFrame:
    """One layout's rows: what a file lacks is NULL of no type, what has a type keeps it."""
    paths = [uri(landing, file.path) for file in files]
    match declared.source.format:
        case "csv":
            frame = _read_csv(spark, layout.names, paths, declared.options)
        case "json":
            frame = _read_json(spark, declared, layout, paths)
        case "parquet":
            frame = spark.read.parquet(*paths).select("*", *file_columns())
            frame = frame.withColumn(MALFORMED, F.lit(None).cast("string"))
    present = {name.lower(): name for name in layout.names}
    chosen = [
        f"{quoted(present[name.lower()]) if name.lower() in present else 'NULL'} AS {quoted(name)}"
        for name in columns
    ]
    told = f"CASE WHEN {MALFORMED} IS NOT NULL THEN {literal(header_text(layout.names))} END AS {HEADER}"
    return frame.selectExpr(*chosen, *FILE, MALFORMED, told)


def _read_csv(spark: SparkSession, names: Sequence[str], paths: list[str], options: Options) -> DataFrame:
    if needs_every_line(names, options):
        lines = numbered_records(spark, paths, names, options)
    else:
        lines = _csv_lines(spark, paths, options)
    parsed = csv_record(LINE, names, options).alias(_ROW)
    return lines.select(parsed, *FILE).select(f"{_ROW}.*", *FILE)


def _csv_lines(spark: SparkSession, paths: list[str], options: Options) -> DataFrame:
    """Each line of the files but the first, blank ones and comments, which Spark takes away."""
    # With pruning a line would only be malformed where a column that is used is.
    told = {"header": "true", **options, "mode": "PERMISSIVE", "columnpruning": "false"}
    told |= {"columnnameofcorruptrecord": MALFORMED, "sep": _NEVER, "quote": _NEVER}
    schema = StructType([StructField(name, StringType()) for name in (LINE, MALFORMED)])
    whole = {key: told[key] for key in (*_OF_LINES, "sep", "quote") if key in told}
    lines = spark.read.schema(schema).options(**whole).csv(paths)
    return lines.select(F.coalesce(MALFORMED, LINE).alias(LINE), *file_columns())


def _read_json(spark: SparkSession, declared: FilesTable, layout: Layout, paths: list[str]) -> DataFrame:
    lines = json_lines(spark, paths, declared.options)
    types = {name: declared_type(declared.spec, name) for name in layout.names}
    parsed = json_record(LINE, types, layout.spellings, unique=layout.unique).alias(_ROW)
    return lines.select(parsed, *FILE).select(f"{_ROW}.*", *FILE)


def declared_type(spec: TableSpec, name: str) -> DataType:
    """The type that a column is declared with; text where none is."""
    column = spec.columns.get(name)
    return DataType.fromDDL(column.type) if column is not None and column.type else StringType()


def _alike(parts: list[DataFrame]) -> list[DataFrame]:
    """The same frames with one type for each column: its own where all agree, text where they do not."""
    if len(parts) <= 1:
        return parts
    unlike = []
    for name in parts[0].columns:
        types = {part.schema[name].dataType for part in parts} - {NullType()}
        if len(types) > 1:
            unlike.append(name)
    return [part.withColumns({name: F.col(quoted(name)).cast("string") for name in unlike}) for part in parts]


def _none(spark: SparkSession, columns: tuple[str, ...]) -> DataFrame:
    texts = dict.fromkeys((*columns, "_gs_path"), "string")
    return frame_of(
        spark,
        [],
        {**texts, "_gs_modified": "timestamp", "_gs_size": "bigint", MALFORMED: "string", HEADER: "string"},
    )
