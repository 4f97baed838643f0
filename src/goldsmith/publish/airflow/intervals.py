"""Data intervals: conversion between partition keys and days. Without Airflow."""

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
    """Whole days from start to end, without end."""

    start: date
    end: date

    def __str__(self) -> str:
        last = self.end - timedelta(days=1)
        return str(self.start) if last == self.start else f"{self.start} to {last}"


def key_format(cron: Cron) -> str:
    """The format of a partition key: the day if a day has at most one run, else with the time."""
    return _DAY if cron.at_most_daily else _MINUTE


def days_of(key: str, cron: Cron | None) -> Days:
    """The days of a partition: from its time to the next time of the schedule, at least one day.

    cron: of the pipeline that made the key; one day if None.
    Raises DeclarationError GS504 for an invalid key.
    """
    begin = _parse_key(key)
    if begin is None:
        raise DeclarationError(
            "GS504",
            f"`{key}` is not a partition key. A partition key is the start of a data interval.",
            hint="Use 2013-01-31, or 2013-01-31T06:00 if a day has several runs.",
        )
    start = begin.date()
    if cron is None:
        return Days(start, start + timedelta(days=1))
    at = cron.first(datetime.combine(start, time())) if cron.at_most_daily else begin
    end = cron.after(at or begin).date()
    return Days(start, max(end, start + timedelta(days=1)))


def reaches(days: Days, key: str | None, at: datetime, cron: Cron | None) -> bool:
    """Whether a load covers the end of these days: by its partition key, else by its time.

    cron: of the pipeline that made the key.
    """
    end = days_of(key, cron).end if key else at.date()
    return end >= days.end


def last_key(days: Days, cron: Cron) -> str | None:
    """The key of the last partition that starts in these days; None if there is none."""
    stop = datetime.combine(days.end, time())
    # A month before the end is enough for most schedules, and a year for the others.
    for reach in (timedelta(days=32), timedelta(days=366)):
        begin = max(datetime.combine(days.start, time()), stop - reach)
        found, at = None, cron.first(begin)
        while at is not None and at < stop:
            found, at = at, cron.after(at)
        if found is not None:
            return found.strftime(key_format(cron))
    return None


def first_run(start: date, cron: Cron, zone: ZoneInfo) -> datetime:
    """The due time of the first run, whose interval starts at the schedule's first time on or after `start`.

    A run is due at the end of its interval.
    """
    begin = cron.first(datetime.combine(start, time()))
    due = cron.after(begin) if begin is not None else datetime.combine(start, time())
    return due.replace(tzinfo=zone)


def _parse_key(key: str) -> datetime | None:
    for form in (_MINUTE, _DAY):
        try:
            return datetime.strptime(key, form)
        except ValueError:
            continue
    return None
