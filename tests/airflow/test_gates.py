"""The gate's task with recorded responses of DQOps: deferral, waiting in the trigger, decision."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.asset import AssetEvent
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import AirflowException, TaskDeferred
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import delete, select

from goldsmith.publish.airflow import triggers
from goldsmith.publish.airflow.exchange import ImportVerdicts
from goldsmith.publish.airflow.gates import GateTable
from goldsmith.publish.airflow.operators import RequestReader
from goldsmith.publish.airflow.requests import RunRequest
from goldsmith.publish.dqops import endpoints, running
from goldsmith.publish.dqops.client import OK, DqopsClient
from goldsmith.publish.dqops.names import IMPORT_CHECK
from support.dqops_model import Check, Dqops
from support.dqops_model import running as listening
from support.dqops_server import DAY, Exchange, cancelled, incidents, recorded, served

VALID = recorded(*[f"all valid: {step}" for step in ("delete today", "run", "poll", "poll#2")])
ERRORS = recorded(*[f"errors found: {step}" for step in ("delete today", "run", "poll", "poll#2", "status")])
NOTHING = recorded(*[f"unknown table, nothing ran: {step}" for step in ("delete today", "run", "poll")])
VALID_END = [*recorded("table overview"), incidents("silver.airlines")]
(FAULT,) = recorded("wait endpoint")
(UNKNOWN,) = recorded("unknown job")
(SECOND,) = recorded("second run the same day (reports valid)")
RESULTS = Exchange(
    "GET",
    "/api/connections/lakehouse/schemas/silver/tables/flights/monitoring/daily/results"
    "?monthStart=2026-11-01&monthEnd=2026-11-01&loadMode=most_recent_per_group",
    None,
    500,
    None,
)
CHECKS = {"airlines": 9, "flights": 15, "nowhere": 9}


@pytest.fixture(scope="module", autouse=True)
def _database() -> None:
    initdb()


@pytest.fixture(autouse=True)
def _that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "today", lambda: date.fromisoformat(DAY))
    # Default arguments are bound at definition.
    monkeypatch.setattr(triggers, "wait_async", lambda client, watch: running.wait_async(client, watch, 0.01))
    monkeypatch.setenv("DQOPS_CONSOLE_URL", "https://quality.example")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project whose user home declares as many checks as ran in the recording."""
    for table, count in CHECKS.items():
        file = tmp_path / f"dqops_userhome/sources/lakehouse/silver.{table}.dqotable.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        checks = {f"check_{at}": {} for at in range(count)}
        file.write_text(json.dumps({"spec": {"monitoring_checks": {"daily": {"volume": checks}}}}))
    return tmp_path


Gate = Callable[..., DagRun]


def register(dag: DAG) -> None:
    """Registers a DAG without a file."""
    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag("/dev/null")
    bag.bag_dag(dag)
    sync_bag_to_db(bag, "dags-folder", None)


