"""Renders Python values as SQL literals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from goldsmith.project.sql.text import text_literal


def literal(value: Any) -> str:
    """A value as a Spark SQL literal of its type; a naive datetime becomes TIMESTAMP_NTZ."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case datetime():
            return f"{'TIMESTAMP' if value.tzinfo else 'TIMESTAMP_NTZ'} '{value.isoformat(sep=' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case Decimal():
            return f"{value}BD"
        case float():
            return f"double('{value!r}')"
        case int():
            return str(value)
        case bytes() | bytearray():
            return f"X'{value.hex()}'"
        case _:
            return text_literal(str(value))
