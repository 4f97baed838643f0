"""Runs with DQOps: real loads, the gate, the push of verdicts, and the collection of results."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.models.dagrun import DagRun
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import delete, select

from conftest import ROOT, Write, pipeline
from goldsmith.publish.airflow import triggers
from goldsmith.publish.dqops import running
from goldsmith.publish.dqops.declared import declared_checks
from support.dqops_server import DAY, Exchange, cancelled, gated, imports, served

Ran = Callable[..., DagRun]


@pytest.fixture(scope="module", autouse=True)
def _database() -> None:
    initdb()


@pytest.fixture(autouse=True)
def _that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "today", lambda: date.fromisoformat(DAY))
    monkeypatch.setattr(triggers, "wait_async", lambda client, watch: running.wait_async(client, watch, 0.01))
    with create_session() as session:
        session.execute(delete(AssetEvent))


@pytest.fixture
def project(write: Write) -> Path:
    """A pipeline with a gate on silver, and its user home without results."""
    files = pipeline("orders", "tasks: pipeline\nretries: 0\ngates: {silver: error}\n")
    files["pipelines/orders/gold/orders.yaml"] += dedent("""\
        expectations:
          - condition: total >= 0
            name: no_debts
            otherwise: warn
        """)
    root = write(files)
    command = [str(ROOT / ".venv/bin/goldsmith"), "--project", str(root), "dqops", "generate"]
    subprocess.run(command, check=True, capture_output=True)
    (root / "dqops_userhome/.data").mkdir()
    return root


@pytest.fixture
def ran(project: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Delivers a file and runs the pipeline with a script of exchanges, all of which must occur."""

    def run(rows: str, *script: Exchange) -> DagRun:
        folder = project / ".goldsmith/landing/orders"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "1.csv").write_text(f"id,amount\n{rows}")
        monkeypatch.setenv("GOLDSMITH_PROJECT", str(project))
        with served(*script) as server:
            monkeypatch.setenv("DQOPS_URL", server.url)
            return DagBag(ROOT / "airflow" / "dags").dags["orders"].test(logical_date=None)

    return run


def states(run: DagRun) -> dict[str, str]:
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def events() -> dict[str, Any]:
    with create_session() as session:
        return {
            event.name: event.extra for event in session.scalars(select(AssetEvent).order_by(AssetEvent.id))
        }


def test_passing_gate_emits_the_asset_event(
    ran: Ran, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = declared_checks(project, "silver.orders")
    # The gate imports the verdicts of its table, so that only gold's remain. This import fails, and no load does.
    forgetting = imports("gold.orders")[0]
    lost = [replace(forgetting, swallowed=True), cancelled(forgetting)]
    run = ran("1,5\n", *gated("silver.orders", checks), *lost)
    assert states(run) == {
        "tables": "success",
        "silver.orders.gate": "success",
        "dqops.import": "failed",
        "dqops.collect": "success",
    }
    assert run.state == "success"
    found = events()
    assert set(found) == {"bronze.orders", "silver.orders", "gold.orders"}
    silver = found["silver.orders"]
    assert (silver["status"], silver["rows"]["inserted"]) == ("done", 1)
    assert (silver["dqops"]["severity"], silver["dqops"]["checks"]) == ("valid", checks)
    output = capsys.readouterr().out
    assert "Already imported by their gates: silver.orders" in output
    assert "0 new results, 0 changed, from 0 files, in ops.dqops_results" in output


def test_stopping_gate_fails_the_run_and_its_results_are_collected(ran: Ran, project: Path) -> None:
    script = gated("silver.orders", declared_checks(project, "silver.orders"), "fatal")
    run = ran("1,5\n", *script, *imports("gold.orders"))
    assert states(run) == {
        "tables": "success",
        "silver.orders.gate": "failed",
        "dqops.import": "success",
        "dqops.collect": "success",
    }
    assert run.state == "failed"
    # Without an event, other pipelines that wait for the table do not start.
    assert set(events()) == {"bronze.orders", "gold.orders"}


def test_verdict_of_a_stopped_load_reaches_the_console(ran: Ran) -> None:
    run = ran("1,5\n2,-7\n", *imports("silver.orders", "error"), *imports("gold.orders"))
    assert states(run) == {
        "tables": "failed",
        "silver.orders.gate": "upstream_failed",
        "dqops.import": "success",
        "dqops.collect": "success",
    }
    assert run.state == "failed"
