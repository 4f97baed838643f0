"""The gate with a server that stores results by id, group and time scale, and has jobs and incidents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from goldsmith.errors import GateStopped, RunError
from goldsmith.publish.dqops import running as runs
from goldsmith.publish.dqops.client import DqopsClient
from goldsmith.publish.dqops.gate import import_verdicts, run_gate
from goldsmith.publish.dqops.names import IMPORT_CHECK
from goldsmith.publish.dqops.running import cancel
from goldsmith.publish.dqops.verdict import LONGEST_REASON, GateVerdict, first_line
from support.dqops_model import NO_GROUP, Check, Dqops, Incident, running
from support.dqops_server import DAY, recorded

TABLE = "silver.orders"
MEAN = "daily_mean_in_range"


@pytest.fixture(autouse=True)
def on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "today", lambda: date.fromisoformat(DAY))


def a_server(*checks: Check, **options: Any) -> Dqops:
    return Dqops(DAY, {TABLE: [Check("daily_row_count", value=7.0), *checks]}, **options)


def gate(server: Dqops, **options: Any) -> GateVerdict:
    """Runs the gate of the table, with as many declared checks as the server runs."""
    settings: dict[str, Any] = {"limit": "error", "timeout": 30, "pause": 0.01, "grace": 0.2, **options}
    client = DqopsClient(server.url, server.url, timeout=5)
    daily = [c for c in server.tables[TABLE] if (c.check_type, c.time_scale) == ("monitoring", "daily")]
    declared = len({(check.name, check.column) for check in daily})
    return run_gate(client, TABLE, declared=declared, **settings)


def test_failed_check_is_reported_with_its_column_and_value() -> None:
    """Results of columns are requested per column, as the table's results exclude them."""
    checks = [
        Check(MEAN, 2, 12.5, column="amount", category="numeric"),
        Check(MEAN, 2, 3.0, column="weight", category="numeric"),
        Check("daily_duplicate_record_count", 2, 1_234_567.0),
    ]
    with running(a_server(*checks)) as server:
        verdict = gate(server)
    lines = [str(failure) for failure in verdict.failures]
    assert lines == [
        "error   daily_duplicate_record_count: 1,234,567 (at most 0)",
        "error   daily_mean_in_range on amount: 12.5 (at most 0)",
        "error   daily_mean_in_range on weight: 3 (at most 0)",
    ]
    assert verdict.notes == ()


def test_reason_of_a_server_is_its_first_line_and_ends_where_it_is_cut() -> None:
    assert first_line("\n SQL query failed \n\tat a.B.c") == "SQL query failed"
    assert first_line("x" * (LONGEST_REASON + 1)) == "x" * LONGEST_REASON + " ..."
    assert first_line(None) == ""


def test_failures_of_a_data_group_are_reported_by_its_name() -> None:
    series = [
        Check(IMPORT_CHECK, severity, value, group=group, grouped=True, category="custom_sql")
        for group, severity, value in (("key", 2, 3.0), ("carrier", 1, 2.0), ("origin", 0, 0.0))
    ]
    with running(a_server(*series, Check("daily_nulls_count", 1, 5.0, column="id"))) as server:
        verdict = gate(server)
    assert {(f.check, f.column, f.group, f.value) for f in verdict.failures} == {
        (IMPORT_CHECK, None, "key", 3.0),
        (IMPORT_CHECK, None, "carrier", 2.0),
        ("daily_nulls_count", "id", None, 5.0),
    }
    assert NO_GROUP not in "\n".join(verdict.lines)


MONTHLY = Check("monthly_row_count", 3, 1.0, time_scale="monthly")
PARTITIONED = Check("daily_partition_row_count", 3, 1.0, check_type="partitioned")
PROFILING = Check("profile_row_count", 3, 1.0, check_type="profiling")


@pytest.mark.parametrize("check", [MONTHLY, PARTITIONED, PROFILING], ids=lambda check: check.name)
def test_checks_outside_the_gate_do_not_stop_it(check: Check) -> None:
    """A user has added the check and run it on that day."""
    with running(a_server(check)) as server:
        server.run(TABLE)
        verdict = gate(server)
        assert [row["check_name"] for row in server.stored if row["severity"]] == [check.name]
    assert (verdict.passed, verdict.severity, verdict.failures) == (True, "valid", ())


