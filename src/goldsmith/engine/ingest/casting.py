"""Casts that change nothing: a value in another type, or NULL where that type cannot hold exactly this value.

Spark's own casts round decimals, drop a time, a zone or a fraction, fill what a date lacks with today, and put
NULLs into nested values. Each pair of types that can lose something has a condition here.
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

from goldsmith.engine.ingest.json_text import CORRUPT, JSON_OPTIONS, bound, fits_variant, members, unique_keys
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted

_DAY = r"\s*+[+-]?[0-9]++-[0-9]++-[0-9]++"
_TIME = r"[0-9]++:[0-9]++(?::[0-9]++(?:\.[0-9]{0,6}+0*+)?+)?+"
_MIDNIGHT = r"0{1,2}:0{1,2}(?::0{1,2}(?:\.0*+)?)?"
_IS_DATE = rf"^{_DAY}(?:[ T]{_MIDNIGHT})?\s*$"
_IS_LOCAL = rf"^{_DAY}(?:[ T]{_TIME})?\s*$"
# A zone never begins with a digit, and the cast itself tells whether it is one.
_IS_INSTANT = rf"^{_DAY}(?:[ T]{_TIME}(?:[^0-9.:].*)?)?$"


@dataclass(frozen=True)
class Cast:
    """SQL of a value in another type. fits: when that is the same value; always, where None.

    sure: a value that fits is never NULL.
    """

    value: str
    fits: str | None = None
    sure: bool = False

    @property
    def sql(self) -> str:
        return self.value if self.fits is None else f"CASE WHEN {self.fits} THEN {self.value} END"


def cast_exactly(value: str, held: DataType, wanted: DataType, depth: int = 0) -> Cast:
    """The SQL `value` of the type `held` in the type `wanted`. NULL stays NULL; `fits` may be NULL where it is.

    Text is read as JSON where a nested value is wanted. depth: of the functions around `value`.
    """
    if held == wanted:
        return Cast(value)
    if isinstance(wanted, VarcharType | CharType):
        # Spark keeps both as text of any length.
        text = cast_exactly(value, held, StringType())
        short = f"char_length({text.value}) <= {wanted.length}"
        return Cast(text.value, f"{text.fits} AND {short}" if text.fits else short)
    if isinstance(held, VariantType):
        text = Cast(f"try_cast({value} AS string)")
        return text if isinstance(wanted, StringType) else cast_exactly(text.value, StringType(), wanted)
    match held, wanted:
        case StringType(), StructType() | ArrayType() | MapType():
            return _from_json(value, wanted, depth)
        case (ArrayType() | MapType(), ArrayType() | MapType()) if type(held) is type(wanted):
            return _collection(value, held, wanted, depth)
        case StructType(), StructType() if len(held.fields) == len(wanted.fields):
            parts = [
                (f"{value}.{quoted(field.name)}", field.dataType, other)
                for field, other in zip(held.fields, wanted.fields, strict=True)
            ]
            made, holds = _struct(parts, depth)
            return Cast(f"IF({value} IS NULL, NULL, {made})", holds, sure=True)
    if not _castable(held, wanted):
        return Cast(f"CAST(NULL AS {_ddl(wanted)})", "false")
    cast = f"try_cast({value} AS {wanted.simpleString()})"
    if isinstance(held, StringType):
        return Cast(cast, _text_fits(value, cast, wanted))
    return Cast(cast, _typed_fits(value, cast, held, wanted))


def _castable(held: DataType, wanted: DataType) -> bool:
    """Whether Spark knows a cast from one type to the other, in ANSI mode; between two nested types it is asked of
    their parts."""
    match held, wanted:
        case (NullType(), _) | (_, StringType()):
            return True
        case ArrayType(), VariantType():
            return _castable(held.elementType, wanted)
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


def _text_fits(text: str, cast: str, wanted: DataType) -> str | None:
    match wanted:
        case DecimalType():
            return _decimal_fits(text, wanted.scale)
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
    """Whether a number has no more digits after its point than `scale`, closing zeros aside."""
    fraction = f"length(regexp_extract({text}, '[.]([0-9]*)', 1))"
    zeros = f"length(regexp_extract(replace({text}, '.', ''), '(0*)[eE]', 1))"
    exponent = f"try_cast(regexp_extract({text}, '[eE]([+-]?[0-9]+)', 1) AS int)"
    return (
        f"CASE WHEN {text} RLIKE '[eE]' "
        f"THEN NOT {text} RLIKE '^[^eE]*[1-9]' OR {fraction} - {zeros} - {exponent} <= {scale} "
        rf"ELSE {text} RLIKE r'^[^.]*+(?:[.][0-9]{{0,{scale}}}+0*+\s*+)?$' END"
    )


def _float_fits(text: str, cast: str) -> str:
    """The nearest number of the type, and neither infinite nor zero where the text says something else."""
    return (
        f"CASE WHEN abs({cast}) = double('Infinity') THEN {text} ILIKE '%inf%' "
        f"WHEN {cast} = 0 THEN NOT {text} RLIKE '^[^eE]*[1-9]|[dDfFxX]' "
        f"ELSE NOT {text} RLIKE '[dDfFxX]' END"
    )


def _typed_fits(value: str, cast: str, held: DataType, wanted: DataType) -> str | None:
    if isinstance(held, BinaryType) and isinstance(wanted, StringType):
        return f"is_valid_utf8({cast})"
    if not _may_lose(held, wanted):
        return None
    same = f"try_cast({cast} AS {held.simpleString()}) = {value}"
    limit = _limit(held, wanted)
    if limit is None:
        return same
    floating = value if isinstance(held, FloatType | DoubleType) else cast
    return f"{same} AND {floating} < double('{limit}')"


def _may_lose(held: DataType, wanted: DataType) -> bool:
    """Whether a cast that gives a value can give another one than it was given."""
    match held, wanted:
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
            return wanted.scale < held.scale
        case DateType() | TimestampType() | TimestampNTZType(), TimestampType() | TimestampNTZType():
            return False
        case _:
            return True


def _limit(held: DataType, wanted: DataType) -> str | None:
    """The number that Spark takes for a whole type's greatest one, which is one less, as a float or double."""
    match held, wanted:
        case (IntegerType(), FloatType()) | (FloatType(), IntegerType()):
            return "2147483648"
        case (LongType(), FloatType() | DoubleType()) | (FloatType() | DoubleType(), LongType()):
            return "9223372036854775808"
        case _:
            return None


