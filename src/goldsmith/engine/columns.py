"""Columns by name, and rows as comparable values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType, TimestampType, VariantType

from goldsmith.project.sql_literals import literal
from goldsmith.project.sql_text import quoted

EXACT_TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
"""Options of `to_json` that keep microseconds."""

_EXACT_TIMES = "map({})".format(
    ", ".join(f'"{key}", "{value}"' for pair in EXACT_TIMES.items() for key, value in [pair])
)


def named(names: Iterable[str], of: str | None = None) -> list[Column]:
    """Columns by name, of an alias where one is given."""
    prefix = f"{of}." if of else ""
    return [F.col(prefix + quoted(name)) for name in names]


def row_hash(schema: StructType, of: str | None = None, *, seed: int = 0) -> str:
    """SQL of a 64-bit hash of a whole row: equal for equal rows, whatever the order of a map's entries.

    A column that is NULL counts as one that is not there, so that a table that gained a column keeps its hashes.
    """
    prefix = f"{of}." if of else ""
    parts = [str(seed)]
    for field in sorted(schema.fields, key=lambda field: field.name.lower()):
        column = prefix + quoted(field.name)
        value = f"sort_array(map_entries({column}))" if isinstance(field.dataType, MapType) else column
        if isinstance(field.dataType, StructType | ArrayType | MapType | VariantType):
            value = f"to_json({value}, {_EXACT_TIMES})"
        # The hash of a NULL is what was hashed before it: without its name a value could change its column.
        name = literal(field.name.lower())
        parts.append(f"CASE WHEN {column} IS NOT NULL THEN xxhash64({name}, {value}) END")
    return f"xxhash64({', '.join(parts)})"


def collected(value: Any, kind: DataType) -> Any:
    """A value that Spark handed over, told apart from others: an instant carries its zone.

    Spark gives instants as the driver's local time, which its own session need not share.
    """
    if isinstance(value, datetime) and isinstance(kind, TimestampType):
        return value.astimezone(UTC)
    return value


def among(columns: Sequence[str], values: Sequence[tuple[Any, ...]]) -> str:
    """SQL that is true for rows whose `columns` hold one of `values`, NULL being a value like others."""
    if not values:
        return "false"
    if len(columns) == 1:
        name = quoted(columns[0])
        present = [literal(value[0]) for value in values if value[0] is not None]
        # Spark makes an equality of a list of one, whose value is then part of the generated code.
        listed = [*present, "NULL"] if len(present) == 1 else present
        parts = [f"{name} IN ({', '.join(listed)})"] if present else []
        if len(present) < len(values):
            parts.append(f"{name} IS NULL")
        return " OR ".join(parts)
    rows = []
    for value in values:
        equal = [
            f"{quoted(name)} IS NULL" if item is None else f"{quoted(name)} = {literal(item)}"
            for name, item in zip(columns, value, strict=True)
        ]
        rows.append(f"({' AND '.join(equal)})")
    return " OR ".join(rows)
