"""Columns by name, and rows as comparable values."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    DataType,
    DoubleType,
    FloatType,
    MapType,
    StructField,
    StructType,
    VariantType,
)

from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted, text_literal

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


def exact(value: str, kind: DataType, depth: int = 0) -> str:
    """SQL of a form of `value`, an SQL expression of the type `kind`, that rows can be grouped by.

    Two values have one form only where they are the same: Spark itself groups -0.0 with 0.0, and neither maps nor
    variants. The order of a map's entries makes no difference. Where the type needs no other form, `value` itself.
    """
    item = f"_gs_e{depth}"
    match kind:
        case FloatType() | DoubleType():
            return f"CAST({value} AS string)"
        case VariantType():
            return f"IF({value} IS NOT NULL, named_struct('t', schema_of_variant({value}), 'v', to_json({value})), NULL)"
        case MapType():
            entry = StructType([StructField("key", kind.keyType), StructField("value", kind.valueType)])
            entries = f"map_entries({value})"
            form = exact(item, entry, depth + 1)
            return f"sort_array({entries if form == item else f'transform({entries}, {item} -> {form})'})"
        case ArrayType():
            form = exact(item, kind.elementType, depth + 1)
            return value if form == item else f"transform({value}, {item} -> {form})"
        case StructType():
            members = {field.name: f"{value}.{quoted(field.name)}" for field in kind.fields}
            forms = {field.name: exact(members[field.name], field.dataType, depth) for field in kind.fields}
            if forms == members:
                return value
            told = ", ".join(f"{text_literal(name)}, {form}" for name, form in forms.items())
            return f"IF({value} IS NOT NULL, named_struct({told}), NULL)"
        case _:
            return value


def row_hash(schema: StructType, of: str | None = None, *, seed: int = 0) -> str:
    """SQL of a 64-bit hash of a whole row: equal for equal rows, whatever the order of a map's entries.

    A column that is NULL counts as one that is not there, so that a table that gained a column keeps its hashes.
    """
    prefix = f"{of}." if of else ""
    parts = [str(seed)]
    for field in sorted(schema.fields, key=lambda field: field.name.lower()):
        column = prefix + quoted(field.name)
        # The hash of a NULL is what was hashed before it: without its name a value could change its column.
        name = literal(field.name.lower())
        cases = f"WHEN {column} IS NOT NULL THEN xxhash64({name}, {_hashed(column, field.dataType)})"
        if isinstance(field.dataType, FloatType | DoubleType):
            # Spark gives both zeros one hash.
            cases = f"WHEN {column} = 0 AND CAST({column} AS string) = '-0.0' THEN xxhash64({name}, '-0.0') {cases}"
        parts.append(f"CASE {cases} END")
    return f"xxhash64({', '.join(parts)})"


def _hashed(column: str, kind: DataType) -> str:
    if isinstance(kind, StructType | ArrayType | MapType | VariantType):
        return f"to_json({exact(column, kind)}, {_EXACT_TIMES})"
    return column
