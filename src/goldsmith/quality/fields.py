"""Compiles columns and declared values to SQL of comparable types, so that no row can fail the query.

In a comparison, Spark's ANSI mode casts text to the other side's type and fails the query if one value does not
cast. Here the column's text is cast with `try_cast`: a value that does not cast gives NULL, and NULL fails the
expectation. This module needs no Spark: a column's type is text, as Spark prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.hints import hint_for
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.project.types import family, is_temporal

Compared = Literal["text", "number", "time", "boolean", "other", "unknown"]

EXACT = "decimal(38,18)"
"""The type that text is cast to for a comparison with numbers."""

_LONG = 2**63
_DECIMAL = 10**38


@dataclass(frozen=True)
class Field:
    """A column: its name as declared, its SQL, and its type as Spark prints it (None if unknown)."""

    name: str
    sql: str
    type: str | None

    @property
    def compared(self) -> Compared:
        """The family of values that it can be compared with; dates and timestamps are one family."""
        if self.type is None:
            return "unknown"
        if is_temporal(self.type):
            return "time"
        match family(self.type):
            case "text" | "number" | "boolean" as known:
                return known
            case _:
                return "other"

    def __str__(self) -> str:
        return f"`{self.name}` ({self.type or 'of an unknown type'})"


Find = Callable[[str], Field]
"""Returns the field of a name. Raises DeclarationError GS203 if there is none."""


def declared_fields(types: Mapping[str, str | None]) -> Find:
    """A Find for declared columns; names are case-insensitive as in Spark."""
    known = {name.lower(): Field(name, quoted(name), kind) for name, kind in types.items()}

    def find(name: str) -> Field:
        if name.lower() not in known:
            raise unknown_column(name, list(types))
        return known[name.lower()]

    return find


def unknown_column(name: str, columns: list[str]) -> DeclarationError:
    """The error GS203 for an unknown column."""
    return DeclarationError(
        "GS203", f"there is no column `{name}`", where=Where(field=name), hint=hint_for(name, columns)
    )


def comparable(field: Field, value: Any) -> tuple[str, str]:
    """SQL of the column and of a declared value in comparable types.

    Raises DeclarationError GS103 if their types cannot be compared.
    """
    if isinstance(value, bool):
        if field.compared == "boolean":
            return field.sql, literal(value)
        hint = "Put the value in quotes: YAML reads yes, no, on and off as true and false."
        raise _mismatch(field, value, hint if field.compared == "text" else None)
    if isinstance(value, int | float | Decimal):
        if field.compared == "number":
            return field.sql, number(value)
        if field.compared == "text":
            return try_cast(field, EXACT), number(Decimal(str(value)))
        raise _mismatch(field, value)
    if isinstance(value, date):
        if field.compared == "time":
            return field.sql, _moment(value, field.type)
        if field.compared == "text":
            kind = "timestamp" if isinstance(value, datetime) else "date"
            return try_cast(field, kind), _moment(value, kind)
        raise _mismatch(field, value)
    return field.sql, _from_text(field, str(value))


def _from_text(field: Field, value: str) -> str:
    if field.compared == "text":
        return literal(value)
    try:
        if field.compared == "number":
            return number(Decimal(value))
        if field.compared == "time":
            return _moment(_iso(value), field.type)
    except (InvalidOperation, ValueError) as error:
        raise _mismatch(field, value) from error
    if field.compared == "boolean" and value.lower() in ("true", "false"):
        return literal(value.lower() == "true")
    raise _mismatch(field, value)


def _iso(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value)


def number(value: float | Decimal) -> str:
    """A number as a literal; integers too large for a bigint become decimals, then doubles."""
    if isinstance(value, float) or -_LONG <= value < _LONG:
        return literal(value)
    return literal(Decimal(value) if abs(value) < _DECIMAL else float(value))


def _moment(value: date, kind: str | None) -> str:
    # Spark casts text in the session's time zone; a Python datetime would be converted in this process's.
    if not isinstance(value, datetime):
        return literal(value)
    wanted = "timestamp" if family(kind) == "date" else kind
    return f"CAST({literal(value.isoformat())} AS {wanted})"


def harmonized(left: Field, right: Field) -> tuple[str, str]:
    """SQL of two columns in comparable types.

    Raises DeclarationError GS103 if their types cannot be compared.
    """
    if "unknown" not in (left.compared, right.compared):
        if left.compared == right.compared:
            return left.sql, right.sql
        if left.compared == "text":
            return _read_as(left, right), right.sql
        if right.compared == "text":
            return left.sql, _read_as(right, left)
    raise DeclarationError(
        "GS103",
        f"{left} and {right} cannot be compared",
        where=Where(field=left.name),
        hint="Cast one of them.",
    )


def _read_as(text: Field, other: Field) -> str:
    if other.compared == "other":
        raise DeclarationError(
            "GS103", f"{text} and {other} cannot be compared", where=Where(field=text.name)
        )
    return try_cast(text, EXACT if other.compared == "number" else str(other.type))


def try_cast(field: Field, wanted: str) -> str:
    """SQL of the column cast to another type; NULL where its value does not cast."""
    return f"try_cast({field.sql} AS {wanted})"


def as_text(field: Field) -> str:
    """SQL of the column as text. Raises DeclarationError GS103 for arrays, maps and structs."""
    if field.compared == "text":
        return field.sql
    if field.compared in ("other", "unknown"):
        raise DeclarationError("GS103", f"{field} is not text", where=Where(field=field.name))
    return f"CAST({field.sql} AS string)"


def _mismatch(field: Field, value: Any, hint: str | None = None) -> DeclarationError:
    return DeclarationError(
        "GS103", f"{value!r} cannot be compared with {field}", where=Where(field=field.name), hint=hint
    )