def test_incidents_are_resolved_when_the_data_is_repaired() -> None:
    bad = Check(MEAN, 2, 12.5, column="amount", category="numeric", dimension="Reasonableness")
    with running(a_server(bad)) as server:
        other = Incident("gold.orders_by_day", "numeric", "Reasonableness", 2)
        server.incidents.append(other)
        verdict = gate(server)
        (_, own) = server.incidents
        assert (verdict.passed, own.status, verdict.resolved) == (False, "open", ())
        own.status = "acknowledged"
        bad.severity, bad.value = 0, 9.0
        verdict = gate(server)
        assert (verdict.passed, own.status, other.status) == (True, "resolved", "open")
        assert verdict.resolved == ("numeric, Reasonableness",)
        assert gate(server).resolved == ()


@pytest.mark.parametrize("check", [MONTHLY, PARTITIONED], ids=lambda check: check.name)
def test_incident_stays_open_while_any_of_its_checks_fails(check: Check) -> None:
    with running(a_server(check)) as server:
        server.run(TABLE)
        verdict = gate(server)
        assert verdict.passed
        assert [incident.status for incident in server.incidents] == ["open"]


def test_incident_of_a_removed_check_is_resolved() -> None:
    """Otherwise its result of another day would keep the incident open."""
    with running(a_server(Check(MEAN, 2, 1.0, column="amount"))) as server:
        server.day = "2026-11-20"
        server.run(TABLE)
        server.day = DAY
        del server.tables[TABLE][1]
        assert gate(server).passed
        assert [incident.status for incident in server.incidents] == ["resolved"]


def test_unresolvable_incidents_do_not_change_the_verdict() -> None:
    class Broken(Dqops):
        def answer(self, method: str, path: str, body: Any) -> Any:
            if "/api/incidents/" in path:
                return 500, {"message": "Internal Server Error"}
            return super().answer(method, path, body)

    with running(Broken(DAY, {TABLE: [Check("daily_row_count")]})) as server:
        verdict = gate(server)
    assert verdict.passed
    message = "Its incidents could not be resolved: DQOps returned 500 for GET /api/incidents/lakehouse"
    assert verdict.notes[0].startswith(message)


def test_deletion_waits_for_deletions_of_other_tables() -> None:
    """Without a limit in the request, the server waits for two minutes."""
    with running(a_server(waits=300)) as server:
        assert gate(server).passed
    with running(a_server(waits=3000)) as server, pytest.raises(RunError) as raised:
        gate(server)
    assert raised.value.code == "GS702"
    assert [key.endswith("-forget") for key in server.cancelled] == [True]


def test_gate_beyond_its_time_limit_cancels_its_job() -> None:
    """The server runs one job at a time, and would run it before the retry's."""
    with running(a_server(stuck=True)) as server, pytest.raises(RunError) as raised:
        gate(server, timeout=0)
    assert raised.value.code == "GS703"
    assert [job.status for job in server.jobs.values()] == ["finished", "cancelled"]