def _struct(parts: Sequence[tuple[str, DataType, StructField]], depth: int) -> tuple[str, str]:
    """A struct of values in other types, and whether each of them fits. parts: value, its type, its field."""
    casts = [(value, field, cast_exactly(value, held, field.dataType, depth)) for value, held, field in parts]
    made = ", ".join(f"{literal(field.name)}, {cast.value}" for _, field, cast in casts)
    return f"named_struct({made})", " AND ".join(_holds(value, cast) for value, _, cast in casts)


def _collection(value: str, held: ArrayType | MapType, wanted: ArrayType | MapType, depth: int) -> Cast:
    """An array or a map whose items change their types."""
    item, pair, inner = f"e{depth}", f"p{depth}", depth + 1
    if isinstance(held, ArrayType) and isinstance(wanted, ArrayType):
        part = cast_exactly(item, held.elementType, wanted.elementType, inner)
        return Cast(f"transform({value}, {item} -> {part.value})", _all(value, item, part), sure=True)
    assert isinstance(held, MapType)
    assert isinstance(wanted, MapType)
    key = cast_exactly(f"{pair}.key", held.keyType, wanted.keyType, inner)
    part = cast_exactly(f"{pair}.value", held.valueType, wanted.valueType, inner)
    entries = f"transform(map_entries({value}), {pair} -> struct({key.value} AS key, {part.value} AS value))"
    keys, key_alone = f"map_keys({value})", cast_exactly(item, held.keyType, wanted.keyType, inner)
    distinct = f"size(array_distinct(transform({keys}, {item} -> {key_alone.value}))) = size({keys})"
    value_alone = cast_exactly(item, held.valueType, wanted.valueType, inner)
    fits = [_all(keys, item, key_alone), distinct, _all(f"map_values({value})", item, value_alone)]
    return Cast(f"map_from_entries({entries})", " AND ".join(fits), sure=True)


