"""The request of a run: from its partition, or from the form of a manual run. Without Airflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from goldsmith.errors import DeclarationError
from goldsmith.project.cron import Cron
from goldsmith.project.hints import hint_for
from goldsmith.publish.airflow.intervals import Days, days_of


@dataclass(frozen=True)
class RunRequest:
    """The request of a run. days: None without an interval. tables: to load; () means all. rebuild: to rebuild."""

    days: Days | None
    tables: tuple[str, ...] = ()
    rebuild: tuple[str, ...] = ()

    def chosen(self, tables: Sequence[str]) -> tuple[str, ...]:
        """The tables of a task that the run includes."""
        return tuple(name for name in tables if not self.tables or name in self.tables)


def read_request(
    form: Mapping[str, Any], key: str | None, cron: Cron | None, known: Sequence[str], today: date
) -> RunRequest:
    """Reads the request of a run.

    form: the values `first_day`, `last_day`, `tables` and `rebuild`. key: the partition key, overridden by the form's
    days. known: the pipeline's tables.
    Raises DeclarationError: GS504 for an invalid value, GS505 if the last day is before the first, GS507 for future
    days, GS108 for a table of another pipeline.
    """
    tables, rebuild = _tables(form, "tables", known), _tables(form, "rebuild", known)
    for name in rebuild:
        if tables and name not in tables:
            raise DeclarationError(
                "GS504",
                f"`rebuild` names `{name}`, which is not among the tables to load.",
                hint="Add it to `tables`, or leave `tables` empty to load all.",
            )
    return RunRequest(_days(form, key, cron, today), tables, rebuild)


def _days(form: Mapping[str, Any], key: str | None, cron: Cron | None, today: date) -> Days | None:
    first, last = _day(form, "first_day"), _day(form, "last_day")
    if first is None and last is None:
        return days_of(key, cron) if key else None
    first = first or last
    last = last or first
    assert first is not None
    assert last is not None
    if last < first:
        raise DeclarationError(
            "GS505",
            f"The interval from {first} to {last} ends before it starts.",
            hint="Set `first_day` to the first day of the interval and `last_day` to its last.",
        )
    # In other time zones it is already tomorrow.
    if first > today + timedelta(days=1):
        raise DeclarationError(
            "GS507",
            f"The interval starts on {first}, but today is {today}.",
            hint="Use days that are not in the future.",
        )
    return Days(first, last + timedelta(days=1))


def _day(form: Mapping[str, Any], key: str) -> date | None:
    value = form.get(key)
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise DeclarationError(
            "GS504", f"`{key}` is `{value}`, which is not a date.", hint="Use the form 2013-01-31."
        ) from None


def _tables(form: Mapping[str, Any], key: str, known: Sequence[str]) -> tuple[str, ...]:
    value = form.get(key) or ()
    names = [value] if isinstance(value, str) else list(value)
    for name in names:
        if name not in known:
            raise DeclarationError(
                "GS108",
                f"`{key}` names `{name}`, which is not a table of this pipeline.",
                hint=hint_for(name, known),
            )
    return tuple(name for name in known if name in names)
