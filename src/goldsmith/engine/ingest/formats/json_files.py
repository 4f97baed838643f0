"""JSON files: one document per line, or files that are a single document."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, FormatReader, Layout, Layouts
from goldsmith.engine.ingest.json_text import bound, elements, member
from goldsmith.engine.ingest.landing import Landing, uris
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

    @override
    def layouts(
        self, spark: SparkSession, declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
    ) -> Layouts:
        filled = [file for file in files if file.size]
        return {self._layout(spark, declared, landing, filled): filled} if filled else {}

    @override
    def rows(
        self,
        spark: SparkSession,
        declared: FilesTable,
        landing: Landing,
        layout: Layout,
        files: Sequence[LoadedFile],
    ) -> DataFrame:
        paths = uris(landing, files)
        types = {name: declared.type_of(name) for name in layout.names}
        parsed = json_record(
            LINE, types, layout.spellings, unique=layout.unique, document=self.document(LINE)
        ).alias(_ROW)
        return _documents(spark, paths, declared).select(parsed, *FILE).select(f"{_ROW}.*", *FILE)

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        types = {name: declared.type_of(name) for name in names}
        return json_record(text, types, {}, document=self.document(text))

    def _layout(
        self, spark: SparkSession, declared: FilesTable, landing: Landing, files: Sequence[LoadedFile]
    ) -> Layout:
        """The columns of some files."""
        paths = uris(landing, files)
        if declared.source.whole_documents:
            _refuse_incomplete(spark, declared, landing, paths)
        lines = _documents(spark, paths, declared)
        return _layout_of(lines.selectExpr(f"{self.document(LINE)} AS {LINE}"), declared)


def _documents(spark: SparkSession, paths: list[str], declared: FilesTable) -> DataFrame:
    """The text of each record as LINE, with FILE."""
    if not declared.source.whole_documents:
        return json_lines(spark, paths, declared.options)
    found = F.expr(f"coalesce({_records(declared.options)}, array({LINE}))")
    return whole_texts(spark, paths, declared.options).select(F.explode(found).alias(LINE), *FILE)


def _records(options: Options) -> str:
    """SQL: the records of a whole file; NULL if it is not a document that has them."""
    place = LINE
    for key in options["records"].split(".") if "records" in options else ():
        place = member(place, key)
    return bound(place, "v", elements("v"))


def _refuse_incomplete(spark: SparkSession, declared: FilesTable, landing: Landing, paths: list[str]) -> None:
    """Raises SourceError GS302 for a file that is not a document with records."""
    path = source_file(landing.stem)
    texts = whole_texts(spark, paths, declared.options).where(f"{_records(declared.options)} IS NULL")
    for row in (
        texts.selectExpr(f"{path} AS path", f"left(ltrim({LINE}), {_SHOWN}) AS start").limit(1).collect()
    ):
        place = declared.options.get("records")
        expected = f"`{place}`" if place else "it"
        raise SourceError(
            "GS302",
            f"A file is not one JSON document in which {expected} is an object or an array of objects: it begins "
            f"with {' '.join(row.start.split())}",
            where=Where(file=row.path, table=declared.name),
            hint="If each line is a document, remove `multiLine`. " + REDELIVER_HINT
            if not place
            else REDELIVER_HINT,
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
