"""When a pipeline runs: the keys of `pipeline.yaml` that a scheduler acts on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_validator, model_validator

from goldsmith.project.cron import Cron
from goldsmith.project.strict import Names, Strict

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"^(\d+)\s*([smhd])$")


def _duration(value: object) -> object:
    if value is None or isinstance(value, timedelta):
        return value
    found = _SPAN.match(value.strip()) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f"`{value}` is no length of time: write 90s, 45m, 2h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(lambda value: f"{int(value.total_seconds())}s", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+\s*[smhd]$"}),
]
"""A length of time as people write it: 90s, 45m, 2h, 1d."""


class ScheduleSpec(Strict):
    """When a pipeline starts: at the times of a cron expression, after tables of other pipelines, or both."""

    cron: str | None = Field(None, description="Five fields, or @hourly, @daily, @weekly, @monthly, @yearly.")
    after: Names = Field((), description="Tables of other pipelines: it starts when all of them were loaded.")
    timezone: str = Field("UTC", description="The zone that the cron expression's times are in.")

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
            raise ValueError(f"`{value}` is no time zone: write one as in Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _is_something(self) -> ScheduleSpec:
        if self.cron is None and not self.after:
            raise ValueError("a schedule has `cron`, `after`, or both")
        return self

    @property
    def times(self) -> Cron | None:
        """The cron expression, read."""
        return None if self.cron is None else Cron.parse(self.cron)


def _schedule(value: object) -> object:
    return {"cron": value} if isinstance(value, str) else value


Schedule = Annotated[ScheduleSpec, BeforeValidator(_schedule)]
"""A cron expression alone, or a mapping."""


def _cron(value: str) -> str:
    return Cron.parse(value).text


CronText = Annotated[str, BeforeValidator(_cron)]
"""A cron expression, checked."""