@pytest.fixture
def ran(home: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Runs the gate of a table with a script of exchanges, all of which must occur."""

    def run(
        table: str, *script: Exchange, retries: int = 0, conf: dict[str, Any] | None = None, **options: Any
    ) -> DagRun:
        name = f"silver.{table}"
        params = {
            key: Param(None, type=["null", "string", "array"])
            for key in ("first_day", "last_day", "tables", "rebuild")
        }
        settings = {
            "limit": "error",
            "known": [name],
            "cron": None,
            "project": str(home),
            "after": "load",
            **options,
        }
        with served(*script) as server:
            monkeypatch.setenv("DQOPS_URL", server.url)
            with DAG(f"gate_{table}", schedule=None, params=params) as dag:
                GateTable(task_id="gate", table=name, retries=retries, retry_delay=timedelta(0), **settings)
            register(dag)
            return dag.test(logical_date=None, run_conf=conf)

    return run


def state(run: DagRun) -> str:
    (ti,) = run.get_task_instances()
    return str(ti.state)


def tries(run: DagRun) -> int:
    (ti,) = run.get_task_instances()
    return int(ti.try_number)


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The task's log lines, without prefix and suffix."""
    lines = [
        line for line in capsys.readouterr().out.splitlines() if "GateTable" in line or " [task]" in line
    ]
    words = [re.sub(r"\s+\[(airflow\.)?task.*", "", line.split("] ", 1)[-1]) for line in lines]
    return [line for line in words if not line.startswith("::")]


def events() -> dict[str, Any]:
    """The extra of each table's last event."""
    with create_session() as session:
        return {
            event.name: event.extra for event in session.scalars(select(AssetEvent).order_by(AssetEvent.id))
        }


def verdict_of(run: DagRun) -> dict[str, Any] | None:
    with create_session() as session:
        found = session.scalars(
            select(XComModel).where(
                XComModel.run_id == run.run_id, XComModel.dag_id == run.dag_id, XComModel.key == "verdict"
            )
        ).one_or_none()
        return None if found is None else dict(XComModel.deserialize_value(found))


@pytest.fixture(autouse=True)
def _no_events() -> None:
    with create_session() as session:
        session.execute(delete(AssetEvent))


def dropped(exchange: Exchange) -> Exchange:
    """The request is received, and the connection closed without a response."""
    return replace(exchange, swallowed=True)


def fault(exchange: Exchange) -> Exchange:
    return replace(exchange, status=FAULT.status, answer=FAULT.answer)


def forgotten(exchange: Exchange) -> Exchange:
    """The response of a restarted server that does not know the job."""
    return replace(exchange, status=UNKNOWN.status, answer=UNKNOWN.answer)


def ended(exchange: Exchange, **counts: Any) -> Exchange:
    answer = json.loads(json.dumps(exchange.answer))
    answer["parameters"]["runChecksParameters"]["run_checks_result"] |= counts
    return replace(exchange, answer=answer)


def test_table_with_valid_checks_passes(ran: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    run = ran("airlines", *VALID, *VALID_END)
    assert state(run) == "success"
    assert "silver.airlines: passed. 9 checks ran; highest severity: valid, gate limit: error." in log_lines(
        capsys
    )
    dqops = events()["silver.airlines"]["dqops"]
    assert (dqops["severity"], dqops["checks"], dqops["failed"]) == ("valid", 9, [])


def test_errors_fail_without_retry_and_are_reported_first(
    ran: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ran("flights", *ERRORS, RESULTS, retries=3)
    assert state(run) == "failed"
    assert tries(run) == 1
    lines = log_lines(capsys)
    at = next(
        at for at, line in enumerate(lines) if line.startswith("silver.flights: stopped. 15 checks ran")
    )
    assert at <= 3
    screen = "\n".join(lines[:20])
    assert "error   daily_number_in_range_percent on distance" in screen
    assert "error   daily_duplicate_count on flight_id" in screen
    assert "warning daily_column_list_changed" in screen
    assert "https://quality.example/monitoring/connection/lakehouse/schema/silver/table/flights/" in screen
    assert "Traceback" not in screen
    assert verdict_of(run)["severity"] == "error"
    # Without an event, tasks that wait for the table do not start.
    assert events() == {}


def test_failed_checks_below_the_limit_are_warnings(ran: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    none = replace(incidents("silver.flights"), answer=[])
    run = ran("flights", *ERRORS, RESULTS, none, limit="fatal")
    assert state(run) == "success"
    output = capsys.readouterr().out
    assert "[warning  ] silver.flights: passed. 15 checks ran; highest severity: error" in output
    assert len(events()["silver.flights"]["dqops"]["failed"]) == 8


def test_verdict_counts_all_results_of_the_day(ran: Gate) -> None:
    """The server's summary of a second run has no errors, although earlier results of the day do."""
    summary = SECOND.answer["result"]
    assert summary["errors"] == 0
    assert state(ran("flights", *ERRORS[:3], ended(ERRORS[3], **summary), ERRORS[4], RESULTS)) == "failed"


@pytest.mark.parametrize(
    ("script", "table", "message"),
    [
        (NOTHING, "nowhere", "GS704 The run of DQOps' checks of `silver.nowhere` is incomplete: 0 of 9 declared checks ran"),
        ([*VALID[:3], ended(VALID[3], execution_errors=3), VALID_END[0]], "airlines", "3 of 9 checks could not be executed"),
        ([fault(VALID[0]), cancelled(VALID[0])], "airlines", "GS702 DQOps returned 500 for POST /api/jobs/deletestoreddata"),
        ([VALID[0], fault(VALID[1]), cancelled(VALID[1])], "airlines", "GS702 DQOps returned 500 for POST /api/jobs/runchecks"),
        ([replace(VALID[0], answer=None), cancelled(VALID[0])], "airlines", "GS702 DQOps returned 201"),
        ([*VALID[:3], VALID[3], fault(VALID_END[0])], "airlines", "GS702 DQOps returned 500 for GET"),
        ([*VALID[:2], forgotten(VALID[2])] * 2, "airlines", "GS704 The run of DQOps' checks of `silver.airlines` is incomplete"),
        ([dropped(VALID[0]), cancelled(VALID[0])], "airlines", "GS701 DQOps at http://127.0.0.1"),
    ],
    ids=["nothing ran", "execution errors", "500 at once", "500 at the start", "nothing in it", "500 at the end", "404", "lost"],
)  # fmt: skip
def test_undecided_gate_is_retryable(
    ran: Gate, script: list[Exchange], table: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ran(table, *script, *VALID, *VALID_END, retries=1) if table == "airlines" else ran(table, *script)
    assert message in capsys.readouterr().out
    if table == "airlines":
        assert (state(run), tries(run)) == ("success", 2)
    else:
        assert state(run) == "failed"
        assert verdict_of(run) is None


@pytest.mark.parametrize("error", [fault, dropped])
def test_temporary_errors_during_a_job_are_retried(ran: Gate, error: Callable[[Exchange], Exchange]) -> None:
    assert state(ran("airlines", *VALID[:3], error(VALID[2]), VALID[3], *VALID_END)) == "success"


def test_request_is_repeated_after_a_restart_of_the_server(
    ran: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server first does not respond, and then does not know the job."""
    lost = (*VALID[:3], dropped(VALID[2]), forgotten(VALID[2]))
    run = ran("airlines", *lost, *VALID, *VALID_END)
    assert (state(run), tries(run)) == ("success", 1)
    assert "starting it again" in capsys.readouterr().out


def test_unresponsive_server_is_reported(
    ran: Gate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(triggers, "JobWatch", partial(running.JobWatch, grace=0.0))
    run = ran("airlines", *VALID[:3], dropped(VALID[2]), cancelled(VALID[2]))
    assert state(run) == "failed"
    assert "GS701 DQOps at http://127.0.0.1" in capsys.readouterr().out


def test_job_beyond_the_time_limit_is_cancelled(ran: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    run = ran("airlines", *VALID[:3], cancelled(VALID[2]), time_limit=timedelta(0))
    assert state(run) == "failed"
    assert "GS703 DQOps' checks of `silver.airlines` have not ended after 0 s" in capsys.readouterr().out


def test_restarted_triggerer_resumes() -> None:
    """Airflow recreates the trigger from its serialized form, with the same job and remaining time."""
    with served(*VALID[:2], VALID[2], VALID[3]) as server:
        client = DqopsClient(server.url, server.url)
        started = running.start_run(client, "silver.airlines", declared=9, limit="error")
        first = triggers.ChecksEnded(
            started=started.as_dict(), url=server.url, since=time.time(), time_limit=60, restarts_left=1
        )
        path, arguments = first.serialize()
        assert path == "goldsmith.publish.airflow.triggers.ChecksEnded"
        assert client.call(endpoints.job(started.key)).status == OK
        second = triggers.ChecksEnded(**json.loads(json.dumps(arguments)))
        event = asyncio.run(anext(second.run())).payload
    assert event["ended"]["state"] == "ended"
    assert event["started"] == started.as_dict()


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dqops]:
    """A server whose jobs run until they are cancelled."""
    checks = [Check(f"daily_check_{at}") for at in range(CHECKS["airlines"])]
    with listening(Dqops(DAY, {"silver.airlines": checks}, stuck=True)) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        yield server


def begun(server: Dqops) -> triggers.ChecksEnded:
    client = DqopsClient(server.url, server.url)
    started = running.start_run(client, "silver.airlines", declared=9, limit="error")
    return triggers.ChecksEnded(
        started=started.as_dict(), url=server.url, since=time.time(), time_limit=60, restarts_left=1
    )


def test_killed_deferred_gate_cancels_its_job(stuck: Dqops) -> None:
    """When a user marks or clears the task, Airflow calls the trigger's `on_kill`."""
    asyncio.run(begun(stuck).on_kill())
    assert len(stuck.cancelled) == 1


def test_stopped_triggerer_does_not_cancel_the_job(stuck: Dqops) -> None:
    """A stopped triggerer cancels its coroutines likewise, and does not call `on_kill`."""
    trigger = begun(stuck)

    async def ended() -> None:
        following = asyncio.ensure_future(anext(trigger.run()))
        await asyncio.sleep(0.3)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        await trigger.cleanup()

    asyncio.run(ended())
    assert stuck.cancelled == []


def test_gate_killed_in_its_worker_cancels_its_requests(stuck: Dqops, home: Path) -> None:
    task = GateTable(
        task_id="gate",
        table="silver.airlines",
        limit="error",
        after="load",
        known=["silver.airlines"],
        cron=None,
        project=str(home),
    )
    task.on_kill()
    with pytest.raises(TaskDeferred):
        task._start_checks(1)
    assert stuck.cancelled == []
    task.on_kill()
    assert len(stuck.cancelled) == 1


def test_killed_import_cancels_its_job(stuck: Dqops, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow calls `on_kill` in the task's process, which continues until it is killed."""
    file = home / "dqops_userhome/sources/lakehouse/silver.airlines.dqotable.yaml"
    checks = {"custom_sql": {IMPORT_CHECK: {}}}
    file.write_text(json.dumps({"spec": {"monitoring_checks": {"daily": checks}}}))
    monkeypatch.setattr(RequestReader, "read", lambda *_: RunRequest(None))
    task = ImportVerdicts(
        task_id="import",
        tables=["silver.airlines"],
        gates={},
        known=["silver.airlines"],
        cron=None,
        project=str(home),
    )
    with ThreadPoolExecutor(1) as pool:
        ended_ = pool.submit(task.execute, {})
        until = time.monotonic() + 30
        while not any(job.status == "running" for job in stuck.jobs.values()):
            assert time.monotonic() < until
            time.sleep(0.01)
        task.on_kill()
        with pytest.raises(AirflowException, match="the job ended as `cancelled`"):
            ended_.result(30)
    assert len(stuck.cancelled) == 1


def test_unselected_table_is_skipped(ran: Gate) -> None:
    assert (
        state(ran("airlines", known=["silver.airlines", "silver.other"], conf={"tables": ["silver.other"]}))
        == "skipped"
    )


def test_table_missing_in_the_home_is_reported_before_the_run(
    ran: Gate, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "dqops_userhome/sources/lakehouse/silver.airlines.dqotable.yaml").unlink()
    run = ran("airlines", retries=3)
    assert (state(run), tries(run)) == ("failed", 1)
    assert "GS712 DQOps' user home has no readable file for `silver.airlines`" in capsys.readouterr().out
