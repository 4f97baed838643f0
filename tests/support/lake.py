"""A small project in a temporary folder, with real runs, for tests of loads and of the protocol."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.project.loading import load_project
from goldsmith.project.pipelines import Project
from goldsmith.run.context import Accepted, DataInterval, Run
from goldsmith.run.idle import idle
from goldsmith.run.outcome import RunResult, TableOutcome
from goldsmith.run.release import Released, release
from goldsmith.run.runner import run_tables
from support.homes import DiskHome, Home


class Lake:
    """A project with one pipeline `p`, whose tables are declared as text."""

    def __init__(self, spark: SparkSession, root: Path, home: Home | None = None) -> None:
        self.spark = spark
        self.root = root
        self.home = home or DiskHome(root)
        self.write("goldsmith.yaml", self.home.declared)
        self.write("pipelines/p/pipeline.yaml", "description: A test.")

    def write(self, path: str, text: str) -> None:
        """Writes a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")

    def declare(self, name: str, yaml: str, sql: str | None = None) -> None:
        """Declares a table `layer.table` by its YAML and its SQL."""
        base = f"pipelines/p/{name.replace('.', '/')}"
        self.write(f"{base}.yaml", yaml)
        if sql is not None:
            self.write(f"{base}.sql", sql)

    def deliver(self, path: str, content: str | bytes) -> Path:
        """Delivers a landing file and returns its path on disk, if the home is on disk."""
        self.home.deliver(path, content if isinstance(content, bytes) else content.encode())
        return self.root / ".goldsmith/landing" / path

    def remove(self, name: str) -> None:
        """Deletes a table's files."""
        self.home.remove(self.path(name))

    def remove_from_log(self, name: str, *versions: int) -> None:
        """Deletes versions from a table's log, as Delta's log clean-up does."""
        for version in versions:
            self.home.remove(f"{self.path(name)}/_delta_log", f"{version:020d}.")

    def project(self) -> Project:
        return load_project(self.root)

    def begin(self, **options: Any) -> Run:
        return Run.begin(self.project(), **options)

    def run(
        self,
        *names: str,
        rebuild: Sequence[str] = (),
        accept: Sequence[str] = (),
        parallel: int = 2,
        interval: DataInterval | None = None,
        restating: DataInterval | None = None,
    ) -> RunResult:
        """Runs the named tables, or all of them."""
        accepted = Accepted(frozenset(accept), by="tester", why="a test")
        run = self.begin(
            rebuild=frozenset(rebuild), accepted=accepted, interval=interval, restating=restating
        )
        chosen = run.project.select(tuple(names))
        is_idle = idle(run, chosen) is not None
        result = run_tables(self.spark, run, chosen, parallel=parallel)
        loaded = [outcome.table for outcome in result.outcomes if outcome.commits and outcome.counts.rows_in]
        assert not (is_idle and (loaded or result.failed or result.stopped)), f"not idle: {loaded}"
        return result

    def idle(self, *names: str) -> RunResult | None:
        """The result of the idle check, which needs no Spark."""
        run = self.begin()
        return idle(run, run.project.select(tuple(names)))

    def done(self, *names: str, **options: Any) -> dict[str, TableOutcome]:
        """Runs and expects every table to succeed. Returns outcomes by table."""
        result = self.run(*names, **options)
        for outcome in result.outcomes:
            assert outcome.status in ("done", "nothing_new"), f"{outcome.table}: {outcome.error}"
        assert not result.errors
        return {outcome.table: outcome for outcome in result.outcomes}

    def failed(self, name: str, **options: Any) -> TableOutcome:
        """Runs and returns the outcome of one table, which must fail."""
        outcome = next(item for item in self.run(**options).outcomes if item.table == name)
        assert outcome.error is not None
        return outcome

    def release(self, name: str, where: str | None = None) -> Released:
        run = self.begin()
        return release(self.spark, run, run.project.tables[name], where)

    def path(self, name: str) -> str:
        return self.begin().path(name)

    def table(self, name: str) -> DataFrame:
        return self.spark.read.format("delta").load(self.path(name))

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        """The table's rows as sorted tuples."""
        frame = self.table(name)
        rows = [tuple(row) for row in frame.select(*(columns or frame.columns)).collect()]
        return sorted(rows, key=lambda row: tuple((value is not None, str(value)) for value in row))

    def version(self, name: str) -> int:
        return TableLog(self.path(name)).state().version

    def quarantine(self, name: str) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
        """Quarantined rows: their reasons and the original rows."""
        quarantine = QuarantineTable(self.spark, self.begin().quarantine_path(name))
        if quarantine.version() < 0:
            return []
        entries = quarantine.entries(TableLog(self.path(name)).counter())
        # The typed row is not used: Python has no dates beyond year 9999.
        found = [
            (tuple(row.reasons), json.loads(row.row)) for row in entries.select("reasons", "row").collect()
        ]
        return sorted(found, key=str)
