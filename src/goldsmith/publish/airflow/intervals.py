"""Data intervals: from a partition's key to days and back. Without Airflow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from goldsmith.errors import DeclarationError
from goldsmith.project.cron import Cron

_DAY = "%Y-%m-%d"
_MINUTE = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Days:
    """Whole days from start up to end, which is not one of them."""

    start: date
    end: date

    def __str__(self) -> str:
        last = self.end - timedelta(days=1)
        return str(self.start) if last == self.start else f"{self.start} to {last}"


def key_format(cron: Cron) -> str:
    """How a partition's key is written: as its day where a day has one run at most, else with the time."""
    return _DAY if cron.at_most_daily else _MINUTE


def days_of(key: str, cron: Cron | None) -> Days:
    """The days that a partition stands for: from its time to the schedule's next, at least one day.

    cron: of the pipeline that made the key; one day where it is not known.
    Raises DeclarationError GS504 for a text that is no key.
    """
    begin = _moment(key)
    if begin is None:
        raise DeclarationError(
            "GS504",
            f"`{key}` is no partition: its key is the day it begins.",
            hint="As in 2013-01-31, or 2013-01-31T06:00 where a day has several runs.",
        )
    start = begin.date()
    if cron is None:
        return Days(start, start + timedelta(days=1))
    at = cron.first(datetime.combine(start, time())) if cron.at_most_daily else begin
    end = cron.after(at or begin).date()
    return Days(start, max(end, start + timedelta(days=1)))


def reaches(days: Days, key: str | None, at: datetime, cron: Cron | None) -> bool:
    """Whether a load brought a table up to the end of these days: by its partition's key, else by when it was.

    cron: of the pipeline that made the key.
    """
    end = days_of(key, cron).end if key else at.date()
    return end >= days.end


def last_key(days: Days, cron: Cron) -> str | None:
    """The key of the last partition that begins in these days; None where none does."""
    stop = datetime.combine(days.end, time())
    # A month ahead of the end is enough for most schedules, and a year for the others.
    for reach in (timedelta(days=32), timedelta(days=366)):
        begin = max(datetime.combine(days.start, time()), stop - reach)
        found, at = None, cron.first(begin)
        while at is not None and at < stop:
            found, at = at, cron.after(at)
        if found is not None:
            return found.strftime(key_format(cron))
    return None


def first_run(start: date, cron: Cron, zone: ZoneInfo) -> datetime:
    """The time from which runs are due, so that the first stands for the schedule's first time on or after `start`.

    A run is due at the end of what it stands for.
    """
    begin = cron.first(datetime.combine(start, time()))
    due = cron.after(begin) if begin is not None else datetime.combine(start, time())
    return due.replace(tzinfo=zone)


def _moment(key: str) -> datetime | None:
    for form in (_MINUTE, _DAY):
        try:
            return datetime.strptime(key, form)
        except ValueError:
            continue
    return None
