"""Cron expressions, read by the library that Airflow reads them with, so that both name the same times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

_FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31"),
    ("month", "1 to 12, or jan to dec"),
    ("weekday", "0 to 7, or sun to sat"),
)
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_YEARS = 9
"""A leap day may be eight years away."""


@dataclass(frozen=True)
class Cron:
    """The times of an expression of five fields, to the minute."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Reads five fields, or one of @hourly, @daily, @weekly, @monthly, @yearly.

        Raises ValueError with the field that is wrong.
        """
        from croniter import croniter

        written = text.strip().lower()
        if written.startswith("@") and written not in _SHORT:
            raise ValueError(f"`{text}` is no schedule: there is {', '.join(_SHORT)}")
        parts = _SHORT.get(written, written).split()
        if len(parts) != len(_FIELDS):
            raise ValueError(
                f"a cron expression has five fields (minute hour day month weekday), and `{text}` has {len(parts)}"
            )
        for at, (part, (name, takes)) in enumerate(zip(parts, _FIELDS, strict=True)):
            alone = ["*"] * len(_FIELDS)
            alone[at] = part
            if not croniter.is_valid(" ".join(alone)):
                raise ValueError(f"`{part}` is no {name}: it is {takes}, as in `*`, `1,3`, `1-5` or `*/2`")
        found = cls(" ".join(parts))
        if found.first(datetime(2023, 1, 1)) is None:
            raise ValueError(f"`{text}` names no day that exists")
        return found

    @cached_property
    def at_most_daily(self) -> bool:
        """Whether no date has two of its times."""
        from croniter import croniter

        minutes, hours, *_ = croniter.expand(self.text)[0]
        return all(len(values) == 1 and values != ["*"] for values in (minutes, hours))

    def first(self, moment: datetime) -> datetime | None:
        """The first time at or after a moment, both without zone; None where there is none in nine years."""
        begun = moment.replace(second=0, microsecond=0)
        return self._next(begun if begun < moment else begun - timedelta(minutes=1))

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment, both without zone. Raises ValueError where there is none in nine years."""
        found = self._next(moment.replace(second=0, microsecond=0))
        if found is None:
            raise ValueError(f"`{self.text}` names no time after {moment}")
        return found

    def _next(self, moment: datetime) -> datetime | None:
        from croniter import CroniterBadDateError, croniter

        try:
            found = croniter(self.text, moment, max_years_between_matches=_YEARS).get_next(datetime)
        except CroniterBadDateError:
            return None
        return found if isinstance(found, datetime) else None
