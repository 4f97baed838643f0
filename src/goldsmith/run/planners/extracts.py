"""Plans tables with an extract, by intervals if they are loaded by interval."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.errors import RunError
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.plan import NewFiles, Nothing, Plan, Pull
from goldsmith.run.planners.files import loaded_files
from goldsmith.run.planners.pulling import PullingPlanner

_OF_DAY = re.compile(r"^[^/]+/[^/]+/(?P<counter>\d+)-[^/]+/(?P<day>\d{4}-\d\d-\d\d)/")
"""The path of a file of a day."""


class ExtractPlanner(PullingPlanner):
    """Plans to call the function."""

    @override
    def plan(self, run: Run, handle: TableHandle, *, force_full: str | None) -> Plan:
        plan = super().plan(run, handle, force_full=force_full)
        if not handle.table.by_interval:
            return plan
        if isinstance(plan, NewFiles):
            return replace(plan, files=_newest(plan.files))
        days = run.interval.days if run.interval else ()
        if len(days) > 1:
            raise RunError(
                "GS504",
                f"`{handle.table.name}` is loaded by interval: a run loads one day of it.",
                hint="Use `goldsmith run --from DAY --to DAY`, which makes a run for each day.",
            )
        if not days:
            return Nothing(handle=handle, reason="it is loaded by interval: give `--from` and `--to`")
        [day] = days
        reason = _loaded(run, handle, day) if run.restating else None
        if not run.restating and day in {day_of(file.path) for file in loaded_files(run, handle)}:
            reason = f"{day} is loaded"
        if reason is not None:
            return Nothing(handle=handle, reason=reason)
        return Pull(
            handle=handle, reason=f"asks {handle.table.origin} for {day}", warnings=plan.warnings, day=day
        )


def day_of(path: str) -> date | None:
    """The day of a staged file; None if it has none."""
    found = _OF_DAY.match(path)
    return date.fromisoformat(found["day"]) if found else None


def _newest(files: Iterable[LoadedFile]) -> tuple[LoadedFile, ...]:
    """The files of the last load of each day."""
    loads: dict[str, dict[int, list[LoadedFile]]] = {}
    for file in files:
        found = _OF_DAY.match(file.path)
        if found:
            loads.setdefault(found["day"], {}).setdefault(int(found["counter"]), []).append(file)
    return tuple(file for of_day in loads.values() for file in of_day[max(of_day)])


def _loaded(run: Run, handle: TableHandle, day: date) -> str | None:
    """Why a command that loads days again skips one: it did so before it was interrupted. None if it does not."""
    metadata = handle.bookmark.metadata if handle.bookmark else None
    if metadata is None or metadata.pulled is None or metadata.interval is None or run.restating is None:
        return None
    last, *_ = metadata.interval
    goes_on = metadata.pulled.restated == run.restating.as_text and last < str(run.restating.days[-1])
    return f"{day} was loaded again before the interruption" if goes_on and str(day) <= last else None
