"""What one run is asked to do: by its partition, or by the form of a run that was started by hand. Without Airflow."""

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
class Request:
    """days: None where the run stands for no days. tables: those to load; () means all. rebuild: those to make anew."""

    days: Days | None
    tables: tuple[str, ...] = ()
    rebuild: tuple[str, ...] = ()

    def chosen(self, tables: Sequence[str]) -> tuple[str, ...]:
        """Which of a task's tables to load."""
        return tuple(name for name in tables if not self.tables or name in self.tables)


def read_request(
    form: Mapping[str, Any], key: str | None, cron: Cron | None, known: Sequence[str], today: date
) -> Request:
    """The request of a run.

    form: the values `first_day`, `last_day`, `tables` and `rebuild`. key: of its partition, which the form's
    days overrule. known: the pipeline's tables.
    Raises DeclarationError: GS504 for a value that is none, GS505 for days that run backwards, GS507 for days
    that have not begun, GS108 for a table that is not the pipeline's.
    """
    tables, rebuild = _tables(form, "tables", known), _tables(form, "rebuild", known)
    for name in rebuild:
        if tables and name not in tables:
            raise DeclarationError(
                "GS504",
                f"`{name}` is to be rebuilt, and is not among the tables to load.",
                hint="Choose it in both, or leave `tables` empty to load all.",
            )
    return Request(_days(form, key, cron, today), tables, rebuild)


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
            f"The interval from {first} to {last} runs backwards.",
            hint="`first_day` is the first day of the interval, `last_day` its last.",
        )
    # Somewhere it is tomorrow already.
    if first > today + timedelta(days=1):
        raise DeclarationError(
            "GS507",
            f"The interval begins on {first}, and today is {today}.",
            hint="Name days that have begun.",
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
            "GS504", f"`{key}` is `{value}`, which is no date.", hint="Write it as in 2013-01-31."
        ) from None


def _tables(form: Mapping[str, Any], key: str, known: Sequence[str]) -> tuple[str, ...]:
    value = form.get(key) or ()
    names = [value] if isinstance(value, str) else list(value)
    for name in names:
        if name not in known:
            raise DeclarationError(
                "GS108",
                f"`{key}` names `{name}`, which is no table of this pipeline.",
                hint=hint_for(name, known),
            )
    return tuple(name for name in known if name in names)
