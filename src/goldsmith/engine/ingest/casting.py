"""Exact casts: SQL of a value in another type, or NULL if that type cannot represent the value exactly.

Spark's casts round decimals, drop times, zones and fractions, complete dates with the current day, and put NULLs into
nested values. This module has a condition for each pair of types whose cast can lose information.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    ByteType,
    CharType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    NullType,
    NumericType,
    ShortType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
    VarcharType,
    VariantType,
)

from goldsmith.engine.ingest.json_parts import ddl, has_variant, json_part_type, json_parts
from goldsmith.engine.ingest.json_text import CORRUPT, bound, fits_variant, unique_keys
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted

_DAY = r"\s*+[+-]?[0-9]++-[0-9]++-[0-9]++"
_TIME = r"[0-9]++:[0-9]++(?::[0-9]++(?:\.[0-9]{0,6}+0*+)?+)?+"
_MIDNIGHT = r"0{1,2}:0{1,2}(?::0{1,2}(?:\.0*+)?)?"
_IS_DATE = rf"^{_DAY}(?:[ T]{_MIDNIGHT})?\s*$"
_IS_LOCAL = rf"^{_DAY}(?:[ T]{_TIME})?\s*$"
# A zone never begins with a digit; the cast itself validates it.
_IS_INSTANT = rf"^{_DAY}(?:[ T]{_TIME}(?:[^0-9.:].*)?)?$"


@dataclass(frozen=True)
class Cast:
    """SQL of a value in another type. fits: the condition that it is the same value; None: it always is.

    sure: a value that fits is never NULL.
    """

    value: str
    fits: str | None = None
    sure: bool = False

    @property
    def sql(self) -> str:
        return self.value if self.fits is None else f"CASE WHEN {self.fits} THEN {self.value} END"


def cast_exactly(value: str, source: DataType, target: DataType, depth: int = 0) -> Cast:
    """Casts the SQL expression `value` from one type to another. NULL stays NULL; `fits` may be NULL then.

    Text is parsed as JSON for nested types. depth: the number of lambda functions around `value`.
    """
    if source == target:
        return Cast(value)
    if isinstance(target, VarcharType | CharType):
        # Spark stores both as text of any length.
        text = cast_exactly(value, source, StringType())
        short = f"char_length({text.value}) <= {target.length}"
        return Cast(text.value, f"{text.fits} AND {short}" if text.fits else short)
    if isinstance(source, VariantType):
        text = Cast(f"try_cast({value} AS string)")
        return text if isinstance(target, StringType) else cast_exactly(text.value, StringType(), target)
    match source, target:
        case StringType(), StructType() | ArrayType() | MapType():
            return _from_json(value, target, depth)
        case (ArrayType() | MapType(), ArrayType() | MapType()) if type(source) is type(target):
            return _collection(value, source, target, depth)
        case StructType(), StructType() if len(source.fields) == len(target.fields):
            parts = [
                (f"{value}.{quoted(field.name)}", field.dataType, other)
                for field, other in zip(source.fields, target.fields, strict=True)
            ]
            struct, exact = _struct(parts, depth)
            return Cast(f"IF({value} IS NULL, NULL, {struct})", exact, sure=True)
    if not _castable(source, target):
        return Cast(f"CAST(NULL AS {ddl(target)})", "false")
    cast = f"try_cast({value} AS {target.simpleString()})"
    if isinstance(source, StringType):
        return Cast(cast, _text_fits(value, cast, target))
    return Cast(cast, _typed_fits(value, cast, source, target))


def _castable(source: DataType, target: DataType) -> bool:
    """Whether Spark has a cast from one type to the other in ANSI mode. For nested types: between their parts."""
    match source, target:
        case (NullType(), _) | (_, StringType()):
            return True
        case ArrayType(), VariantType():
            return _castable(source.elementType, target)
        case (StructType() | ArrayType() | MapType(), _) | (_, StructType() | ArrayType() | MapType()):
            return False
        case (StringType(), _) | (_, VariantType()):
            return True
        case NumericType(), NumericType() | BooleanType() | TimestampType():
            return True
        case BooleanType() | TimestampType(), NumericType():
            return True
        case (
            DateType() | TimestampType() | TimestampNTZType(),
            DateType() | TimestampType() | TimestampNTZType(),
        ):
            return True
        case _:
            return False


def _text_fits(text: str, cast: str, target: DataType) -> str | None:
    match target:
        case DecimalType():
            return _decimal_fits(text, target.scale)
        case FloatType() | DoubleType():
            return _float_fits(text, cast)
        case DateType():
            return f"{text} RLIKE r'{_IS_DATE}'"
        case TimestampType():
            return f"{text} RLIKE r'{_IS_INSTANT}'"
        case TimestampNTZType():
            return f"{text} RLIKE r'{_IS_LOCAL}'"
        case _:
            return None


def _decimal_fits(text: str, scale: int) -> str:
    """Whether a number has at most `scale` digits after its point, without trailing zeros."""
    fraction = f"length(regexp_extract({text}, '[.]([0-9]*)', 1))"
    zeros = f"length(regexp_extract(replace({text}, '.', ''), '(0*)[eE]', 1))"
    exponent = f"try_cast(regexp_extract({text}, '[eE]([+-]?[0-9]+)', 1) AS int)"
    return (
        f"CASE WHEN {text} RLIKE '[eE]' "
        f"THEN NOT {text} RLIKE '^[^eE]*[1-9]' OR {fraction} - {zeros} - {exponent} <= {scale} "
        rf"ELSE {text} RLIKE r'^[^.]*+(?:[.][0-9]{{0,{scale}}}+0*+\s*+)?$' END"
    )


def _float_fits(text: str, cast: str) -> str:
    """Whether a float is neither infinite nor zero unless the text is; rounding to the nearest number is allowed."""
    return (
        f"CASE WHEN abs({cast}) = double('Infinity') THEN {text} ILIKE '%inf%' "
        f"WHEN {cast} = 0 THEN NOT {text} RLIKE '^[^eE]*[1-9]|[dDfFxX]' "
        f"ELSE NOT {text} RLIKE '[dDfFxX]' END"
    )


def _typed_fits(value: str, cast: str, source: DataType, target: DataType) -> str | None:
    if isinstance(source, BinaryType) and isinstance(target, StringType):
        return f"is_valid_utf8({cast})"
    if not _may_lose(source, target):
        return None
    same = f"try_cast({cast} AS {source.simpleString()}) = {value}"
    limit = _limit(source, target)
    if limit is None:
        return same
    floating = value if isinstance(source, FloatType | DoubleType) else cast
    return f"{same} AND {floating} < double('{limit}')"


def _may_lose(source: DataType, target: DataType) -> bool:
    """Whether a successful cast can change the value."""
    match source, target:
        case (NullType(), _) | (_, StringType() | VariantType()):
            return False
        case BooleanType() | ByteType() | ShortType(), NumericType():
            return False
        case (
            IntegerType() | LongType(),
            ByteType() | ShortType() | IntegerType() | LongType() | DecimalType(),
        ):
            return False
        case IntegerType() | FloatType(), DoubleType():
            return False
        case DecimalType(), DecimalType():
            return target.scale < source.scale
        case DateType() | TimestampType() | TimestampNTZType(), TimestampType() | TimestampNTZType():
            return False
        case _:
            return True


def _limit(source: DataType, target: DataType) -> str | None:
    """The float or double that Spark casts to an integer type's maximum although it is greater by one."""
    match source, target:
        case (IntegerType(), FloatType()) | (FloatType(), IntegerType()):
            return "2147483648"
        case (LongType(), FloatType() | DoubleType()) | (FloatType() | DoubleType(), LongType()):
            return "9223372036854775808"
        case _:
            return None


