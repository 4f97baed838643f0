"""SQL literals of row values, rendered by Spark.

Python cannot represent dates after the year 9999, text that is not Unicode, and types of rows. Therefore Python only
passes the text of a literal from one query to the next, never a row's value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VariantType,
)

from goldsmith.project.sql.text import quoted, text_literal

Literals = tuple[str | None, ...]
"""The values of one row as SQL literals of their own types; None for NULL."""

MAX_DAYS = 100
"""The greatest number of days that are listed instead of given as a range."""

_PLAIN = r"r'\A[\p{L}\p{N} _.,:;/@+*()=-]*\z'"
"""Text that is quoted unchanged; other text is written as its bytes."""

_ENDINGS: dict[type[DataType], str] = {
    ByteType: "Y",
    ShortType: "S",
    IntegerType: "",
    LongType: "L",
    DecimalType: "BD",
}
_PREFIXES: dict[type[DataType], str] = {DateType: "DATE", TimestampNTZType: "TIMESTAMP_NTZ"}
_INVALID_TEXT = "string("
"""The prefix of literals of text that is not valid UTF-8. Parquet would filter by another text."""

_ZERO = ("'0.0'", "'-0.0'")


def groupable(kind: DataType) -> bool:
    """Whether values of a type can be compared by `=`: not if they contain a map or a variant."""
    match kind:
        case StructType():
            return all(groupable(field.dataType) for field in kind.fields)
        case ArrayType():
            return groupable(kind.elementType)
        case _:
            return not isinstance(kind, MapType | VariantType)


def has_floating(kind: DataType) -> bool:
    """Whether values of a type contain floating numbers."""
    match kind:
        case StructType():
            return any(has_floating(field.dataType) for field in kind.fields)
        case ArrayType():
            return has_floating(kind.elementType)
        case MapType():
            return has_floating(kind.keyType) or has_floating(kind.valueType)
        case _:
            return isinstance(kind, FloatType | DoubleType)


def literal_of(value: str, kind: DataType) -> str:
    """SQL that computes the literal of `value`, an expression of the type `kind`; NULL if it is NULL."""
    if isinstance(kind, StructType | ArrayType):
        # The members alone do not determine the types of NULLs and of empty arrays.
        return f"concat('CAST(', {_member(value, kind, 0)}, {text_literal(f' AS {type_text(kind)})')})"
    return _member(value, kind, 0)


def _member(value: str, kind: DataType, depth: int) -> str:
    text = f"CAST({value} AS string)"
    match kind:
        case StructType():
            fields = [
                f"{text_literal(text_literal(field.name) + ', ')}, "
                f"coalesce({_member(f'{value}.{quoted(field.name)}', field.dataType, depth)}, 'NULL')"
                for field in kind.fields
            ]
            inner = ", ', ', ".join(fields) or "''"
            return f"IF({value} IS NOT NULL, concat('named_struct(', {inner}, ')'), NULL)"
        case ArrayType():
            item = f"_gs_x{depth}"
            members = f"transform({value}, {item} -> coalesce({_member(item, kind.elementType, depth + 1)}, 'NULL'))"
            return f"concat('array(', array_join({members}, ', '), ')')"
        case StringType():
            spelling = f"IF(is_valid_utf8({value}), 'CAST(', {text_literal(_INVALID_TEXT)})"
            hexadecimal = f"concat({spelling}, 'X\\'', hex({value}), '\\'', IF(is_valid_utf8({value}), ' AS string)', ')'))"
            return f"IF({value} RLIKE {_PLAIN}, concat('\\'', {value}, '\\''), {hexadecimal})"
        case BinaryType():
            return f"concat('X\\'', hex({value}), '\\'')"
        case BooleanType():
            return text
        case FloatType() | DoubleType():
            return f"concat('{kind.simpleString()}(\\'', {text}, '\\')')"
        case TimestampType():
            # In UTC, independent of the session's time zone: when clocks are set back, an hour occurs twice.
            utc = f"timestampadd(MICROSECOND, unix_micros({value}), TIMESTAMP_NTZ '1970-01-01 00:00:00')"
            return f"concat('TIMESTAMP \\'', CAST({utc} AS string), 'Z\\'')"
        case _ if type(kind) in _PREFIXES:
            return f"concat('{_PREFIXES[type(kind)]} \\'', {text}, '\\'')"
        case _ if type(kind) in _ENDINGS:
            return f"concat({text}, '{_ENDINGS[type(kind)]}')"
        case _:
            # The text of an interval is its literal.
            return text


def type_text(kind: DataType) -> str:
    """A type as SQL, with quoted field names."""
    match kind:
        case StructType():
            fields = ", ".join(f"{quoted(field.name)}: {type_text(field.dataType)}" for field in kind.fields)
            return f"struct<{fields}>"
        case ArrayType():
            return f"array<{type_text(kind.elementType)}>"
        case MapType():
            return f"map<{type_text(kind.keyType)}, {type_text(kind.valueType)}>"
        case _:
            return kind.simpleString()


def range_of(column: str, kind: DataType, restricted: str = "") -> str:
    """SQL aggregate: a condition that all values of a column meet, as the text after the column's name.

    A list if the column has few days, else a range; NULL if there is no value. restricted: a suffix for each
    aggregate, such as `FILTER (WHERE ...)`.
    """
    low, high = (f"{function}({column}) {restricted}" for function in ("min", "max"))
    if isinstance(kind, FloatType | DoubleType):
        # For Parquet's filters -0.0 is less than 0.0.
        name = kind.simpleString()
        low, high = (
            f"IF({end} = 0, {name}('{zero}'), {end})" for end, zero in ((low, "-0.0"), (high, "0.0"))
        )
    between = f"concat('BETWEEN ', {literal_of(low, kind)}, ' AND ', {literal_of(high, kind)})"
    if isinstance(kind, StringType):
        return f"IF(is_valid_utf8({low}) AND is_valid_utf8({high}), {between}, NULL)"
    if not isinstance(kind, DateType):
        return between
    # Values of a list are not part of the generated code, so that a later merge reuses the compiled class. Spark turns
    # a list of one value into an equality, whose value is part of the code.
    few = f"CAST(unix_date({high}) AS bigint) - unix_date({low}) < {MAX_DAYS}"
    days = f"transform(sequence({low}, {high}), _gs_day -> {literal_of('_gs_day', kind)})"
    return f"IF({few}, concat('IN (', array_join({days}, ', '), ', NULL)'), {between})"


def in_values(columns: Sequence[str], values: Sequence[Literals]) -> str:
    """SQL: whether `columns` have one of `values`; NULL is compared like other values."""
    if not values:
        return "false"
    if len(columns) == 1:
        name = quoted(columns[0])
        present = [literal for (literal,) in values if literal is not None]
        parts = [_in(name, present)] if present else []
        if len(present) < len(values):
            parts.append(f"{name} IS NULL")
        return " OR ".join(parts)
    rows = []
    for value in values:
        equal = [
            f"{quoted(name)} IS NULL" if literal is None else _equal(quoted(name), literal)
            for name, literal in zip(columns, value, strict=True)
        ]
        rows.append(f"({' AND '.join(equal)})")
    return " OR ".join(rows)


def _in(name: str, literals: Sequence[str]) -> str:
    """SQL: whether a column has one of some values that are not NULL."""
    invalid = [
        literal.removeprefix(_INVALID_TEXT).removesuffix(")")
        for literal in literals
        if literal.startswith(_INVALID_TEXT)
    ]
    listed = [
        literal for literal in literals if not literal.startswith(_INVALID_TEXT) and not _is_zero(literal)
    ]
    # Spark turns a list of one value into an equality, whose value is part of the generated code.
    parts = [f"{name} IN ({', '.join([*listed, 'NULL'] if len(listed) == 1 else listed)})"] if listed else []
    parts += [f"CAST({name} AS binary) IN ({', '.join(invalid)})"] if invalid else []
    # For Parquet's filters -0.0 and 0.0 differ. Spark does not push this condition down.
    parts += [f"abs({name}) = 0"] if len(listed) + len(invalid) < len(literals) else []
    return " OR ".join(parts)


def _equal(name: str, literal: str) -> str:
    plain = not _is_zero(literal) and not literal.startswith(_INVALID_TEXT)
    return f"{name} = {literal}" if plain else _in(name, [literal])


def _is_zero(literal: str) -> bool:
    """Whether a literal is a floating 0.0 or -0.0, which are equal."""
    head, _, value = literal.partition("(")
    return head in ("double", "float") and value.removesuffix(")") in _ZERO


def frame_of_literals(
    spark: SparkSession, rows: Sequence[Literals], columns: Mapping[str, DataType]
) -> DataFrame:
    """Rows as a frame. columns: names and types, in the order of the values."""
    typed = [f"CAST({quoted(name)} AS {type_text(kind)}) AS {quoted(name)}" for name, kind in columns.items()]
    listed = ", ".join(f"({', '.join(literal or 'NULL' for literal in row)})" for row in rows)
    nothing = f"({', '.join('NULL' for _ in columns)})"
    names = ", ".join(map(quoted, columns))
    made = f"SELECT {', '.join(typed)} FROM VALUES {listed or nothing} AS t({names})"
    return spark.sql(made if rows else f"{made} WHERE false")
