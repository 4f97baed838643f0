"""A gate in a real Airflow whose triggerer is killed while DQOps' checks run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from threading import Event

import pytest

from goldsmith.publish.dqops.declared import declared_checks
from services.airflow_server import ENVIRONMENT, ROOT, Airflow, running, until
from support.dqops_server import gated, served

FILES = {
    "goldsmith.yaml": "name: shop\nmaintenance: null\n",
    "pipelines/orders/pipeline.yaml": "description: Orders.\ntasks: pipeline\ngates: {bronze: error}\n",
    "pipelines/orders/bronze/orders.yaml": """\
        description: As delivered.
        source: {files: "orders/*.csv", format: csv}
        columns: {id: int}
        """,
    ".goldsmith/landing/orders/1.csv": "id\n1\n",
}
TABLE = "bronze.orders"
GATE = f"{TABLE}.gate"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    if not (ENVIRONMENT / "bin" / "airflow").is_file():
        pytest.skip("Airflow's environment is missing: make airflow-env")
    root = tmp_path / "project"
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    (root / "jobs").symlink_to(ROOT / "jobs")
    generate = [sys.executable, "-m", "goldsmith.cli.main", "--project", str(root), "dqops", "generate"]
    subprocess.run(generate, check=True, capture_output=True)
    (root / "dqops_userhome/.data").mkdir()
    return root


def state(airflow: Airflow, run: str) -> str:
    return str(airflow.tasks("orders", run)[GATE]["state"])


def log(airflow: Airflow, run: str) -> list[str]:
    """The lines of the gate's log, including its trigger's."""
    path = f"dags/orders/dagRuns/{run}/taskInstances/{GATE}/logs/1?full_content=true"
    return [str(line["event"]) for line in airflow.call("GET", path)["content"]]


def test_gate_survives_a_restart_of_its_triggerer(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Event()
    checks = declared_checks(project, TABLE)
    forget, start, poll, *rest = gated(TABLE, checks, day=datetime.now(UTC).date().isoformat())
    home = tmp_path / "airflow"
    home.mkdir()
    with served(forget, start, replace(poll, until=ended), *rest) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        with running(home, project) as airflow:
            run = airflow.trigger("orders")
            until(lambda: len(server.seen) > 3, 600, "polls of the job")
            assert state(airflow, run) == "deferred"
            airflow.restart("triggerer")
            seen = len(server.seen)
            until(lambda: len(server.seen) > seen + 1, 300, "polls by the new triggerer")
            ended.set()
            assert airflow.ended("orders", run) == "success"
            assert airflow.tasks("orders", run)[GATE]["try_number"] == 1
            lines = log(airflow, run)
            (event,) = airflow.call("GET", "assets/events")["asset_events"]
        assert sum("runchecks" in request for request in server.seen) == 1
    assert event["extra"]["rows"]["written"] == 1
    assert (event["extra"]["dqops"]["severity"], event["extra"]["dqops"]["checks"]) == ("valid", checks)
    (position,) = [
        at for at, line in enumerate(lines) if line.startswith(f"{TABLE}: passed. {checks} checks ran")
    ]
    assert position < 30, lines
