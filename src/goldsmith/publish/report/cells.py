"""Fetches rows as the report's cells, the same whatever zone the process or the session is in."""

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
    """A timestamp as microseconds since 1970: what `moment` takes. Collected as it is, it would come in the
    process's own zone."""
    return F.unix_micros(column)


def moment(value: int) -> datetime:
    """Microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def fetch(frame: DataFrame) -> list[tuple[Cell, ...]]:
    """All rows of a small frame, in one job. Nested values come as JSON text, bytes as hexadecimal digits."""
    fields = frame.schema.fields
    selected = [_selected(quoted(field.name), field.dataType).alias(str(n)) for n, field in enumerate(fields)]
    read = [_reader(field.dataType) for field in fields]
    return [
        tuple(None if value is None else take(value) for take, value in zip(read, row, strict=True))
        for row in frame.select(*selected).collect()
    ]


def _selected(name: str, kind: DataType) -> Column:
    column = F.col(name)
    if isinstance(kind, TimestampType):
        # A year that Python does not have stays text.
        held = micros(column)
        return F.when(F.year(column).between(1, 9999), held.cast("string")).otherwise(column.cast("string"))
    if isinstance(kind, _PLAIN):
        return column
    if isinstance(kind, _NESTED):
        return F.to_json(column)
    return F.hex(column) if isinstance(kind, BinaryType) else column.cast("string")


def _reader(kind: DataType) -> Callable[[Any], Cell]:
    match kind:
        case TimestampType():
            return _instant
        case TimestampNTZType():
            return lambda text: _if_python_has(datetime.fromisoformat, text)
        case DateType():
            return lambda text: _if_python_has(date.fromisoformat, text)
        case _:
            return _same


def _instant(text: str) -> Cell:
    return moment(int(text)) if text.removeprefix("-").isdigit() else text


def _if_python_has(read: Callable[[str], Cell], text: str) -> Cell:
    try:
        return read(text)
    except ValueError:
        return text


def _same(value: Any) -> Cell:
    held: Cell = value
    return held
