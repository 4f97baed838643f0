"""Checks a table's `source` and the keys that depend on it."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.checks.columns import IMPOSSIBLE, IRREPLACEABLE, KEEP_REPLACED, irreplaceable
from goldsmith.project.checks.file_options import options_of_files, widths
from goldsmith.project.formats import ARCHIVES, FORMATS, ZIP
from goldsmith.project.hints import hint_for
from goldsmith.project.models import RESERVED
from goldsmith.project.python_files import names_in, parse_python, read_text
from goldsmith.project.sources import (
    DELETED,
    DeclaredSource,
    ExtractSource,
    FilesSource,
    JdbcSource,
    ReadsFiles,
    S3Source,
)
from goldsmith.project.system_columns import INTERVAL
from goldsmith.project.tables import Table, extract_file

_COLUMN_POLICIES = ("on_new_column", "on_missing_column")
_TYPE_POLICIES = ("on_widened_type", "on_changed_type")


def sources(table: Table) -> Iterator[DeclarationError]:
    """Mistakes in a table's source and in the keys that depend on it: GS102, GS103, GS104 and GS110."""
    source, bronze = table.spec.source, table.layer == "bronze"
    asked = isinstance(source, ExtractSource)
    if source is not None and not bronze:
        yield DeclarationError(
            "GS110",
            "Only bronze tables can have a `source`.",
            where=table.where("source"),
            hint="Declare a bronze table with this source, and read that table here.",
        )
    if source is not None and bronze and not source.accepts(table.load):
        yield DeclarationError(
            "GS110",
            "A bronze table can only append: it keeps all delivered rows.",
            where=table.where("load"),
            hint="Declare the load in a silver table that reads this table."
            + (f" An extract may also have `overwrite_partitions: {{by: {INTERVAL}}}`." if asked else ""),
        )
    yield from _misplaced(table, ("changes_of", "lookups", "reads") if bronze else ())
    if not bronze:
        yield from _bronze_only(table)
    elif source is not None:
        yield from _without_types(table, source)
    if isinstance(source, ReadsFiles):
        yield from options_of_files(table, source)
        yield from _without_header(table, source)
        yield from widths(table, source)
    if isinstance(source, FilesSource | S3Source):
        yield from _archives(table, source)
    if isinstance(source, ExtractSource):
        yield from _function(table, source)
    if isinstance(source, JdbcSource):
        yield from _deletes(table, source)
    if table.by_interval or (isinstance(source, FilesSource) and source.on_replaced == "replace"):
        for name in irreplaceable(table.spec.columns):
            yield DeclarationError(
                "GS110", IRREPLACEABLE.format(name), where=table.where("columns", name), hint=KEEP_REPLACED
            )
    if source is not None:
        for name in table.spec.columns:
            yield from _name(table, name)


def _given(table: Table, keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if key in table.spec.model_fields_set]


def _bronze_only(table: Table) -> Iterator[DeclarationError]:
    """Policies for changed columns of files that the table does not read."""
    for key in _given(table, (*_COLUMN_POLICIES, *_TYPE_POLICIES)):
        yield DeclarationError(
            "GS110", f"`{key}` is for bronze tables only.", where=table.where(key), hint="Remove it."
        )


def _without_types(table: Table, source: DeclaredSource) -> Iterator[DeclarationError]:
    """Policies for changed types of a source that brings none."""
    for key in () if source.may_change_types else _given(table, _TYPE_POLICIES):
        yield DeclarationError(
            "GS110",
            f"`{key}` has no effect here: only Parquet and Avro files bring types.",
            where=table.where(key),
            hint="Remove it, and declare the types of columns: rows with other values are quarantined.",
        )


def _misplaced(table: Table, keys: tuple[str, ...]) -> Iterator[DeclarationError]:
    for key in keys:
        if getattr(table.spec, key):
            yield DeclarationError(
                "GS110",
                f"`{key}` has no effect here: a bronze table reads no other table.",
                where=table.where(key),
                hint="Remove it.",
            )


def _name(table: Table, name: str) -> Iterator[DeclarationError]:
    where = table.where("columns", name)
    if name.lower() in (RESERVED | table.system_columns.keys()) or name.lower().startswith("_gs_"):
        message = f"Goldsmith reserves the column name `{name}`."
        yield DeclarationError(
            "GS110", message, where=where, hint="Remove it: Goldsmith adds its own columns."
        )
    elif IMPOSSIBLE.search(name):
        yield DeclarationError(
            "GS110",
            f"`{name}` is not a valid name of a column.",
            where=where,
            hint="Rename it in the files: names cannot contain spaces or any of , ; { } ( ) =.",
        )


def _without_header(table: Table, source: ReadsFiles) -> Iterator[DeclarationError]:
    if "header" in FORMATS[source.format].options and not source.has_header and not table.spec.columns:
        yield DeclarationError(
            "GS104",
            "Files without a header need `columns`, in the order of their fields.",
            where=table.where("source", "options"),
            hint="Declare them, as in `columns: {id: int, name: string}`.",
        )


def _archives(table: Table, source: FilesSource | S3Source) -> Iterator[DeclarationError]:
    """A glob that only matches archives that the format does not read."""
    end = next((end for end in ARCHIVES if source.files.lower().endswith(end)), None)
    if end is not None and not (end == ZIP and FORMATS[source.format].zipped):
        yield DeclarationError(
            "GS103",
            f"`source.files` matches {ARCHIVES[end]}, which `format: {source.format}` does not read: {source.files}",
            where=table.where("source", "files"),
            hint="Deliver their members as files of their own. Text may be compressed: `.gz`, `.zst`, `.bz2` or `.zip`.",
        )


def _deletes(table: Table, source: JdbcSource) -> Iterator[DeclarationError]:
    """Deleted rows that a table's columns cannot show."""
    spec = table.spec
    named = {name.lower() for name in spec.columns}
    if source.deletes and named and DELETED not in named and spec.on_new_column != "add":
        yield DeclarationError(
            "GS110",
            f"`deletes` adds the column `{DELETED}`, which `columns` lacks and `on_new_column` does not add.",
            where=table.where("source", "deletes"),
            hint=f"Declare it, as in `columns: {{{DELETED}: boolean}}`.",
        )


def _function(table: Table, source: ExtractSource) -> Iterator[DeclarationError]:
    """A missing file or function of an extract."""
    where = table.where("source", "extract")
    file = extract_file(table, source)
    if not file.is_file():
        others = [other.stem for other in file.parent.glob("*.py")]
        hint = hint_for(source.module, others) if others else f"Write {file.name}."
        message = f"There is no {file.name} in {file.parent}."
        yield DeclarationError("GS106", message, where=where, hint=hint)
        return
    try:
        names = names_in(parse_python(file, read_text(file), table.name))
    except DeclarationError as problem:
        yield problem
        return
    if source.function not in names:
        yield DeclarationError(
            "GS206",
            f"{file.name} has no function `{source.function}`.",
            where=where,
            hint=hint_for(source.function, names),
        )
