"""Checks of a table's `source`, and of the keys that only tables with or without one may have."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.checks.columns import IMPOSSIBLE
from goldsmith.project.checks.file_options import options_of_files
from goldsmith.project.models import RESERVED
from goldsmith.project.sources import FilesSource
from goldsmith.project.tables import Table


def sources(table: Table) -> Iterator[DeclarationError]:
    """The mistakes in a table's source and beside it: GS102, GS103, GS104 and GS110."""
    source, bronze = table.spec.source, table.layer == "bronze"
    if source is not None and not bronze:
        yield DeclarationError(
            "GS110",
            "Only a bronze table has a `source`.",
            where=table.where("source"),
            hint="Declare a bronze table with this source, and read it here.",
        )
    if source is not None and bronze and not isinstance(table.load, source.loads):
        yield DeclarationError(
            "GS110",
            "A bronze table keeps what was delivered: it can only append.",
            where=table.where("load"),
            hint="Merge in a silver table that reads this one.",
        )
    yield from _misplaced(table, ("changes_of", "lookups", "reads") if bronze else ())
    for key in () if bronze else ("on_new_column", "on_missing_column"):
        if key in table.spec.model_fields_set:
            yield DeclarationError(
                "GS110", f"`{key}` is for bronze tables alone.", where=table.where(key), hint="Remove it."
            )
    match source:
        case FilesSource():
            yield from options_of_files(table, source)
            yield from _without_header(table, source)
    if source is not None:
        for name in table.spec.columns:
            yield from _name(table, name)


def _misplaced(table: Table, keys: tuple[str, ...]) -> Iterator[DeclarationError]:
    for key in keys:
        if getattr(table.spec, key):
            yield DeclarationError(
                "GS110",
                f"A bronze table reads no other table, so `{key}` has no meaning here.",
                where=table.where(key),
                hint="Remove it.",
            )


def _name(table: Table, name: str) -> Iterator[DeclarationError]:
    where = table.where("columns", name)
    if name.lower() in RESERVED or name.lower().startswith("_gs_"):
        told = f"`{name}` is a name that Goldsmith keeps for itself."
        yield DeclarationError("GS110", told, where=where, hint="Every bronze table has it: remove it here.")
    elif IMPOSSIBLE.search(name):
        yield DeclarationError(
            "GS110",
            f"A table's column cannot be called `{name}`.",
            where=where,
            hint="Names hold neither spaces nor any of , ; { } ( ) =. Rename it in the files.",
        )


def _without_header(table: Table, source: FilesSource) -> Iterator[DeclarationError]:
    options = {key.lower(): str(value).lower() for key, value in source.options.items()}
    if source.format == "csv" and options.get("header") == "false" and not table.spec.columns:
        yield DeclarationError(
            "GS104",
            "Files without a first line of names need `columns`, in the order of their fields.",
            where=table.where("source", "options"),
            hint="As in `columns: {id: int, name: string}`.",
        )
