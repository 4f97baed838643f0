"""The flights pipeline in a temporary project, optionally with invalid rows in its feed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.project.loading import load_project
from goldsmith.project.pipelines import Project
from goldsmith.run.context import DataInterval, Run
from goldsmith.run.feeding import deliver_interval, feed_of
from goldsmith.run.outcome import RunResult
from goldsmith.run.runner import run_tables

REPOSITORY = Path(__file__).resolve().parents[2]
FIRST = date(2013, 1, 1)
RUN_COLUMNS = ("_ingested_at", "_run_id", "_source_modified")
"""Columns that differ between two runs over the same files."""

_BROKEN_FEED = '''
"""The real feed, and each day some lines that are no departures."""

import importlib.util
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("whole_feed", Path(__file__).with_name("whole_feed.py"))
whole = importlib.util.module_from_spec(spec)
sys.modules["whole_feed"] = whole
spec.loader.exec_module(whole)


def deliver(day):
    for path, content in whole.deliver(day):
        if path.startswith("departures/"):
            lines = content.splitlines(keepends=True)
            fields = lines[1].rstrip(b"\\n").split(b",")
            no_carrier = b",".join(b"NA" if field == fields[9] else field for field in fields)
            content += b"not,a,departure\\n" + b"x" + lines[2] + no_carrier + b"\\n"
        yield path, content
'''


def day(number: int) -> date:
    """The first day is day(1)."""
    return FIRST + timedelta(number - 1)


@dataclass(frozen=True)
class FlightsLake:
    """A separate project at `root`."""

    root: Path

    @classmethod
    def make(cls, root: Path, *, broken: bool = False) -> FlightsLake:
        shutil.copytree(REPOSITORY / "pipelines", root / "pipelines")
        shutil.copy(REPOSITORY / "goldsmith.yaml", root)
        if broken:
            feed = root / "pipelines/flights/feed.py"
            feed.rename(feed.with_name("whole_feed.py"))
            feed.write_text(_BROKEN_FEED, encoding="utf-8")
        return cls(root)

    def project(self) -> Project:
        return load_project(self.root)

    def feed(self, first: int, last: int, *, spoil: tuple[int, ...] = ()) -> None:
        """Delivers days `first` to `last`. spoil: the days to spoil."""
        project = self.project()
        run = Run.begin(project)
        spoiled = ",".join(str(day(number)) for number in spoil)
        with patch.dict(os.environ, FLIGHTS_SPOIL=spoiled):
            feed = feed_of(project.pipelines["flights"])
            list(deliver_interval(run.landing, feed, DataInterval(day(first), day(last + 1))))

    def load(self, spark: SparkSession, *names: str, rebuild: frozenset[str] = frozenset()) -> RunResult:
        """Loads in this process and expects every table to succeed."""
        project = self.project()
        result = run_tables(spark, Run.begin(project, rebuild=rebuild), project.select(names), parallel=2)
        for outcome in result.outcomes:
            assert outcome.status in ("done", "nothing_new"), f"{outcome.table}: {outcome.error}"
        return result

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts the command in its own process group."""
        return subprocess.Popen(
            [sys.executable, "-m", "goldsmith.cli.main", *arguments],
            cwd=self.root,
            env={**os.environ, "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def content(self, spark: SparkSession) -> dict[str, Any]:
        """Row count and order-independent hash of each table, and the sorted rows of each quarantine."""
        found: dict[str, Any] = {}
        project = self.project()
        run = Run.begin(project)
        for name in project.tables:
            frame = spark.read.format("delta").load(run.path(name)).drop(*RUN_COLUMNS)
            columns = [F.col(f"`{column}`") for column in sorted(frame.columns)]
            hashed = frame.select(F.xxhash64(*columns).cast("decimal(38,0)").alias("h"))
            row = hashed.agg(F.count("h").alias("rows"), F.sum("h").alias("hash")).collect()[0]
            found[name] = (row["rows"], row["hash"])
            quarantine = QuarantineTable(spark, run.quarantine_path(name))
            if quarantine.version() >= 0:
                rows = (
                    quarantine.entries(TableLog(run.path(name)).counter()).select("reasons", "row").collect()
                )
                found[f"quarantine of {name}"] = sorted(
                    (tuple(r["reasons"]), _stable(r["row"])) for r in rows
                )
        return {key: value for key, value in found.items() if value != []}


def _stable(row: str) -> str:
    import json

    return json.dumps(
        {key: value for key, value in json.loads(row).items() if key not in RUN_COLUMNS}, sort_keys=True
    )
