"""Models of a pipeline's schedule."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_validator, model_validator

from goldsmith.project.cron import Cron
from goldsmith.project.strict_model import Names, Strict

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"^(\d+)\s*([smhd])$")


def as_duration(value: object) -> timedelta:
    """A length of time such as 90s, 45m, 2h or 1d. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    found = _SPAN.match(value.strip()) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f"`{value}` is not a length of time: write 90s, 45m, 2h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[
    timedelta,
    BeforeValidator(lambda value: None if value is None else as_duration(value)),
    PlainSerializer(lambda value: f"{int(value.total_seconds())}s", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+\s*[smhd]$"}),
]
"""A length of time such as 90s, 45m, 2h or 1d."""


class ScheduleSpec(Strict):
    """When a pipeline starts: by a cron expression, after tables of other pipelines were loaded, or both."""

    cron: str | None = Field(None, description="Five fields, or @hourly, @daily, @weekly, @monthly, @yearly.")
    after: Names = Field(
        (), description="Tables of other pipelines. The pipeline starts when all of them were loaded."
    )
    timezone: str = Field("UTC", description="The time zone of the cron expression.")

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        return None if value is None else Cron.parse(value).text

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"`{value}` is not a time zone: write one such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _is_something(self) -> ScheduleSpec:
        if self.cron is None and not self.after:
            raise ValueError("a schedule needs `cron`, `after`, or both")
        return self

    @property
    def times(self) -> Cron | None:
        """The parsed cron expression."""
        return None if self.cron is None else Cron.parse(self.cron)


def _schedule(value: object) -> object:
    return {"cron": value} if isinstance(value, str) else value


Schedule = Annotated[ScheduleSpec, BeforeValidator(_schedule)]
"""A cron expression alone, or a mapping."""


def _cron(value: str) -> str:
    return Cron.parse(value).text


CronText = Annotated[str, BeforeValidator(_cron)]
"""A cron expression, checked."""
