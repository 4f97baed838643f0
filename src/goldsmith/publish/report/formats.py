"""Formats numbers and times for people."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from goldsmith.publish.report.model import Cell, ReportInterval

NOTHING = "–"  # noqa: RUF001 - an en dash stands for no value

_MINUTE, _HOUR = 60, 3600
_EXACT_BELOW = 10_000
_LEAST_SHARE = 0.0001
_TWO_DIGITS_BELOW = 10
_D3 = re.compile(r"(,?)(?:\.(\d))?([df%])$")


def number(value: float | None) -> str:
    """With thousands separators: 12,345; up to two decimals."""
    if value is None:
        return NOTHING
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def declared_number(value: float | None, form: str) -> str:
    """A number in a format of D3's notation: `,d`, `.1%`, `,.1f`. Other formats are as without one."""
    found = _D3.match(form)
    if value is None or found is None:
        return number(value)
    comma, decimals, kind = found.groups()
    return f"{value:{comma}.{decimals or 0}{'%' if kind == '%' else 'f'}}"


def short(value: float) -> str:
    """A short form for axes and boxes: 9,999 is unchanged, 12,345 is 12.3k."""
    size = abs(value)
    if size < _EXACT_BELOW:
        return number(value) if size >= 1 or size == 0 else f"{value:.3g}"
    for limit, unit in ((1e6, "k"), (1e9, "M"), (1e12, "G")):
        if size < limit * 0.9995:
            return f"{value / limit * 1000:.3g}{unit}"
    return f"{value / 1e12:.3g}T"


def count(amount: int, noun: str, nouns: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{amount:,} {noun if amount == 1 else nouns or noun + 's'}"


def percent(part: float, whole: float) -> str:
    """A share in percent. A positive share is never rounded to 0%, a share below 1 never to 100%."""
    if not whole:
        return NOTHING
    share = part / whole
    if 0 < share < _LEAST_SHARE:
        return "<0.01%"
    if 1 - _LEAST_SHARE < share < 1:
        return ">99.99%"
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def duration(seconds: float) -> str:
    """`0.42 s`, `12.3 s`, `4 min 05 s`, `2 h 03 min`."""
    if seconds < _TWO_DIGITS_BELOW:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


def timestamp(at: datetime | None) -> str:
    """`2013-01-31 06:00`, in UTC."""
    return f"{utc(at):%Y-%m-%d %H:%M}" if at else NOTHING


def interval(span: ReportInterval | None) -> str:
    """Whole days as first and last date; other intervals as start and end."""
    if span is None:
        return NOTHING
    start, end = utc(span.start), utc(span.end)
    if _is_midnight(start) and _is_midnight(end) and end > start:
        last = end - timedelta(days=1)
        return f"{start:%Y-%m-%d}" if last <= start else f"{start:%Y-%m-%d} to {last:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def utc(at: datetime) -> datetime:
    """A time in UTC; a time without a zone is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def cell(value: Cell) -> str:
    """A value of a sample row as text. NULL differs from an empty string."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return utc(value).strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1 else f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def samples(rows: Sequence[str]) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Column names and cells of rows given as JSON objects. Other text becomes a single cell, `row`."""
    parsed = [_object(row) for row in rows]
    names = tuple(dict.fromkeys(name for row in parsed for name in row))
    return names, tuple(tuple(row.get(name) for name in names) for row in parsed)


def _object(text: str) -> dict[str, Cell]:
    try:
        value = json.loads(text)
    except ValueError:
        return {"row": text}
    if not isinstance(value, dict):
        return {"row": text}
    return {
        name: json.dumps(item) if isinstance(item, (dict, list)) else item for name, item in value.items()
    }


def _is_midnight(at: datetime) -> bool:
    return (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0)
