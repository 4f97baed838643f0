"""Airflow's compose file in Docker: a backfill of the flights with killed services. See `make e2e`."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from services.airflow_server import Airflow, token_of
from support.containers import (
    NEEDS_DOCKER,
    Lake,
    assert_gold_equals_a_local_run,
    kill,
    started,
    until,
)

PROJECT = "goldsmith-e2e-airflow"
FIRST, AFTER_LAST = "2013-01-01", "2013-01-04"
DAYS = 3

pytestmark = NEEDS_DOCKER

DRIVERS = """
import json, pathlib
found = []
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        words = (folder / "cmdline").read_bytes().decode().split("\\0")
        parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        continue
    if words[0].endswith("java") and "org.apache.spark.deploy.SparkSubmit" in words:
        found.append([int(folder.name), parent])
print(json.dumps(found))
"""
"""Prints the applications' JVMs in a container: pid, and pid of the task's process."""


@dataclass(frozen=True)
class Stack:
    """Lake and Airflow."""

    lake: Lake
    airflow: Airflow

    def applications(self) -> list[str]:
        """The names of the master's active applications."""
        url = f"http://127.0.0.1:{self.lake.settings['MASTER_UI_PORT']}/json/"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [application["name"] for application in json.load(answer)["activeapps"]]

    def next_run(self, dag: str) -> str | None:
        """When the next run of a DAG is due; None before the scheduler knows the DAG."""
        listed = self.airflow.call("GET", f"dags?dag_id_pattern={dag}")["dags"]
        return listed[0]["next_dagrun_run_after"] if listed else None

    def drivers(self) -> list[tuple[int, int]]:
        output = self.lake.compose("exec", "-T", "airflow-scheduler", "python3", "-c", DRIVERS)
        return [(job, task) for job, task in json.loads(output.strip().splitlines()[-1])]

    def end(self, process: int) -> None:
        """Kills a process of the scheduler's container."""
        words = ("airflow-scheduler", "python3", "-c", f"import os; os.kill({process}, 9)")
        self.lake.compose("exec", "-T", *words)

    def succeeded(self) -> int:
        """The number of succeeded tasks of the flights."""
        path = "dags/flights/dagRuns/~/taskInstances?state=success&limit=1"
        return int(self.airflow.call("GET", path)["total_entries"])

    def backfill(self) -> dict[str, Any]:
        """Requests a backfill of the days, including completed ones, and returns it."""
        body = {
            "dag_id": "flights",
            "from_date": f"{FIRST}T00:00:00Z",
            "to_date": f"{AFTER_LAST}T00:00:00Z",
            "max_active_runs": 1,
            "reprocess_behavior": "completed",
            "run_backwards": False,
            "dag_run_conf": {},
        }
        found: dict[str, Any] = self.airflow.call("POST", "backfills", body)
        return found

    def backfilled(self, backfill: dict[str, Any], seconds: float = 3600) -> list[dict[str, Any]]:
        """Waits for a backfill and returns its runs, which are queued after its creation."""
        path = f"backfills/{backfill['id']}"
        until(lambda: self.airflow.call("GET", path)["completed_at"] is not None, seconds)
        made = datetime.fromisoformat(backfill["created_at"])
        runs = [run for run in self.airflow.runs("flights") if run["run_type"] == "backfill"]
        return [run for run in runs if datetime.fromisoformat(run["queued_at"]) >= made]

    def versions(self) -> dict[str, int]:
        """The newest version of every table of the flights."""
        tables = [
            f"{layer}.{name}"
            for layer in ("bronze", "silver", "gold")
            for _, name, *_ in self.lake.query(f"SHOW TABLES IN {layer}")
        ]
        return {name: self.lake.query(f"DESCRIBE HISTORY {name} LIMIT 1")[0][0] for name in tables}


@dataclass
class Seen:
    """The master's applications over time. twice: names of concurrent applications with the same name."""

    twice: set[str] = field(default_factory=set)
    all: set[str] = field(default_factory=set)


@contextmanager
def watching(stack: Stack) -> Iterator[Seen]:
    """Polls the master's applications several times a second."""
    seen, over = Seen(), threading.Event()

    def poll() -> None:
        while not over.wait(0.2):
            try:
                names = stack.applications()
            except (urllib.error.URLError, OSError):
                continue
            seen.all.update(names)
            seen.twice.update(name for name in names if names.count(name) > 1)

    watcher = threading.Thread(target=poll)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with started(tmp_path_factory.mktemp("lake"), project=PROJECT) as (lake, _):
        url = f"http://127.0.0.1:{lake.settings['AIRFLOW_PORT']}"
        yield Stack(lake, Airflow(url, token_of(url, "admin", lake.settings["AIRFLOW_ADMIN_PASSWORD"])))


def test_new_pipelines_wait_for_their_next_scheduled_time(stack: Stack) -> None:
    """After `make up` on an empty lake nothing competes with what a person starts."""
    for name in ("flights", "goldsmith_maintenance"):
        until(lambda dag=name: stack.next_run(dag) is not None, 120)
        due = datetime.fromisoformat(stack.next_run(name) or "")
        assert due > datetime.now(UTC)
        assert stack.airflow.runs(name) == []
    assert stack.applications() == []


def test_day_runs_without_other_steps(stack: Stack) -> None:
    day = {"logical_date": None, "partition_key": FIRST, "conf": {}}
    run = stack.airflow.call("POST", "dags/flights/dagRuns", day)["dag_run_id"]
    assert stack.airflow.ended("flights", run, 1200) == "success"
    tasks = stack.airflow.tasks("flights", run)
    assert min(tasks, key=lambda name: tasks[name]["start_date"]) == "feed"
    assert {task["state"] for task in tasks.values()} == {"success"}
    pools = stack.airflow.call("GET", "pools")["pools"]
    assert {pool["name"]: pool["slots"] for pool in pools}["spark"] == 2


