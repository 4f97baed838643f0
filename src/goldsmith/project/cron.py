"""Cron expressions: what they say, and the times they name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("weekday", 0, 7),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: dict[str, dict[str, int]] = {
    "month": {name: number for number, name in enumerate(_MONTHS, 1)},
    "weekday": {name: number for number, name in enumerate(_WEEKDAYS)},
}
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FARTHEST = timedelta(days=366 * 9)


@dataclass(frozen=True)
class Cron:
    """The times of an expression, to the minute. weekdays: 0 is Sunday.

    either_day: both days of the month and weekdays are restricted, and a day is meant where one of them holds.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Reads five fields, or one of @hourly, @daily, @weekly, @monthly, @yearly.

        Raises ValueError with the field that is wrong.
        """
        written = text.strip().lower()
        if written.startswith("@") and written not in _SHORT:
            raise ValueError(f"`{text}` is no schedule: there is {', '.join(_SHORT)}")
        parts = _SHORT.get(written, written).split()
        if len(parts) != len(_FIELDS):
            raise ValueError(
                f"a cron expression has five fields (minute hour day month weekday), and `{text}` has {len(parts)}"
            )
        values = [
            _values(part, name, low, high) for part, (name, low, high) in zip(parts, _FIELDS, strict=True)
        ]
        minutes, hours, days, months, weekdays = values
        found = cls(
            " ".join(parts),
            tuple(sorted(minutes)),
            tuple(sorted(hours)),
            days,
            months,
            frozenset(day % 7 for day in weekdays),
            either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
        )
        if found.first(datetime(2023, 1, 1)) is None:
            raise ValueError(f"`{text}` names no day that exists")
        return found

    @property
    def at_most_daily(self) -> bool:
        """Whether no date has two of its times."""
        return len(self.minutes) == 1 and len(self.hours) == 1

    def first(self, moment: datetime) -> datetime | None:
        """The first time at or after a moment, both without zone; None where there is none in nine years."""
        day, last = moment.date(), moment.date() + _FARTHEST
        while day <= last:
            if self._on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = datetime.combine(day, time(hour, minute))
                        if found >= moment:
                            return found
            day += timedelta(days=1)
        return None

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment, both without zone. Raises ValueError where the calendar ends."""
        found = self.first(moment.replace(second=0, microsecond=0) + timedelta(minutes=1))
        if found is None:
            raise ValueError(f"`{self.text}` names no time after {moment}")
        return found

    def _on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


def _values(part: str, name: str, low: int, high: int) -> frozenset[int]:
    """The numbers that a field means: lists, ranges, steps, names of months and weekdays."""
    found: set[int] = set()
    for item in part.split(","):
        span, stepped, step = item.partition("/")
        if span == "*":
            first, last = low, 6 if name == "weekday" else high
        else:
            begin, ranged, end = span.partition("-")
            first = _number(begin, name, low, high)
            last = _number(end, name, low, high) if ranged else (high if stepped else first)
        if stepped and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"`{item}` is no {name}: a step is a number above 0")
        if last < first:
            raise ValueError(f"`{item}` is no {name}: the range runs backwards")
        found.update(range(first, last + 1, int(step) if stepped else 1))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int) -> int:
    number = _NAMES.get(name, {}).get(text[:3]) if text.isalpha() else None
    if number is None and text.isdigit():
        number = int(text)
    if number is None or not low <= number <= high:
        raise ValueError(f"`{text}` is no {name}: it is {low} to {high}")
    return number
