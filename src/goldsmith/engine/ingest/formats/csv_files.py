"""CSV files: their lines and records."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import FilesLoad, FormatReader, LandedFiles, Layout, Layouts
from goldsmith.engine.ingest.formats.csv_header import csv_headers
from goldsmith.engine.ingest.formats.text_start import needs_session
from goldsmith.engine.ingest.landing import uris
from goldsmith.engine.ingest.lines import (
    FILE,
    LINE,
    file_columns,
    needs_every_line,
    numbered_records,
    reader_of,
)
from goldsmith.engine.ingest.parsing import MALFORMED, Options, csv_record

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
    def layouts(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
        return _layouts(load, files)

    @override
    def headers(self, landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts | None:
        return None if needs_session(files) else _layouts(landed, files)

    @override
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        paths, options = uris(load.landing, files), load.declared.options
        if needs_every_line(layout.names, options):
            lines = numbered_records(load.spark, paths, layout.names, options)
        else:
            lines = _csv_lines(load.spark, paths, options)
        parsed = csv_record(LINE, layout.names, options).alias(_ROW)
        return lines.select(parsed, *FILE).select(f"{_ROW}.*", *FILE)

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        return csv_record(text, names, declared.options)


def _layouts(landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts:
    found: Layouts = {}
    for file, header in zip(files, csv_headers(landed, files), strict=True):
        if header is not None:
            found.setdefault(Layout(header), []).append(file)
    return found


def _csv_lines(spark: SparkSession, paths: list[str], options: Options) -> DataFrame:
    """The lines of the files without headers, blank lines and comments, which Spark skips."""
    # With column pruning only malformed columns that are used would make a line malformed.
    given = {"header": "true", **options, "mode": "PERMISSIVE", "columnpruning": "false"}
    given |= {"columnnameofcorruptrecord": MALFORMED, "sep": _NEVER, "quote": _NEVER}
    schema = StructType([StructField(name, StringType()) for name in (LINE, MALFORMED)])
    line_options = {key: given[key] for key in (*_OF_LINES, "sep", "quote") if key in given}
    lines = reader_of(spark, paths).schema(schema).options(**line_options).csv(paths)
    return lines.select(F.coalesce(MALFORMED, LINE).alias(LINE), *file_columns())