def _from_json(text: str, wanted: DataType, depth: int) -> Cast:
    """A nested value that is delivered as JSON. Keys that a struct does not name are left out."""
    name, inner = f"j{depth}", depth + 1
    if isinstance(wanted, ArrayType):
        read = _parts(text, ArrayType(_as_text(wanted.elementType)))
        cast = _collection(name, ArrayType(_as_text(wanted.elementType)), wanted, inner)
    elif isinstance(wanted, MapType):
        held = MapType(StringType(), _as_text(wanted.valueType))
        read = _parts(text, held)
        cast = _collection(name, held, wanted, inner)
    else:
        assert isinstance(wanted, StructType)
        held_fields = [StructField(field.name, _as_text(field.dataType)) for field in wanted.fields]
        read = _parts(text, StructType([*held_fields, StructField(CORRUPT, StringType())]))
        parts = [
            (f"{name}.{quoted(field.name)}", held.dataType, field)
            for field, held in zip(wanted.fields, held_fields, strict=True)
        ]
        made, holds = _struct(parts, inner)
        cast = Cast(f"IF({name} IS NULL, NULL, {made})", f"{name}.{CORRUPT} IS NULL AND {holds}")
    fits = f"{name} IS NOT NULL" + (f" AND {cast.fits}" if cast.fits else "")
    conditions = [bound(read, name, fits)]
    if not isinstance(wanted, ArrayType):
        conditions.append(unique_keys(text))
    if _has_variant(wanted):
        conditions.append(fits_variant(text))
    return Cast(bound(read, name, cast.value), " AND ".join(conditions), sure=True)


def _ddl(kind: DataType) -> str:
    """A type as text, whatever its fields are called."""
    if not isinstance(kind, StructType):
        return kind.simpleString()
    fields = (f"{quoted(field.name)}: {field.dataType.simpleString()}" for field in kind.fields)
    return f"struct<{', '.join(fields)}>"


def _parts(text: str, kind: DataType) -> str:
    """The parts of a JSON text, each as text; a variant is read by Spark, with its numbers as they are."""
    if not _has_variant(kind):
        return members(text, _ddl(kind))
    if not isinstance(kind, StructType):
        return f"from_json({text}, {literal(_ddl(kind))}, {JSON_OPTIONS})"
    plain = StructType([field for field in kind.fields if not isinstance(field.dataType, VariantType)])
    variants = StructType([field for field in kind.fields if isinstance(field.dataType, VariantType)])
    read = {
        False: members(text, _ddl(plain)),
        True: f"from_json({text}, {literal(_ddl(variants))}, {JSON_OPTIONS})",
    }
    fields = ", ".join(
        f"{literal(field.name)}, {read[isinstance(field.dataType, VariantType)]}.{quoted(field.name)}"
        for field in kind.fields
    )
    return f"named_struct({fields})"


def _as_text(wanted: DataType) -> DataType:
    return wanted if isinstance(wanted, VariantType) else StringType()


def _has_variant(kind: DataType) -> bool:
    match kind:
        case StructType():
            return any(isinstance(field.dataType, VariantType) for field in kind.fields)
        case ArrayType():
            return isinstance(kind.elementType, VariantType)
        case MapType():
            return isinstance(kind.valueType, VariantType)
        case _:
            return False


def _all(values: str, item: str, cast: Cast) -> str:
    return f"forall({values}, {item} -> {_holds(item, cast)})"


def _holds(value: str, cast: Cast) -> str:
    """Whether a value is NULL, or came through its cast as it was."""
    there = "" if cast.sure else f"{cast.value} IS NOT NULL"
    fits = " AND ".join(condition for condition in (cast.fits, there) if condition)
    return f"({value} IS NULL OR coalesce({fits}, false))"
