"""Finds bronze columns whose declared type differs from their table's, on a disk, without Spark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from goldsmith.project.pipelines import Project
from goldsmith.project.tables import Table
from goldsmith.project.types import decimal_of, family, is_single, sizes_of, word_of


def changed_types(project: Project, warehouse: str) -> Iterator[tuple[str, str]]:
    """Pairs of a table and a note on a column whose declared type differs. Ignores nested types.

    Finds nothing in a warehouse on S3 or without loaded tables; `goldsmith plan` checks all warehouses.
    """
    if "://" in warehouse:
        return
    for table in project.tables.values():
        if table.keeps_types:
            types = _types(Path(warehouse, *table.name.split(".", 1)))
            yield from ((table.name, note) for note in _notes(table, types))


def _notes(table: Table, types: dict[str, str]) -> Iterator[str]:
    for name, column in table.spec.columns.items():
        declared, current = _canonical(column.type or ""), types.get(name.lower())
        if declared is not None and current is not None and declared != current:
            yield (
                f"{name} has the type {current}, and is declared as {declared}: a run fails with GS405. "
                f"`goldsmith run {table.name} --rebuild {table.name}` reads all its files again."
            )


def _types(folder: Path) -> dict[str, str]:
    """The types of a table's non-nested columns by lower-case name; empty if unknown."""
    sums = sorted((folder / "_delta_log").glob("*.crc"))
    try:
        metadata = json.loads(sums[-1].read_text(encoding="utf-8"))["metadata"] if sums else {}
        fields = json.loads(metadata.get("schemaString", "{}")).get("fields", ())
    except (OSError, ValueError, KeyError):
        # Another process is writing the file, or another program wrote the table.
        return {}
    types = {field["name"].lower(): _canonical(field["type"]) for field in fields}
    return {name: kind for name, kind in types.items() if kind is not None}


def _canonical(kind: object) -> str | None:
    """The normal form of a non-nested type; None for other types."""
    if not isinstance(kind, str) or not is_single(kind):
        return None
    word = word_of(kind)
    if word is None or sizes_of(kind) is None:
        return None
    if word == "decimal":
        return "decimal({},{})".format(*decimal_of(kind))
    # Delta stores char and varchar as string.
    return "string" if family(word) == "text" else word
