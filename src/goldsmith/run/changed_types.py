"""Bronze columns that are declared with another type than their table has, found on a disk without Spark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from goldsmith.project.tables import Project, Table
from goldsmith.project.types import family, is_single, sizes_of, word_of

_DECIMAL = (10, 0)
"""Digits, and digits after the point, where a decimal names none."""


def changed_types(project: Project, warehouse: str) -> Iterator[tuple[str, str]]:
    """Tables, and what to do about a column whose declared type is not the table's. Nested types are left out.

    Nothing is found in a warehouse on S3, or where no table has been loaded: `goldsmith plan` looks everywhere.
    """
    if "://" in warehouse:
        return
    for table in project.tables.values():
        if table.keeps_types:
            held = _types(Path(warehouse, *table.name.split(".", 1)))
            yield from ((table.name, note) for note in _notes(table, held))


def _notes(table: Table, held: dict[str, str]) -> Iterator[str]:
    for name, column in table.spec.columns.items():
        now, then = _canonical(column.type or ""), held.get(name.lower())
        if now is not None and then is not None and now != then:
            yield (
                f"it holds {name} as {then}, and {name} is declared as {now}: a run ends with GS405. "
                f"`goldsmith run {table.name} --rebuild {table.name}` reads all its files again."
            )


def _types(folder: Path) -> dict[str, str]:
    """The types of a table's single-valued columns, by their names in lower case; empty if they are unknown."""
    sums = sorted((folder / "_delta_log").glob("*.crc"))
    try:
        metadata = json.loads(sums[-1].read_text(encoding="utf-8"))["metadata"] if sums else {}
        fields = json.loads(metadata.get("schemaString", "{}")).get("fields", ())
    except (OSError, ValueError, KeyError):
        # Another process is writing it, or another program wrote the table.
        return {}
    types = {field["name"].lower(): _canonical(field["type"]) for field in fields}
    return {name: kind for name, kind in types.items() if kind is not None}


def _canonical(kind: object) -> str | None:
    """One spelling for each single-valued type; None for the others."""
    if not isinstance(kind, str) or not is_single(kind):
        return None
    word, sizes = word_of(kind), sizes_of(kind)
    if word is None or sizes is None:
        return None
    if word == "decimal":
        return "decimal({},{})".format(*(sizes + _DECIMAL[len(sizes) :]))
    # Delta stores texts of a limited length as strings.
    return "string" if family(word) == "text" else word
