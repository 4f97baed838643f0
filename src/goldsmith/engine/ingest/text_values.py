"""Reads delivered text that is not written as in Spark SQL: patterns of dates, marks in numbers, local times."""

from __future__ import annotations

import re

from pyspark.sql.types import DataType, DateType, StringType, TimestampNTZType, TimestampType

from goldsmith.engine.ingest.casting import Cast, cast_exactly
from goldsmith.project.sql.literals import literal
from goldsmith.project.text_formats import TextFormat

_SPACES = " \u00a0\u202f"
"""The characters that `thousands: " "` stands for."""


def without_nulls(text: str, given: TextFormat) -> str:
    """SQL of a text that is NULL if it is one of the declared spellings of NULL."""
    if not given.nulls:
        return text
    return f"IF({text} IN ({', '.join(map(literal, given.nulls))}), NULL, {text})"


def read_exactly(text: str, given: TextFormat, target: DataType) -> Cast:
    """A text as a value of the type `target`; NULL if it is not written as declared."""
    if given.decimal or given.thousands:
        pattern, plain = _number(text, given)
        cast = cast_exactly(plain, StringType(), target)
        written = f"{text} RLIKE {literal(pattern)}"
        return Cast(cast.value, f"{written} AND {cast.fits}" if cast.fits else written)
    if given.format is None and given.timezone is None:
        return cast_exactly(text, StringType(), target)
    if given.format is None:
        local = cast_exactly(text, StringType(), TimestampNTZType())
        return _at_zone(Cast(f"CAST({local.value} AS timestamp)", local.fits), given.timezone or "UTC")
    parsed = f"try_to_timestamp({text}, {literal(given.format)})"
    match target:
        case DateType():
            return Cast(f"CAST({parsed} AS date)")
        case TimestampNTZType():
            return Cast(f"CAST({parsed} AS timestamp_ntz)")
        case TimestampType():
            return _at_zone(Cast(parsed), given.timezone) if given.timezone else Cast(parsed)
    raise TypeError(f"a column of the type {target.simpleString()} has a pattern")


def _number(text: str, given: TextFormat) -> tuple[str, str]:
    """The pattern of a number with these marks, and SQL of the number with a point and without marks of thousands."""
    mark = given.decimal or "."
    # Whole numbers may use a point between thousands.
    fraction = f"(?:{re.escape(mark)}[0-9]*)?" if mark != given.thousands else ""
    whole, plain = "[0-9]*", text
    if given.thousands:
        marks = _SPACES if given.thousands == " " else given.thousands
        between = f"[{re.escape(marks)}]"
        whole = f"(?:[0-9]{{1,3}}(?:{between}[0-9]{{3}})+|[0-9]*)"
        plain = f"regexp_replace({plain}, {literal(between)}, '')"
    if given.decimal == ",":
        plain = f"replace({plain}, ',', '.')"
    return rf"^\s*[+-]?{whole}{fraction}\s*$", plain


def _at_zone(local: Cast, zone: str) -> Cast:
    """The instant of a local time, which is read as UTC. Of two instants with one local time, the earlier one."""
    instant = f"to_utc_timestamp({local.value}, {literal(zone)})"
    # Clocks skip an hour in spring: its local times do not exist.
    exists = f"from_utc_timestamp({instant}, {literal(zone)}) = {local.value}"
    return Cast(instant, f"{local.fits} AND {exists}" if local.fits else exists)
