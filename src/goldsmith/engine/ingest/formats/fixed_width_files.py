"""Files of fixed width: each field of a line has a declared number of characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TextIO

from pyspark.sql import Column, DataFrame
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import FilesLoad, FormatReader, LandedFiles, Layout, Layouts
from goldsmith.engine.ingest.formats.csv_header import delivered_lines, named, refuse_without_header
from goldsmith.engine.ingest.formats.text_start import needs_session, starts
from goldsmith.engine.ingest.landing import uris
from goldsmith.engine.ingest.lines import FILE, LINE, numbered_records
from goldsmith.engine.ingest.parsing import BLANKS, fixed_width_record
from goldsmith.errors import SourceError, Where

_ROW = "_gs_row"


class FixedWidthReader(FormatReader):
    """Reads fields by their widths. The columns are the declared ones in their order, or those of the first line."""

    @override
    def layouts(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
        return _layouts(load, files)

    @override
    def headers(self, landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts | None:
        return None if needs_session(files) else _layouts(landed, files)

    @override
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        declared = load.declared
        options = {**declared.options, "header": str(declared.source.has_header).lower()}
        lines = numbered_records(load.spark, uris(load.landing, files), layout.names, options)
        parsed = self.record(LINE, declared, layout.names).alias(_ROW)
        return lines.select(parsed, *FILE).select(f"{_ROW}.*", *FILE)

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        return fixed_width_record(text, names, widths(declared))


def widths(declared: FilesTable) -> tuple[int, ...]:
    """The number of characters of each field."""
    return tuple(map(int, declared.options["widths"].split()))


def _layouts(landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts:
    filled = [file for file in files if file.size]
    names = starts(landed, filled, lambda text, file: _names(text, landed.declared, file))
    found: Layouts = {}
    for file, columns in zip(filled, names, strict=True):
        if columns is not None:
            found.setdefault(Layout(columns), []).append(file)
    return found


def _names(text: TextIO, declared: FilesTable, file: LoadedFile) -> tuple[str, ...] | None:
    """The columns of a file; None if it has no header."""
    if not declared.source.has_header:
        # Blank lines are rows of a single column.
        return tuple(declared.spec.columns)
    first = next(delivered_lines(text, declared.options), None)
    if first is None:
        return None
    where = Where(file=file.path, table=declared.name)
    ends = list(accumulate(widths(declared)))
    if first[ends[-1] :].strip(BLANKS):
        raise SourceError(
            "GS305",
            f"The header of a file has {len(first.rstrip(BLANKS))} characters, and `widths` {ends[-1]}.",
            where=where,
            hint="Correct `widths`. If the file has no header, set `options: {header: false}`.",
        )
    fields = [first[start:end].strip(BLANKS) for start, end in zip([0, *ends], ends, strict=False)]
    refuse_without_header(fields, declared, where)
    return named(fields, where, declared.options.get("encoding", "utf-8"))
