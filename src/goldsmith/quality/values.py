"""Columns and declared values as SQL, made comparable, so that no odd row can make a comparison throw.

Spark's ANSI mode casts text to the other side's type and fails the query where one row's text does not cast.
Here it is the column's text that is cast, by `try_cast`: what does not cast gives NULL, and NULL fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from pyspark.sql.types import (
    BooleanType,
    CharType,
    DataType,
    DateType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VarcharType,
)

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.project.suggest import hint_for

Family = Literal["text", "number", "time", "boolean", "other"]

EXACT = "decimal(38,18)"
"""The type that text is read as where it is held against numbers."""

_LONG = 2**63
_DECIMAL = 10**38


@dataclass(frozen=True)
class Field:
    """A column of the judged frame: its name as declared, itself as SQL, and its type."""

    name: str
    sql: str
    type: DataType

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
        return Field(name, quoted(name), whole)
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
    return Field(name, path, inner)


def _member(schema: StructType, name: str) -> DataType | None:
    return next((field.dataType for field in schema.fields if field.name.lower() == name.lower()), None)


def comparable(field: Field, value: Any) -> tuple[str, str]:
    """SQL of the column and of a declared value, in types that compare without throwing.

    Raises DeclarationError GS103 where they can never be compared.
    """
    if isinstance(value, bool):
        if field.family == "boolean":
            return field.sql, literal(value)
        hint = "YAML reads yes, no, on and off as true and false: put the value in quotes."
        raise _mismatch(field, value, hint if field.family == "text" else None)
    if isinstance(value, int | float | Decimal):
        if field.family == "number":
            return field.sql, number(value)
        if field.family == "text":
            return _try_cast(field, EXACT), number(Decimal(str(value)))
        raise _mismatch(field, value)
    if isinstance(value, date):
        if field.family == "time":
            return field.sql, _moment(value, field.type)
        if field.family == "text":
            type_ = TimestampType() if isinstance(value, datetime) else DateType()
            return _try_cast(field, type_.simpleString()), _moment(value, type_)
        raise _mismatch(field, value)
    return field.sql, _from_text(field, str(value))


def _from_text(field: Field, value: str) -> str:
    if field.family == "text":
        return literal(value)
    try:
        if field.family == "number":
            return number(Decimal(value))
        if field.family == "time":
            return _moment(_iso(value), field.type)
    except (InvalidOperation, ValueError) as error:
        raise _mismatch(field, value) from error
    if field.family == "boolean" and value.lower() in ("true", "false"):
        return literal(value.lower() == "true")
    raise _mismatch(field, value)


def _iso(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value)


def number(value: float | Decimal) -> str:
    """A number as a literal; whole numbers beyond a bigint become decimals, and beyond those doubles."""
    if isinstance(value, float) or -_LONG <= value < _LONG:
        return literal(value)
    return literal(Decimal(value) if abs(value) < _DECIMAL else float(value))


def _moment(value: date, type_: DataType) -> str:
    # Text is cast by Spark in the session's time zone; a Python datetime would pass through this process's.
    if not isinstance(value, datetime):
        return literal(value)
    wanted = TimestampType() if isinstance(type_, DateType) else type_
    return f"CAST({literal(value.isoformat())} AS {wanted.simpleString()})"


def harmonized(left: Field, right: Field) -> tuple[str, str]:
    """SQL of two columns in types that compare without throwing.

    Raises DeclarationError GS103 where they can never be compared.
    """
    if left.family == right.family:
        return left.sql, right.sql
    if left.family == "text":
        return _read_as(left, right), right.sql
    if right.family == "text":
        return left.sql, _read_as(right, left)
    raise DeclarationError(
        "GS103",
        f"{left} and {right} cannot be compared",
        where=Where(field=left.name),
        hint="Cast one of them.",
    )


def _read_as(text: Field, other: Field) -> str:
    if other.family == "other":
        raise DeclarationError(
            "GS103", f"{text} and {other} cannot be compared", where=Where(field=text.name)
        )
    return _try_cast(text, EXACT if other.family == "number" else other.type.simpleString())


def _try_cast(field: Field, wanted: str) -> str:
    return f"try_cast({field.sql} AS {wanted})"


def text(field: Field) -> str:
    """SQL of the column as text. Raises DeclarationError GS103 for arrays, maps and structs."""
    if field.family == "text":
        return field.sql
    if field.family == "other":
        raise DeclarationError("GS103", f"{field} is not text", where=Where(field=field.name))
    return f"CAST({field.sql} AS string)"


def _mismatch(field: Field, value: Any, hint: str | None = None) -> DeclarationError:
    return DeclarationError(
        "GS103", f"{value!r} cannot be compared with {field}", where=Where(field=field.name), hint=hint
    )
