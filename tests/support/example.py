"""An example of the repository, run in a folder of its own."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from goldsmith.project.loading import load_project
from goldsmith.run.context import Run
from goldsmith.run.outcome import RunResult
from goldsmith.run.runner import run_tables

EXAMPLES = Path(__file__).parents[2] / "examples"


class Example:
    """A copy of an example's project. name: of its folder."""

    def __init__(self, spark: SparkSession, name: str, folder: Path) -> None:
        self.spark, self.root = spark, folder / name
        shutil.copytree(EXAMPLES / name, self.root, ignore=shutil.ignore_patterns(".goldsmith"))

    def begin(self, rebuild: frozenset[str] = frozenset()) -> Run:
        return Run.begin(load_project(self.root), rebuild=rebuild)

    def run(self, *names: str, rebuild: frozenset[str] = frozenset()) -> RunResult:
        """Runs the named tables, or all of them."""
        this = self.begin(rebuild)
        return run_tables(self.spark, this, this.project.select(names), parallel=2)

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        """The rows in the order of their columns, NULL first; times in UTC."""
        frame = self.spark.read.format("delta").load(self.begin().path(name)).select(*columns)
        return nulls_first([tuple(_utc(value) for value in row) for row in frame.collect()])


def nulls_first(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in the order of their values."""
    return sorted(rows, key=lambda row: tuple((value is not None, value) for value in row))


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