def test_backfill_survives_killed_services(stack: Stack, spark: SparkSession) -> None:
    def worker() -> None:
        kill(stack.lake.containers("spark-worker")[0])

    def task() -> None:
        stack.end(stack.drivers()[0][1])

    def job() -> None:
        stack.end(stack.drivers()[0][0])

    def scheduler() -> None:
        kill(stack.lake.containers("airflow-scheduler")[0])

    def database() -> None:
        kill(stack.lake.containers("postgres")[0])

    faults: tuple[Callable[[], None], ...] = (task, job, worker, scheduler, database)
    with watching(stack) as seen:
        backfill = stack.backfill()
        for fault in faults:
            until(lambda: bool(stack.applications()) and bool(stack.drivers()), 300)
            before = stack.succeeded()
            fault()
            until(lambda known=before: stack.succeeded() >= known + 2, 600)
        runs = stack.backfilled(backfill)
    assert [run["state"] for run in runs] == ["success"] * DAYS
    assert seen.all
    assert seen.twice == set()
    assert_gold_equals_a_local_run(stack.lake, spark, FIRST, AFTER_LAST)


def test_repeated_backfill_commits_nothing(stack: Stack) -> None:
    before = stack.versions()
    assert len(before) >= 15
    runs = stack.backfilled(stack.backfill())
    assert [run["state"] for run in runs] == ["success"] * DAYS
    assert stack.versions() == before


def test_cancelled_run_ends_its_application(stack: Stack) -> None:
    # A rebuild: without new rows a run starts no application.
    run = stack.airflow.trigger("flights", tables=["bronze.weather"], rebuild=["bronze.weather"])
    until(lambda: bool(stack.applications()), 120)
    stack.airflow.call("PATCH", f"dags/flights/dagRuns/{run}", {"state": "failed"})
    requested = time.monotonic()
    until(lambda: not stack.applications() and not stack.drivers(), 60)
    assert time.monotonic() - requested < 30
    assert stack.airflow.run("flights", run)["state"] == "failed"


def test_invalid_pipeline_does_not_affect_others(stack: Stack) -> None:
    folder = stack.lake.clone / "pipelines" / "orders"
    (folder / "bronze").mkdir(parents=True)
    (folder / "pipeline.yaml").write_text("description: What customers ordered.\nowner: sales\n")
    table = folder / "bronze" / "orders.yaml"
    valid = 'description: As delivered.\nsource: {files: "orders/*.csv", format: csv}\ncolumns: {id: int}\n'
    table.write_text(valid)

    def dags() -> set[str]:
        found = stack.airflow.call("GET", "dags?exclude_stale=true")["dags"]
        return {dag["dag_id"] for dag in found}

    def mistakes() -> list[str]:
        return [error["stack_trace"] for error in stack.airflow.call("GET", "importErrors")["import_errors"]]

    until(lambda: "orders" in dags(), 120)
    table.write_text(valid.replace("int}", "integr}"))
    until(lambda: len(mistakes()) == 1, 120)
    assert "pipelines/orders/bronze/orders.yaml:3" in mistakes()[0]
    run = stack.airflow.trigger("flights", tables=["bronze.weather"])
    assert stack.airflow.ended("flights", run) == "success"
    table.write_text(valid)
    until(lambda: not mistakes(), 120)


def test_viewer_cannot_start_runs(stack: Stack) -> None:
    url, password = stack.airflow.url, stack.lake.settings["AIRFLOW_VIEWER_PASSWORD"]
    viewer = Airflow(url, token_of(url, "viewer", password))
    assert viewer.runs("flights")
    with pytest.raises(AssertionError, match="403"):
        viewer.trigger("flights")
    with pytest.raises(urllib.error.HTTPError):
        token_of(url, "viewer", "wrong")


def test_old_records_can_be_removed(stack: Stack) -> None:
    run = stack.airflow.trigger("goldsmith_maintenance")
    assert stack.airflow.ended("goldsmith_maintenance", run, 1200) == "success"
    states = {name: task["state"] for name, task in stack.airflow.tasks("goldsmith_maintenance", run).items()}
    assert states == {"tables": "success", "airflow_records": "success"}


def test_secrets_are_not_in_logs_or_commands(stack: Stack) -> None:
    text = stack.lake.compose("logs") + stack.lake.compose("top")
    files = "import pathlib; [print(f.read_text()) for f in pathlib.Path('/var/airflow/logs').rglob('*.log')]"
    text += stack.lake.compose("exec", "-T", "airflow-scheduler", "python3", "-c", files)
    assert "gold.daily_punctuality" in text
    for secret in stack.lake.secrets:
        assert secret not in text


def test_restored_backup_contains_airflow(stack: Stack, tmp_path: Path) -> None:
    before = {run["dag_run_id"] for run in stack.airflow.runs("flights")}
    stack.lake.make("backup", f"TO={tmp_path}")
    lost = stack.airflow.trigger("flights", tables=["bronze.weather"])
    assert stack.airflow.ended("flights", lost) == "success"
    stack.lake.make("restore", f"FROM={tmp_path}")
    until(lambda: {run["dag_run_id"] for run in stack.airflow.runs("flights")} == before, 60)
    assert (tmp_path / "env").read_bytes() == (stack.lake.clone / ".env").read_bytes()
