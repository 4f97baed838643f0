"""Fetched values as the points and series of a chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from goldsmith.publish.report.model import Cell, Series

MAX_LINES = 8

Point = tuple[date | str | float, float | None]


def words(name: str) -> str:
    """A column's name as words: `mean_arr_delay` is `mean arr delay`."""
    return name.replace("_", " ").strip()


def label(value: Cell) -> str:
    """A value as the label of a bar or a series."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)


def x_of(value: Cell) -> date | str | float:
    """A value as the x of a point: a time, a number, or a name."""
    if value is None or isinstance(value, (str, bool)):
        return label(value)
    return value if isinstance(value, date) else float(value)


def finite(value: Cell) -> float | None:
    """A finite number; None for NaN, infinities and other values."""
    if value is None or isinstance(value, (str, date)):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def largest(lines: Mapping[str, Sequence[Point]]) -> tuple[tuple[Series, ...], str]:
    """The largest series, as many as can be distinguished, and a suffix for the title if it omits some."""
    order = sorted(lines, key=lambda name: -sum(abs(y or 0.0) for _, y in lines[name]))
    kept = order[:MAX_LINES]
    series = tuple(Series(name, tuple(points)) for name, points in lines.items() if name in kept)
    return series, "" if len(kept) == len(lines) else f" ({len(kept)} of {len(lines)})"
