"""Fetches rows as the report's cells, independent of the time zones of process and session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    MapType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VariantType,
)

from goldsmith.project.sql.text import quoted
from goldsmith.publish.report.model import Cell

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = (StringType, BooleanType, NumericType)
_NESTED = (ArrayType, MapType, StructType, VariantType)


def micros(column: Column) -> Column:
    """A timestamp as microseconds since 1970, for `from_micros`. Collected directly, it would be in the process's
    time zone."""
    return F.unix_micros(column)


def from_micros(value: int) -> datetime:
    """Microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def fetch(frame: DataFrame) -> list[tuple[Cell, ...]]:
    """All rows of a small frame, in one job. Nested values become JSON text, bytes hexadecimal digits."""
    fields = frame.schema.fields
    selected = [_selected(quoted(field.name), field.dataType).alias(str(n)) for n, field in enumerate(fields)]
    converters = [_converter(field.dataType) for field in fields]
    return [
        tuple(
            None if value is None else convert(value) for convert, value in zip(converters, row, strict=True)
        )
        for row in frame.select(*selected).collect()
    ]


def _selected(name: str, kind: DataType) -> Column:
    column = F.col(name)
    if isinstance(kind, TimestampType):
        # A year that Python does not support stays text.
        number = micros(column)
        return F.when(F.year(column).between(1, 9999), number.cast("string")).otherwise(column.cast("string"))
    if isinstance(kind, _PLAIN):
        return column
    if isinstance(kind, _NESTED):
        return F.to_json(column)
    return F.hex(column) if isinstance(kind, BinaryType) else column.cast("string")


def _converter(kind: DataType) -> Callable[[Any], Cell]:
    match kind:
        case TimestampType():
            return _instant
        case TimestampNTZType():
            return lambda text: _parsed_or_text(datetime.fromisoformat, text)
        case DateType():
            return lambda text: _parsed_or_text(date.fromisoformat, text)
        case _:
            return _same


def _instant(text: str) -> Cell:
    return from_micros(int(text)) if text.removeprefix("-").isdigit() else text


def _parsed_or_text(parse: Callable[[str], Cell], text: str) -> Cell:
    try:
        return parse(text)
    except ValueError:
        return text


def _same(value: Any) -> Cell:
    cell: Cell = value
    return cell
