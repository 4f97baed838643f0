"""Ticks at round values, for numbers and for times."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

from goldsmith.publish.report.formats import utc

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_NEAR_ZERO = 0.6
_MONTH = timedelta(days=28)
_STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 7 * 1440, 14 * 1440)
)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


def number_ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round values that span low to high, starting at 0 unless all values are far from it."""
    if low > 0 and low < high * _NEAR_ZERO:
        low = 0.0
    if high < 0 and high > low * _NEAR_ZERO:
        high = 0.0
    if high == low:
        low, high = min(low, 0.0), max(high, 0.0) if high else 1.0
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in _ROUND if power * factor >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(step * index, 12) for index in range(first, last + 1))


def as_time(value: date | datetime) -> datetime:
    """A date's midnight, or the time itself, in UTC."""
    if isinstance(value, datetime):
        return utc(value)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def time_ticks(
    low: datetime, high: datetime, most: int = 6, least: timedelta = _STEPS[0]
) -> tuple[tuple[datetime, str], ...]:
    """Round times from low to high with their labels, at least `least` apart."""
    span = high - low
    if span > _MONTH * most or span > _STEPS[-1] * most:
        return _month_ticks(low, high, most)
    step = next(step for step in _STEPS if span <= step * most and step >= least)
    day = timedelta(days=1)
    zero = datetime(1970, 1, 5, tzinfo=UTC) if step >= 7 * day else datetime(1970, 1, 1, tzinfo=UTC)
    at = zero + math.ceil((low - zero) / step) * step
    ticks: list[tuple[datetime, str]] = []
    while at <= high:
        ticks.append((at, f"{at:%H:%M}" if step < day and at.hour + at.minute else f"{at.day} {at:%b}"))
        at += step
    return tuple(ticks)


def _month_ticks(low: datetime, high: datetime, most: int) -> tuple[tuple[datetime, str], ...]:
    months = (high.year - low.year) * 12 + high.month - low.month
    step = next((step for step in _MONTHS if months / step <= most), _MONTHS[-1])
    ticks: list[tuple[datetime, str]] = []
    month = -(-(low.year * 12 + low.month - 1) // step) * step
    while (at := datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)) <= high:
        if at >= low:
            ticks.append((at, f"{at:%Y}" if step >= 12 else f"{at:%b %Y}"))  # noqa: PLR2004
        month += step
    return tuple(ticks)
