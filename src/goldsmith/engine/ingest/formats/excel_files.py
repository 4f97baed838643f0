"""Excel workbooks: a sheet's rows, read in the driver."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import (
    REDELIVER_HINT,
    FilesLoad,
    FormatReader,
    LandedFiles,
    Layout,
    Layouts,
    removed,
)
from goldsmith.engine.ingest.formats.csv_header import named
from goldsmith.engine.ingest.formats.driver_rows import DriverRow, driver_frame, stamped
from goldsmith.engine.ingest.lines import FILE
from goldsmith.engine.ingest.parsing import MALFORMED, csv_record, flag, free_names, reader_options
from goldsmith.engine.ingest.workbooks import Sheet, Texts, first_row, rows
from goldsmith.errors import SourceError, Where


class ExcelReader(FormatReader):
    """Reads a sheet of each workbook; its first row names the columns."""

    @override
    def layouts(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
        return _layouts(load, files)

    @override
    def headers(self, landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts | None:
        return _layouts(landed, files)

    @override
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        places = [f"_gs_{at}" for at in range(len(layout.names))]
        found: list[DriverRow] = []
        for file in files:
            with _opened(load, file) as (stream, where):
                for row in rows(stream, _sheet(load.declared), where):
                    found.append(stamped(load, file, _record(row, len(places))))
        frame = driver_frame(load, (*places, MALFORMED), found)
        values = [
            F.col(place).alias(name) for place, name in zip(places, free_names(layout.names), strict=True)
        ]
        return frame.select(*values, MALFORMED, *FILE)

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        return csv_record(text, names, reader_options({}))


def _layouts(landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts:
    found: Layouts = {}
    for file in files:
        names = _header(landed, file) if file.size else None
        if names is not None:
            found.setdefault(Layout(names), []).append(file)
    return found


def _sheet(declared: FilesTable) -> Sheet:
    return Sheet(declared.options.get("sheet"), flag(declared.options, "header", "true"))


def _header(load: LandedFiles, file: LoadedFile) -> tuple[str, ...] | None:
    """The names of a sheet's columns; None if it is empty."""
    sheet = _sheet(load.declared)
    with _opened(load, file) as (stream, where):
        first = first_row(stream, sheet, where)
        if first is None:
            return None
        if not sheet.header:
            return tuple(load.declared.spec.columns)
        return named([name or "" for name in first], where)


@contextmanager
def _opened(load: LandedFiles, file: LoadedFile) -> Iterator[tuple[BinaryIO, Where]]:
    """A stream of a file, and its place for messages. Raises SourceError: GS302, GS303."""
    where = Where(file=file.path, table=load.declared.name)
    try:
        with load.landing.open(file.path) as stream:
            yield stream, where
    except FileNotFoundError:
        raise removed(where) from None
    except (EOFError, OSError, zlib.error) as error:
        message = f"A file cannot be read: {str(error).rstrip('.')}."
        raise SourceError("GS302", message, where=where, retryable=True, hint=REDELIVER_HINT) from error


def _record(row: Texts, width: int) -> Texts:
    """The values of a row and MALFORMED: its text, if it has values beyond the columns."""
    if any(value is not None for value in row[width:]):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(row)
        return (*[None] * width, text.getvalue())
    return (*row[:width], *[None] * (width - len(row)), None)
