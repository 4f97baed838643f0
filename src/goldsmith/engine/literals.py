"""Values of rows as SQL literals that Spark itself writes.

Python has no date beyond the year 9999, no text that is not Unicode and no row that could be told from another by its
type, so no value of a row passes through it: it carries the text of a literal from one query to the next.
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
"""How many days are listed one by one rather than by the first and the last."""

_PLAIN = r"r'\A[\p{L}\p{N} _.,:;/@+*()=-]*\z'"
"""Text that stands in quotes as it is; any other is written as its bytes."""

_ENDINGS: dict[type[DataType], str] = {
    ByteType: "Y",
    ShortType: "S",
    IntegerType: "",
    LongType: "L",
    DecimalType: "BD",
}
_WORDS: dict[type[DataType], str] = {DateType: "DATE", TimestampNTZType: "TIMESTAMP_NTZ"}
_BROKEN = "string("
"""How the literal of a text begins that is not valid UTF-8. A filter on it would reach Parquet as another text."""

_ZERO = ("'0.0'", "'-0.0'")


def groupable(kind: DataType) -> bool:
    """Whether values of a type can be told apart by `=`: those that hold a map or a variant cannot."""
    match kind:
        case StructType():
            return all(groupable(field.dataType) for field in kind.fields)
        case ArrayType():
            return groupable(kind.elementType)
        case _:
            return not isinstance(kind, MapType | VariantType)


def literal_of(value: str, kind: DataType) -> str:
    """SQL that gives the literal of `value`, an SQL expression of the type `kind`; NULL where it is NULL."""
    if isinstance(kind, StructType | ArrayType):
        # Its members alone do not tell the types of its NULLs, nor of an empty array.
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
            spelling = f"IF(is_valid_utf8({value}), 'CAST(', {text_literal(_BROKEN)})"
            told = f"concat({spelling}, 'X\\'', hex({value}), '\\'', IF(is_valid_utf8({value}), ' AS string)', ')'))"
            return f"IF({value} RLIKE {_PLAIN}, concat('\\'', {value}, '\\''), {told})"
        case BinaryType():
            return f"concat('X\\'', hex({value}), '\\'')"
        case BooleanType():
            return text
        case FloatType() | DoubleType():
            return f"concat('{kind.simpleString()}(\\'', {text}, '\\')')"
        case TimestampType():
            # In UTC, whatever the session's time zone: a clock that is put back shows an hour twice.
            utc = f"timestampadd(MICROSECOND, unix_micros({value}), TIMESTAMP_NTZ '1970-01-01 00:00:00')"
            return f"concat('TIMESTAMP \\'', CAST({utc} AS string), 'Z\\'')"
        case _ if type(kind) in _WORDS:
            return f"concat('{_WORDS[type(kind)]} \\'', {text}, '\\'')"
        case _ if type(kind) in _ENDINGS:
            return f"concat({text}, '{_ENDINGS[type(kind)]}')"
        case _:
            # An interval as text is its own literal.
            return text


def type_text(kind: DataType) -> str:
    """A type as SQL, whatever the names of its fields."""
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
    """SQL, an aggregate: the condition that values of a column meet, as text that follows the column's name.

    A list of days where the column has few, else the least and the greatest value; NULL where there is no value.
    restricted: what follows each aggregate, as `FILTER (WHERE ...)`.
    """
    low, high = (f"{function}({column}) {restricted}" for function in ("min", "max"))
    between = f"concat('BETWEEN ', {literal_of(low, kind)}, ' AND ', {literal_of(high, kind)})"
    if isinstance(kind, StringType):
        return f"IF(is_valid_utf8({low}) AND is_valid_utf8({high}), {between}, NULL)"
    if not isinstance(kind, DateType):
        return between
    # A list stands beside the generated code: tomorrow's merge finds today's class. Spark makes an equality of a list
    # of one, whose value is then part of the code.
    few = f"CAST(unix_date({high}) AS bigint) - unix_date({low}) < {MAX_DAYS}"
    days = f"transform(sequence({low}, {high}), _gs_day -> {literal_of('_gs_day', kind)})"
    return f"IF({few}, concat('IN (', array_join({days}, ', '), ', NULL)'), {between})"


def among(columns: Sequence[str], values: Sequence[Literals]) -> str:
    """SQL that is true for rows whose `columns` hold one of `values`, NULL being a value like others."""
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
    """SQL: whether a column holds one of some values, of which none is NULL."""
    broken = [
        literal.removeprefix(_BROKEN).removesuffix(")") for literal in literals if literal.startswith(_BROKEN)
    ]
    listed = [
        spelling
        for literal in literals
        if not literal.startswith(_BROKEN)
        for spelling in _spellings(literal)
    ]
    # Spark makes an equality of a list of one, whose value is then part of the generated code.
    parts = [f"{name} IN ({', '.join([*listed, 'NULL'] if len(listed) == 1 else listed)})"] if listed else []
    parts += [f"CAST({name} AS binary) IN ({', '.join(broken)})"] if broken else []
    return " OR ".join(parts)


def _equal(name: str, literal: str) -> str:
    plain = len(_spellings(literal)) == 1 and not literal.startswith(_BROKEN)
    return f"{name} = {literal}" if plain else _in(name, [literal])


def _spellings(literal: str) -> tuple[str, ...]:
    """A literal, and where it is a floating zero the other one: they are equal, but not to Parquet's dictionaries."""
    head, bracket, value = literal.partition("(")
    if head in ("double", "float") and value.removesuffix(")") in _ZERO:
        return tuple(f"{head}{bracket}{zero})" for zero in _ZERO)
    return (literal,)


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
