"""Columns and declared values made comparable, so that no odd row can make a comparison throw.

Spark's ANSI mode casts text to the other side's type and fails the query where one row's text does not cast.
Here it is the column's text that is cast, by `try_cast`: what does not cast gives NULL, and NULL fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    CharType,
    DataType,
    DateType,
    DecimalType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VarcharType,
)

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.sql_text import quoted
from goldsmith.project.suggest import hint_for

Family = Literal["text", "number", "time", "boolean", "other"]

EXACT = DecimalType(38, 18)
"""The type that text is read as where it is held against numbers."""

_LONG = 2**63
_DECIMAL = 10**38


@dataclass(frozen=True)
class Field:
    """A column of the judged frame: its name as declared, the Column, its type, and itself as SQL."""

    name: str
    column: Column
    type: DataType
    sql: str = ""

    @property
    def family(self) -> Family:
        if isinstance(self.type, StringType | CharType | VarcharType):
            return "text"
        if isinstance(self.type, NumericType):
            return "number"
        if isinstance(self.type, DateType | TimestampType | TimestampNTZType):
            return "time"
        return "boolean" if isinstance(self.type, BooleanType) else "other"

    def __str__(self) -> str:
        return f"`{self.name}` ({self.type.simpleString()})"


def find(schema: StructType, name: str) -> Field:
    """The field of a name, which may be a path into structs; names are compared as Spark does, without case.

    Raises DeclarationError GS203 where there is none.
    """
    whole = _member(schema, name)
    if whole is not None:
        return Field(name, F.col(quoted(name)), whole, quoted(name))
    inner: DataType = schema
    for step in name.split("."):
        member = _member(inner, step) if isinstance(inner, StructType) else None
        if member is None:
            raise DeclarationError(
                "GS203",
                f"there is no column `{name}`",
                where=Where(field=name),
                hint=hint_for(name, schema.names),
            )
        inner = member
    path = ".".join(quoted(step) for step in name.split("."))
    return Field(name, F.col(path), inner, path)


def _member(schema: StructType, name: str) -> DataType | None:
    return next((field.dataType for field in schema.fields if field.name.lower() == name.lower()), None)


def comparable(field: Field, value: Any) -> tuple[Column, Column]:
    """The column and a declared value, in types that compare without throwing.

    Raises DeclarationError GS103 where they can never be compared.
    """
    if isinstance(value, bool):
        if field.family == "boolean":
            return field.column, F.lit(value)
        hint = "YAML reads yes, no, on and off as true and false: put the value in quotes."
        raise _mismatch(field, value, hint if field.family == "text" else None)
    if isinstance(value, int | float | Decimal):
        if field.family == "number":
            return field.column, number(value)
        if field.family == "text":
            return field.column.try_cast(EXACT), number(Decimal(str(value)))
        raise _mismatch(field, value)
    if isinstance(value, date):
        if field.family == "time":
            return field.column, _moment(value, field.type)
        if field.family == "text":
            type_ = TimestampType() if isinstance(value, datetime) else DateType()
            return field.column.try_cast(type_), _moment(value, type_)
        raise _mismatch(field, value)
    return field.column, _from_text(field, str(value))


def _from_text(field: Field, value: str) -> Column:
    if field.family == "text":
        return F.lit(value)
    try:
        if field.family == "number":
            return number(Decimal(value))
        if field.family == "time":
            return _moment(_iso(value), field.type)
    except (InvalidOperation, ValueError) as error:
        raise _mismatch(field, value) from error
    if field.family == "boolean" and value.lower() in ("true", "false"):
        return F.lit(value.lower() == "true")
    raise _mismatch(field, value)


def _iso(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value)


def number(value: float | Decimal) -> Column:
    """A number as a literal; whole numbers beyond a bigint become decimals, and beyond those doubles."""
    if isinstance(value, float) or -_LONG <= value < _LONG:
        return F.lit(value)
    return F.lit(Decimal(value)) if abs(value) < _DECIMAL else F.lit(float(value))


def _moment(value: date, type_: DataType) -> Column:
    # Text is cast by Spark in the session's time zone; a Python datetime would pass through this process's.
    if not isinstance(value, datetime):
        return F.lit(value)
    return F.lit(value.isoformat()).cast(TimestampType() if isinstance(type_, DateType) else type_)


def harmonized(left: Field, right: Field) -> tuple[Column, Column]:
    """Two columns in types that compare without throwing.

    Raises DeclarationError GS103 where they can never be compared.
    """
    if left.family == right.family:
        return left.column, right.column
    if left.family == "text":
        return _read_as(left, right), right.column
    if right.family == "text":
        return left.column, _read_as(right, left)
    raise DeclarationError(
        "GS103",
        f"{left} and {right} cannot be compared",
        where=Where(field=left.name),
        hint="Cast one of them.",
    )


def _read_as(text: Field, other: Field) -> Column:
    if other.family == "other":
        raise DeclarationError(
            "GS103", f"{text} and {other} cannot be compared", where=Where(field=text.name)
        )
    return text.column.try_cast(EXACT if other.family == "number" else other.type)


def text(field: Field) -> Column:
    """The column as text. Raises DeclarationError GS103 for arrays, maps and structs."""
    if field.family == "text":
        return field.column
    if field.family == "other":
        raise DeclarationError("GS103", f"{field} is not text", where=Where(field=field.name))
    return field.column.cast("string")


def _mismatch(field: Field, value: Any, hint: str | None = None) -> DeclarationError:
    return DeclarationError(
        "GS103", f"{value!r} cannot be compared with {field}", where=Where(field=field.name), hint=hint
    )
