"""SQL that makes rows comparable: values in a form for GROUP BY, and a hash of a whole row."""

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
    """Columns by name, with an optional alias as the qualifier."""
    prefix = f"{of}." if of else ""
    return [F.col(prefix + quoted(name)) for name in names]


def grouping_form(value: str, kind: DataType, depth: int = 0) -> str:
    """SQL of `value`, an expression of the type `kind`, in a form that GROUP BY compares exactly.

    Two values have the same form only if they are identical: Spark groups -0.0 with 0.0, and cannot group maps and
    variants. The order of a map's entries is ignored. Returns `value` if its type needs no other form.
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
            form = grouping_form(item, entry, depth + 1)
            return f"sort_array({entries if form == item else f'transform({entries}, {item} -> {form})'})"
        case ArrayType():
            form = grouping_form(item, kind.elementType, depth + 1)
            return value if form == item else f"transform({value}, {item} -> {form})"
        case StructType():
            members = {field.name: f"{value}.{quoted(field.name)}" for field in kind.fields}
            forms = {
                field.name: grouping_form(members[field.name], field.dataType, depth) for field in kind.fields
            }
            if forms == members:
                return value
            members_sql = ", ".join(f"{text_literal(name)}, {form}" for name, form in forms.items())
            return f"IF({value} IS NOT NULL, named_struct({members_sql}), NULL)"
        case _:
            return value


def row_hash(schema: StructType, of: str | None = None, *, seed: int = 0) -> str:
    """SQL of a 64-bit hash of a whole row: equal for equal rows, independent of the order of map entries.

    A NULL column has no influence, so that hashes stay the same when a table gains a column.
    """
    prefix = f"{of}." if of else ""
    parts = [str(seed)]
    for field in sorted(schema.fields, key=lambda field: field.name.lower()):
        column = prefix + quoted(field.name)
        # Hashing a NULL changes nothing: without the column's name, a value could move to another column.
        name = literal(field.name.lower())
        cases = f"WHEN {column} IS NOT NULL THEN xxhash64({name}, {_hashed(column, field.dataType)})"
        if isinstance(field.dataType, FloatType | DoubleType):
            # Spark hashes 0.0 and -0.0 alike.
            cases = f"WHEN {column} = 0 AND CAST({column} AS string) = '-0.0' THEN xxhash64({name}, '-0.0') {cases}"
        parts.append(f"CASE {cases} END")
    return f"xxhash64({', '.join(parts)})"


def _hashed(column: str, kind: DataType) -> str:
    if isinstance(kind, StructType | ArrayType | MapType | VariantType):
        return f"to_json({grouping_form(column, kind)}, {_EXACT_TIMES})"
    return column