@pytest.mark.parametrize(
    "run", [gate, lambda server: import_verdicts(DqopsClient(server.url, ""), TABLE, timeout=30)]
)
def test_interrupted_gate_cancels_its_job(
    run: Callable[[Dqops], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    with running(a_server(stuck=True)) as server, pytest.raises(KeyboardInterrupt):
        run(server)
    assert len(server.cancelled) == 1


def test_abandoned_run_is_cancelled_by_its_key() -> None:
    """This is the case of a task killed by Airflow."""
    keys: list[str] = []
    with running(a_server(stuck=True)) as server:
        client = DqopsClient(server.url, server.url)
        started = runs.start_run(client, TABLE, declared=1, limit="error", on_start=keys.append)
        assert keys == [started.key]
        cancel(client, keys[0])
        assert server.cancelled == keys
        server.jobs.clear()
        cancel(client, keys[0])
    cancel(DqopsClient(server.url, server.url), keys[0])


@pytest.mark.parametrize("verb", ["gate", "push"])
def test_killed_command_cancels_its_job(tmp_path: Path, verb: str) -> None:
    base = tmp_path / "pipelines/p/silver"
    base.mkdir(parents=True)
    (base / "orders.yaml").write_text("gate: error\n")
    (base / "orders.sql").write_text("SELECT 1 AS one")
    (base.parent / "pipeline.yaml").write_text("{}")
    (tmp_path / "goldsmith.yaml").write_text("{}")
    file = tmp_path / f"dqops_userhome/sources/lakehouse/{TABLE}.dqotable.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        json.dumps({"spec": {"monitoring_checks": {"daily": {"custom_sql": {IMPORT_CHECK: {}}}}}})
    )
    with running(a_server(stuck=True)) as server:
        words = ["--project", str(tmp_path), "dqops", verb, TABLE]
        process = subprocess.Popen(
            [sys.executable, "-m", "goldsmith.cli.main", *words],
            env={**os.environ, "DQOPS_URL": server.url},
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while not any(job.status == "running" for job in server.jobs.values()):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
        assert len(server.cancelled) == 1


def test_reason_of_unexecuted_checks_is_reported() -> None:
    refused = "Connection refused to thrift-server:10000\n\tat org.apache.hive.jdbc.HiveConnection"
    checks = [
        Check("daily_sql_condition_failed_on_table", error="[UNRESOLVED_COLUMN] `delay` cannot be resolved"),
        Check(MEAN, error=refused, column="amount"),
        Check("daily_nulls_count", error=refused, column="amount"),
    ]
    with running(a_server(*checks)) as server, pytest.raises(RunError) as raised:
        gate(server)
    assert (raised.value.code, raised.value.retryable) == ("GS704", True)
    assert raised.value.message.splitlines() == [
        f"The run of DQOps' checks of `{TABLE}` is incomplete: 3 of 4 checks could not be executed.",
        "  daily_sql_condition_failed_on_table: [UNRESOLVED_COLUMN] `delay` cannot be resolved",
        f"  {MEAN} on amount: Connection refused to thrift-server:10000",
    ]


def test_reason_of_a_failed_job_is_reported() -> None:
    out = "java.lang.OutOfMemoryError: Java heap space"
    with running(a_server(failing=out)) as server, pytest.raises(RunError) as raised:
        gate(server)
    assert "the job ended as `failed`: java.lang.OutOfMemoryError: Java heap space." in raised.value.message


def test_errors_of_an_import_are_reported() -> None:
    check = Check(IMPORT_CHECK, error="[TABLE_OR_VIEW_NOT_FOUND] `ops`.`expectations`")
    with running(a_server(check)) as server, pytest.raises(RunError) as raised:
        import_verdicts(DqopsClient(server.url, ""), TABLE, timeout=30, pause=0.01)
    assert f"{IMPORT_CHECK}: [TABLE_OR_VIEW_NOT_FOUND]" in raised.value.message


def test_second_gate_of_the_day_evaluates_all_checks() -> None:
    bad = Check(MEAN, 2, 12.5, column="amount")
    with running(a_server(bad)) as server:
        assert [gate(server).passed for _ in range(2)] == [False, False]
        with pytest.raises(GateStopped):
            gate(server).require()


def test_model_server_gives_the_recorded_responses() -> None:
    """With the recorded states of checks, the model gives the recorded status."""
    *_, poll, status = recorded(
        *[f"errors found: {step}" for step in ("delete today", "run", "poll#2", "status")]
    )
    severities = ("valid", "warning", "error", "fatal")
    levels = [(None, status.answer), *status.answer["columns"].items()]
    checks = [
        Check(
            name,
            severities.index(state["current_severity"]),
            1.0,
            column=column,
            category=state["category"],
            dimension=state["quality_dimension"],
        )
        for column, level in levels
        for name, state in level["checks"].items()
    ]
    server = Dqops(DAY, {"silver.flights": checks})
    result = server.run("silver.flights")
    recorded_result = poll.answer["parameters"]["runChecksParameters"]["run_checks_result"]
    assert {key: recorded_result[key] for key in result} == result
    code, answer = server.answer("GET", status.path, None)
    assert code == status.status
    for column, level in levels:
        mine = answer if column is None else answer["columns"][column]
        for name, state in mine["checks"].items():
            real = level["checks"][name]
            assert {key: real[key] for key in state if key != "last_executed_at"} == {
                key: value for key, value in state.items() if key != "last_executed_at"
            }
    # The second run of the day has no new results, and returns `valid`.
    assert server.run("silver.flights")["highest_severity"] == "valid"


def test_model_server_knows_recorded_jobs_and_incidents() -> None:
    server = Dqops(DAY, {"silver.airlines": [Check(f"daily_{at}") for at in range(9)]})
    for name in (
        "all valid: delete today",
        "all valid: run",
        "all valid: poll#2",
        "unknown job",
        "incidents",
    ):
        (exchange,) = recorded(name)
        code, answer = server.answer(exchange.method, exchange.path, exchange.body)
        assert code == exchange.status, name
        if isinstance(answer, dict):
            assert answer.keys() <= exchange.answer.keys(), name
            assert answer["status"] == exchange.answer["status"], name
    server.tables["silver.flights"] = [Check("a", 2, category="schema", dimension="Consistency")]
    server.run("silver.flights")
    (mine,) = server.answer("GET", "/api/incidents/lakehouse", None)[1]
    assert mine.keys() <= recorded("incidents")[0].answer[0].keys()
