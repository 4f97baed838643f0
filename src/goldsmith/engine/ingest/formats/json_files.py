"""JSON files: one document per line, or files that are a single document."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, FilesLoad, FormatReader, Layout, Layouts
from goldsmith.engine.ingest.formats.text_start import refuse_other_formats
from goldsmith.engine.ingest.json_text import bound, elements, member
from goldsmith.engine.ingest.landing import uris
from goldsmith.engine.ingest.lines import FILE, LINE, json_lines, source_file, whole_texts
from goldsmith.engine.ingest.parsing import Options, json_record
from goldsmith.errors import SourceError, Where

_ROW = "_gs_row"
_SHOWN = 60
"""The number of characters shown of a file that cannot be read."""


class JsonReader(FormatReader):
    """Reads documents; all files of a load have one layout, the keys of all documents.

    With `multiLine` or `records`, a file is an object or an array of objects.
    """

    def document(self, line: str) -> str:
        """SQL: the document of a line; NULL if the line is malformed."""
        return line

    def documents(self, load: FilesLoad, files: Sequence[LoadedFile]) -> DataFrame:
        """The text of each record as LINE, with FILE."""
        paths, options = uris(load.landing, files), load.declared.options
        if not load.declared.source.whole_documents:
            return json_lines(load.spark, paths, options)
        found = F.expr(f"coalesce({_records(options)}, array({LINE}))")
        return whole_texts(load.spark, paths, options).select(F.explode(found).alias(LINE), *FILE)

    @override
    def layouts(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
        filled = [file for file in files if file.size]
        refuse_other_formats(load, filled)
        return {self._layout(load, filled): filled} if filled else {}

    @override
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        types = {name: load.declared.type_of(name) for name in layout.names}
        parsed = json_record(
            LINE, types, layout.spellings, unique=layout.unique, document=self.document(LINE)
        ).alias(_ROW)
        return self.documents(load, files).select(parsed, *FILE).select(f"{_ROW}.*", *FILE)

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        types = {name: declared.type_of(name) for name in names}
        return json_record(text, types, {}, document=self.document(text))

    def _layout(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layout:
        """The columns of some files."""
        if load.declared.source.whole_documents:
            _refuse_incomplete(load, files)
        lines = self.documents(load, files)
        return _layout_of(lines.selectExpr(f"{self.document(LINE)} AS {LINE}"), load.declared)


def _records(options: Options) -> str:
    """SQL: the records of a whole file; NULL if it is not a document that has them."""
    place = LINE
    for key in options["records"].split(".") if "records" in options else ():
        place = member(place, key)
    return bound(place, "v", elements("v"))


def _refuse_incomplete(load: FilesLoad, files: Sequence[LoadedFile]) -> None:
    """Raises SourceError GS302 for a file that is not a document with records."""
    options = load.declared.options
    texts = whole_texts(load.spark, uris(load.landing, files), options).where(f"{_records(options)} IS NULL")
    shown = (f"{source_file(load.landing.stem)} AS path", f"left(ltrim({LINE}), {_SHOWN}) AS start")
    row = texts.selectExpr(*shown).first()
    if row is None:
        return
    message, hint = "A file is not one JSON document", "If each line is a document, remove `multiLine`. "
    if "records" in options:
        message, hint = f"A file is not one JSON document with records at `{options['records']}`", ""
    raise SourceError(
        "GS302",
        f"{message}: it begins with {' '.join(row.start.split())}",
        where=Where(file=row.path, table=load.declared.name),
        hint=hint + REDELIVER_HINT,
    )


def _layout_of(lines: DataFrame, declared: FilesTable) -> Layout:
    """The declared columns and all other keys of the documents. Declared columns are never missing in JSON."""
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
