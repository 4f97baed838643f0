"""Gives rows their declared types; what cannot be cast is a violation and not a NULL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    ShortType,
)

from goldsmith.engine.columns import EXACT_TIMES
from goldsmith.project.sql_text import quoted

BAD = "_gs_bad"
"""map<string,string>: what a column held that could not be cast, as text; NULL where all could."""


@dataclass(frozen=True)
class Shaped:
    """Typed rows. frame: the columns and BAD. reasons: array<string> of the violations found on the way."""

    frame: DataFrame
    reasons: Column


def shape(frame: DataFrame, types: Mapping[str, str]) -> Shaped:
    """Casts columns to the types declared for them (name -> Spark SQL type); others stay as they are.

    A number with a fraction is not cast to a whole one: the fraction would be lost.
    """
    declared = {name.lower(): wanted for name, wanted in types.items()}
    columns: list[Column] = []
    checks: list[tuple[str, str, Column]] = []
    for field in frame.schema.fields:
        column = F.col(quoted(field.name))
        wanted = declared.get(field.name.lower())
        target = _parsed(wanted) if wanted else None
        if target is None or target == field.dataType:
            columns.append(column)
            continue
        assert wanted is not None
        cast = cast_or_null(column, field.dataType, target)
        bad = column.isNotNull() & cast.isNull()
        columns.append(cast.alias(field.name))
        checks.append((field.name, wanted, bad))
    if not checks:
        nothing = F.lit(None).cast("map<string,string>")
        return Shaped(frame.select(*columns, nothing.alias(BAD)), F.array().cast("array<string>"))
    any_bad = checks[0][2]
    for _, _, bad in checks[1:]:
        any_bad = any_bad | bad
    pairs = F.array(
        *[
            F.when(bad, F.struct(F.lit(name).alias("k"), F.col(quoted(name)).cast("string").alias("v")))
            for name, _, bad in checks
        ]
    )
    held = F.when(any_bad, F.map_from_entries(F.filter(pairs, lambda pair: pair.isNotNull())))
    shaped = frame.select(*columns, held.alias(BAD))
    names = F.array(
        *[
            F.when(F.map_contains_key(F.col(BAD), name), F.lit(cast_reason(name, wanted)))
            for name, wanted, _ in checks
        ]
    )
    reasons = F.when(F.col(BAD).isNull(), F.array().cast("array<string>")).otherwise(F.array_compact(names))
    return Shaped(shaped, reasons)


def cast_or_null(column: Column, held: DataType, wanted: DataType) -> Column:
    """A column of one type in another; NULL where it cannot be cast, or would lose a fraction."""
    cast = column.try_cast(wanted)
    if _drops_fraction(held, wanted):
        return F.when(cast.cast(held) == column, cast)
    return cast


def cast_reason(column: str, wanted: str) -> str:
    """The name of the violation of a column's type."""
    return f"cast({column} as {wanted})"


def same_type(left: str, right: str) -> bool:
    """True where two texts name one Spark type: `int` and `integer`."""
    return _parsed(left) == _parsed(right)


def _parsed(text: str) -> DataType:
    return DataType.fromDDL(text)


def _drops_fraction(held: DataType, wanted: DataType) -> bool:
    return isinstance(held, FloatType | DoubleType | DecimalType) and isinstance(
        wanted, ByteType | ShortType | IntegerType | LongType
    )


def row_as_json(columns: list[str]) -> Column:
    """A shaped row's columns as one JSON text: typed values, and what could not be cast as the text it was."""
    typed = F.to_json(F.struct(*[F.col(quoted(name)).alias(name) for name in columns]), EXACT_TIMES)
    # to_json leaves NULL fields out, and a column that could not be cast is NULL: no key comes twice.
    comma = F.when(typed == "{}", "").otherwise(",")
    merged = F.concat(F.regexp_replace(typed, r"\}$", ""), comma, F.expr(f"substring(to_json({BAD}), 2)"))
    return F.when(F.col(BAD).isNull(), typed).otherwise(merged)
