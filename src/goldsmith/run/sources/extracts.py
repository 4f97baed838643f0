"""The source of tables with an extract: a function of the project writes files to a folder of its own.

A table that is loaded by interval asks for one day in each load. Its files are in a folder with the day's name, and a
day without files has an empty one, so that the newest load of each day can be found.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.errors import RunError
from goldsmith.project.checks.columns import IRREPLACEABLE, KEEP_REPLACED, irreplaceable
from goldsmith.project.sources import ExtractSource
from goldsmith.project.sql.literals import literal
from goldsmith.project.system_columns import INTERVAL, SOURCE_FILE
from goldsmith.project.tables import Table
from goldsmith.run.context import DataInterval, Run
from goldsmith.run.extracting import call_extract, written_files
from goldsmith.run.handle import TableHandle
from goldsmith.run.plan import NewFiles, Nothing, Plan, Pull
from goldsmith.run.slices import Slice, TouchedValues
from goldsmith.run.sources.files import loaded_files
from goldsmith.run.sources.pulling import Answer, PullingSource

EMPTY = "no_rows"
"""The name of the empty file of a day without files."""

_OF_DAY = re.compile(r"^[^/]+/[^/]+/(?P<counter>\d+)-[^/]+/(?P<day>\d{4}-\d\d-\d\d)/")
"""The path of a file of a day."""

_DAY = r"^[^/]+/[^/]+/[^/]+/(\d{4}-\d\d-\d\d)/"


class Extracts(PullingSource):
    """Calls a function for new files."""

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

    @override
    def ask(self, spark: SparkSession, run: Run, plan: Pull, state: Any, folder: str) -> Answer:
        table, source = plan.table, declared_extract(plan.table)
        interval = DataInterval.of(plan.day, None) if plan.day else run.interval
        target = f"{folder}/{plan.day}" if plan.day else folder
        with tempfile.TemporaryDirectory(prefix="goldsmith-extract-") as written:
            left = call_extract(table, source, interval, state, Path(written))
            found = list(written_files(Path(written)))
            if plan.day and not found:
                empty = Path(written) / EMPTY
                empty.touch()
                found = [(EMPTY, empty)]
            files = tuple(run.landing.stage(f"{target}/{name}", path) for name, path in found)
        return Answer(files, left)

    @override
    def rows(self, spark: SparkSession, run: Run, plan: NewFiles) -> Slice:
        if not plan.table.by_interval:
            return super().rows(spark, run, plan)
        filled = tuple(file for file in plan.files if file.size or not file.path.endswith(f"/{EMPTY}"))
        slice_ = super().rows(spark, run, replace(plan, files=filled))
        day = f"CAST(regexp_extract({SOURCE_FILE}, {literal(_DAY)}, 1) AS date)"
        frame = slice_.shaped.frame.withColumn(INTERVAL, F.expr(day))
        for name in irreplaceable(frame.columns):
            where = plan.table.where("load")
            raise RunError("GS110", IRREPLACEABLE.format(name), where=where, hint=KEEP_REPLACED)
        of_day = TouchedValues((INTERVAL,), ((f"DATE '{plan.day}'",),))
        touched = of_day if plan.action == "incremental" else None
        return replace(slice_, shaped=replace(slice_.shaped, frame=frame), touched=touched)

    @override
    def text_columns(self) -> Mapping[str, DataType]:
        return {**super().text_columns(), INTERVAL: DateType()}


def declared_extract(table: Table) -> ExtractSource:
    """The declaration of a table with an extract."""
    assert isinstance(table.spec.source, ExtractSource)
    return table.spec.source


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
