"""Measures the overhead of Airflow and Spark's start, with a task per table, layer or pipeline.

    make up && .venv/bin/python bench/airflow_tasks.py --days 3

Triggers days of the flights manually in the containers of this clone, one after the other, for each value of `tasks`. It
changes `tasks:` in pipelines/flights/pipeline.yaml and restores the file at the end. A task's Spark work is the time in
which its application loaded tables, from the records in `ops.table_runs`; the rest of its time is overhead.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from lake import ROOT, query, settings

PIPELINE = ROOT / "pipelines" / "flights" / "pipeline.yaml"
FOLDINGS = ("table", "layer", "pipeline")
LAYERS = 3
SECONDS = 1800


@dataclass(frozen=True)
class Took:
    """Seconds of a run. wall: from its first task's start to its last one's end. tables: the sum of the tables' loads.

    tasks, spark: for each task that loads tables, its own time, and the time of the loads in it.
    """

    wall: float
    tables: float
    tasks: tuple[float, ...]
    spark: tuple[float, ...]

    @property
    def overhead(self) -> float:
        """The median overhead of a task."""
        return median(task - work for task, work in zip(self.tasks, self.spark, strict=True))


class Airflow:
    """A client of Airflow's API in the containers of this clone."""

    def __init__(self) -> None:
        found = settings()
        self._url = f"http://127.0.0.1:{found.get('AIRFLOW_PORT', '8081')}"
        login = {"username": "admin", "password": found["AIRFLOW_ADMIN_PASSWORD"]}
        self._headers: dict[str, str] = {"Content-Type": "application/json"}
        self._headers["Authorization"] = "Bearer " + self._call("/auth/token", login)["access_token"]

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Sends a request to Airflow's API."""
        return self._call(f"/api/v2/{path}", body)

    def _call(self, path: str, body: Mapping[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._url + path, data, self._headers), timeout=60) as answer:
            return json.loads(answer.read())


def loads_of(runs: Sequence[str]) -> list[tuple[str, datetime, datetime, float]]:
    """Run, start, end and seconds of each table's load in these Goldsmith runs."""
    names = ", ".join(f"'{run}'" for run in runs)
    found = query(
        f"SELECT run_id, started_at, ended_at, seconds FROM ops.table_runs WHERE run_id IN ({names})"
    )
    return [(run, _moment(start), _moment(end), float(seconds)) for run, start, end, seconds in found]


def run_day(airflow: Airflow, day: date) -> Took:
    """Triggers one day manually. Raises RuntimeError if the run fails."""
    body = {"logical_date": None, "conf": {"first_day": day.isoformat()}}
    run = airflow.ask("dags/flights/dagRuns", body)["dag_run_id"]
    found = f"dags/flights/dagRuns/{run}"
    _until(lambda: airflow.ask(found)["state"] in {"success", "failed"}, f"the run of {day}")
    if airflow.ask(found)["state"] != "success":
        raise RuntimeError(f"The run of {day} failed: see Airflow.")
    tasks = airflow.ask(f"{found}/taskInstances?limit=100")["task_instances"]
    spans = {task["task_id"]: (_moment(task["start_date"]), _moment(task["end_date"])) for task in tasks}
    events = airflow.ask(f"assets/events?source_run_id={quote(run)}&limit=100")
    jobs = {event["source_task_id"]: event["extra"]["run_id"] for event in events["asset_events"]}
    loads = loads_of(list(jobs.values()))
    work = {name: [load for load in loads if load[0] == job] for name, job in jobs.items()}
    loading = [name for name in spans if work.get(name)]
    return Took(
        wall=_seconds(min(start for start, _ in spans.values()), max(end for _, end in spans.values())),
        tables=sum(load[3] for load in loads),
        tasks=tuple(_seconds(*spans[name]) for name in loading),
        spark=tuple(
            _seconds(min(load[1] for load in work[name]), max(load[2] for load in work[name]))
            for name in loading
        ),
    )


def fold(airflow: Airflow, folding: str, text: str) -> None:
    """Sets `tasks`, and waits until Airflow has parsed it."""
    lines = [line for line in text.splitlines() if not line.startswith("tasks:")]
    PIPELINE.write_text("\n".join([*lines, f"tasks: {folding}", ""]), encoding="utf-8")
    tables = sum(1 for layer in ("bronze", "silver", "gold") for _ in PIPELINE.parent.glob(f"{layer}/*.yaml"))
    wanted = 1 + {"table": tables, "layer": LAYERS, "pipeline": 1}[folding]
    _until(lambda: airflow.ask("dags/flights/tasks")["total_entries"] == wanted, f"tasks: {folding}")


def _until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {SECONDS} s")
        time.sleep(0.5)


def _moment(text: str | datetime) -> datetime:
    moment = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return moment.replace(tzinfo=None)


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def main() -> None:
    """Measures and prints a table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--days", type=int, default=3, help="runs for each value of `tasks`")
    options.add_argument("--first", type=date.fromisoformat, default=date(2013, 2, 1))
    chosen = options.parse_args()
    airflow, text = Airflow(), PIPELINE.read_text(encoding="utf-8")
    day, found = chosen.first, {}
    try:
        for folding in FOLDINGS:
            fold(airflow, folding, text)
            runs = []
            for _ in range(chosen.days):
                runs.append(run_day(airflow, day))
                day += timedelta(1)
                print(f"{folding} {runs[-1].wall:.1f} s", file=sys.stderr)
            found[folding] = runs
    finally:
        PIPELINE.write_text(text, encoding="utf-8")
    print("| `tasks` | tasks | run, s | sum of the tables' loads, s | overhead of a task, s |")
    print("|---|---|---|---|---|")
    for folding, runs in found.items():
        wall, tables, overhead = (
            median(getattr(run, name) for run in runs) for name in ("wall", "tables", "overhead")
        )
        print(f"| {folding} | {len(runs[-1].tasks)} | {wall:.1f} | {tables:.1f} | {overhead:.1f} |")


if __name__ == "__main__":
    main()
