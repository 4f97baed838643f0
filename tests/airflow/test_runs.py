"""Runs of DAGs in this process, with real jobs by spark-submit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.models.dagrun import DagRun
from airflow.sdk.exceptions import ParamValidationError
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import select

from conftest import ROOT, Write, pipeline


@pytest.fixture(scope="module", autouse=True)
def _database() -> None:
    initdb()


@contextmanager
def dags_of(project: Path, **environment: str) -> Iterator[DagBag]:
    with patch.dict(os.environ, {"GOLDSMITH_PROJECT": str(project), **environment}):
        yield DagBag(ROOT / "airflow" / "dags")


def ran(project: Path, dag: str, **form: Any) -> DagRun:
    with dags_of(project) as found:
        return found.dags[dag].test(run_conf=form, logical_date=None)


def states(run: DagRun) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def events() -> dict[str, AssetEvent]:
    """The last event of each asset."""
    with create_session() as session:
        return {event.name: event for event in session.scalars(select(AssetEvent).order_by(AssetEvent.id))}


def log_lines(text: str) -> list[str]:
    """The job's log lines, without prefix and suffix."""
    lines = [line.split("] ", 1)[-1] for line in text.splitlines() if "JobHook" in line or "[task" in line]
    return [line.split(" [airflow.task", 1)[0].rstrip() for line in lines]


def deliver(project: Path, text: str) -> None:
    folder = project / ".goldsmith" / "landing" / "orders"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.csv").write_text(text)


def test_one_day_of_flights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "goldsmith.yaml", tmp_path)
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    (tmp_path / "jobs").symlink_to(ROOT / "jobs")
    declared = tmp_path / "pipelines" / "flights" / "pipeline.yaml"
    declared.write_text(declared.read_text() + "tasks: pipeline\n")

    run = ran(tmp_path, "flights", first_day="2013-01-01")

    assert states(run) == {"feed": "success", "tables": "success"}
    lines = log_lines(capsys.readouterr().out)
    assert any(line.startswith("Done: 15 commits to 15 tables") for line in lines)
    # The job's output comes first, and Spark's own lines are folded after it.
    folded = next(at for at, line in enumerate(lines) if line.startswith("::group::Spark's log"))
    assert all("INFO SparkContext" not in line for line in lines[:folded])
    found = events()
    gold = found["gold.daily_punctuality"]
    assert gold.partition_key == "2013-01-01"
    assert gold.extra["status"] == "done"
    assert gold.extra["rows"] == {"rows_in": 3, "written": 3, "inserted": 3}
    warned = {verdict["name"]: verdict for verdict in found["silver.departures"].extra["not_held"]}
    assert warned["dest_to_exist_in"] == {
        "name": "dest_to_exist_in", "otherwise": "warn", "failed": 52, "checked": 1785,
    }  # fmt: skip


def test_run_with_nothing_new_starts_no_spark(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    project = write(pipeline("orders"))
    deliver(project, "id,amount\n1,5\n")

    def run() -> tuple[int, dict[str, Any]]:
        """How often spark-submit was called, and the asset event of a run of one table."""
        done = ran(project, "orders", tables=["bronze.orders"])
        assert states(done)["bronze.orders"] == "success"
        output = capsys.readouterr().out
        assert output.count("Nothing to do") == (0 if "Spark-Submit cmd" in output else 1)
        return output.count("Spark-Submit cmd"), events()["bronze.orders"].extra

    submitted, first = run()
    assert (submitted, first["status"]) == (1, "done")
    submitted, second = run()
    assert (submitted, second["status"], second["rows"]) == (0, "nothing_new", {})
    assert second["run_id"] != first["run_id"]
    (project / ".goldsmith/landing/orders/2.csv").write_text("id,amount\n2,6\n")
    submitted, third = run()
    assert (submitted, third["rows"]["written"]) == (1, 1)


def test_gate_fails_without_retry_and_shows_the_reason_first(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write(pipeline("orders", "tasks: pipeline\nretries: 3\n"))
    deliver(project, "id,amount\n1,5\n2,-7\n")

    run = ran(project, "orders")

    [ti] = run.get_task_instances()
    assert (ti.state, ti.try_number) == ("failed", 1)
    lines = log_lines(capsys.readouterr().out)
    gate = next(at for at, line in enumerate(lines) if line.startswith("GS501"))
    first_screen = "\n".join(lines[: gate + 8])
    assert gate < 25
    assert "amount_to_be_between: 1 of 2 rows" in first_screen
    assert "-7" in first_screen
    assert "--accept amount_to_be_between" in first_screen


def test_manual_run_loads_the_selected_tables(write: Write) -> None:
    project = write(pipeline("orders"))
    deliver(project, "id,amount\n1,5\n")
    run = ran(project, "orders", tables=["bronze.orders"])
    assert states(run) == {"bronze.orders": "success", "silver.orders": "skipped", "gold.orders": "skipped"}
    assert events()["bronze.orders"].extra["rows"]["written"] == 1


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"first_day": "2999-01-01"}, "GS507 The interval starts on 2999-01-01"),
        ({"first_day": "2013-01-05", "last_day": "2013-01-01"}, "GS505 The interval from 2013-01-05"),
    ],
)
def test_invalid_interval_fails_before_spark_starts(
    write: Write, form: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ran(write(pipeline("orders", "tasks: pipeline\nretries: 3\n")), "orders", **form)
    assert states(run) == {"tables": "failed"}
    output = capsys.readouterr().out
    assert message in output
    assert "Spark-Submit cmd" not in output


@pytest.mark.parametrize(
    ("form", "message"),
    [({"first_day": "soon"}, "'soon' is not a 'date'"), ({"tables": ["bronze.ordres"]}, "ordres")],
)
def test_invalid_form_starts_no_run(write: Write, form: dict[str, Any], message: str) -> None:
    with pytest.raises(ParamValidationError, match=message):
        ran(write(pipeline("orders")), "orders", **form)


def test_missing_connection_is_reported(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    project = write(pipeline("orders", "tasks: pipeline\n"))
    with dags_of(project) as found:
        del os.environ["AIRFLOW_CONN_SPARK_DEFAULT"]
        run = found.dags["orders"].test(logical_date=None)
    assert states(run) == {"tables": "failed"}
    assert "GS908 There is no Airflow connection `spark_default`" in capsys.readouterr().out