def _struct(parts: Sequence[tuple[str, DataType, StructField]], depth: int) -> tuple[str, str]:
    """A struct of cast values, and the condition that all of them fit. parts: value, its type, its new field."""
    casts = [
        (value, field, cast_exactly(value, source, field.dataType, depth)) for value, source, field in parts
    ]
    struct = ", ".join(f"{literal(field.name)}, {cast.value}" for _, field, cast in casts)
    return f"named_struct({struct})", " AND ".join(_is_exact(value, cast) for value, _, cast in casts)


def _collection(value: str, source: ArrayType | MapType, target: ArrayType | MapType, depth: int) -> Cast:
    """Casts the items of an array or a map."""
    item, pair, inner = f"e{depth}", f"p{depth}", depth + 1
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        part = cast_exactly(item, source.elementType, target.elementType, inner)
        return Cast(f"transform({value}, {item} -> {part.value})", _all(value, item, part), sure=True)
    assert isinstance(source, MapType)
    assert isinstance(target, MapType)
    key = cast_exactly(f"{pair}.key", source.keyType, target.keyType, inner)
    part = cast_exactly(f"{pair}.value", source.valueType, target.valueType, inner)
    entries = f"transform(map_entries({value}), {pair} -> struct({key.value} AS key, {part.value} AS value))"
    keys, key_alone = f"map_keys({value})", cast_exactly(item, source.keyType, target.keyType, inner)
    distinct = f"size(array_distinct(transform({keys}, {item} -> {key_alone.value}))) = size({keys})"
    value_alone = cast_exactly(item, source.valueType, target.valueType, inner)
    fits = [_all(keys, item, key_alone), distinct, _all(f"map_values({value})", item, value_alone)]
    return Cast(f"map_from_entries({entries})", " AND ".join(fits), sure=True)


