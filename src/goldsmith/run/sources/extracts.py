"""The source of tables with an extract: a function of the project writes files to a folder of its own.

A table that is loaded by interval asks for one day in each load. Its files are in a folder with the day's name, and a
day without files has an empty one, so that the newest load of each day can be found.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType
from typing_extensions import override

from goldsmith.errors import RunError
from goldsmith.project.checks.columns import IRREPLACEABLE, KEEP_REPLACED, irreplaceable
from goldsmith.project.sources import ExtractSource
from goldsmith.project.sql.literals import literal
from goldsmith.project.system_columns import INTERVAL, SOURCE_FILE
from goldsmith.project.tables import Table
from goldsmith.run.context import DataInterval, Run
from goldsmith.run.extracting import call_extract, written_files
from goldsmith.run.plan import NewFiles, Pull
from goldsmith.run.slices import Slice, TouchedValues
from goldsmith.run.sources.pulling import Answer, PullingSource

EMPTY = "no_rows"
"""The name of the empty file of a day without files."""

_DAY = r"^[^/]+/[^/]+/[^/]+/(\d{4}-\d\d-\d\d)/"


class Extracts(PullingSource):
    """Calls a function for new files."""

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