def _from_json(text: str, target: DataType, depth: int) -> Cast:
    """Parses a nested value from JSON text. Keys that a struct does not have are ignored."""
    name, inner = f"j{depth}", depth + 1
    if isinstance(target, ArrayType):
        read = json_parts(text, ArrayType(json_part_type(target.elementType)))
        cast = _collection(name, ArrayType(json_part_type(target.elementType)), target, inner)
    elif isinstance(target, MapType):
        source = MapType(StringType(), json_part_type(target.valueType))
        read = json_parts(text, source)
        cast = _collection(name, source, target, inner)
    else:
        assert isinstance(target, StructType)
        source_fields = [StructField(field.name, json_part_type(field.dataType)) for field in target.fields]
        read = json_parts(text, StructType([*source_fields, StructField(CORRUPT, StringType())]))
        parts = [
            (f"{name}.{quoted(field.name)}", source.dataType, field)
            for field, source in zip(target.fields, source_fields, strict=True)
        ]
        struct, exact = _struct(parts, inner)
        cast = Cast(f"IF({name} IS NULL, NULL, {struct})", f"{name}.{CORRUPT} IS NULL AND {exact}")
    fits = f"{name} IS NOT NULL" + (f" AND {cast.fits}" if cast.fits else "")
    conditions = [bound(read, name, fits)]
    if not isinstance(target, ArrayType):
        conditions.append(unique_keys(text))
    if has_variant(target):
        conditions.append(fits_variant(text))
    return Cast(bound(read, name, cast.value), " AND ".join(conditions), sure=True)


def _all(values: str, item: str, cast: Cast) -> str:
    return f"forall({values}, {item} -> {_is_exact(item, cast)})"


def _is_exact(value: str, cast: Cast) -> str:
    """The condition that a value is NULL or its cast is exact."""
    there = "" if cast.sure else f"{cast.value} IS NOT NULL"
    fits = " AND ".join(condition for condition in (cast.fits, there) if condition)
    return f"({value} IS NULL OR coalesce({fits}, false))"
