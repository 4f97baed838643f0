"""The gate with recorded responses of a DQOps server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.errors import DeclarationError, Exit, GateStopped, NotReady, RunError
from goldsmith.publish.dqops import running as runs
from goldsmith.publish.dqops.client import ApiRequest, DqopsClient
from goldsmith.publish.dqops.declared import declared_checks
from goldsmith.publish.dqops.gate import decide, import_verdicts, run_gate
from goldsmith.publish.dqops.running import JobWatch, start_run, wait_async
from goldsmith.publish.dqops.verdict import GateVerdict, Progress, Started
from support.command import Command, command
from support.dqops_server import DAY, Exchange, cancelled, imports, incidents, recorded, served

VALID = recorded(*[f"all valid: {step}" for step in ("delete today", "run", "poll", "poll#2")])
ERRORS = recorded(*[f"errors found: {step}" for step in ("delete today", "run", "poll", "poll#2", "status")])
NOTHING = recorded(*[f"unknown table, nothing ran: {step}" for step in ("delete today", "run", "poll")])
VALID_END = [*recorded("table overview"), incidents("silver.airlines")]
RESULTS_PATH = (
    "/api/connections/lakehouse/schemas/silver/tables/flights/monitoring/daily/results"
    "?monthStart=2026-11-01&monthEnd=2026-11-01&loadMode=most_recent_per_group"
)


def results(status: int = 200, answer: Any = None) -> Exchange:
    return Exchange("GET", RESULTS_PATH, None, status, answer)


@pytest.fixture(autouse=True)
def on_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "today", lambda: date.fromisoformat(DAY))


def run(url: str, table: str, declared: int, **options: Any) -> GateVerdict:
    client = DqopsClient(url, "https://quality.example", timeout=5)
    settings: dict[str, Any] = {"limit": "error", "timeout": 30, "pause": 0.01, "grace": 0.2, **options}
    return run_gate(client, table, declared=declared, **settings)


def test_table_with_valid_checks_passes() -> None:
    with served(*VALID, *VALID_END) as server:
        verdict = run(server.url, "silver.airlines", 9)
    assert (verdict.passed, verdict.severity, verdict.executed, verdict.failures) == (True, "valid", 9, ())
    verdict.require()


def test_stopping_gate_lists_failed_checks_and_a_link() -> None:
    with served(*ERRORS, results(404)) as server:
        verdict = run(server.url, "silver.flights", 15)
    assert (verdict.passed, verdict.severity) == (False, "error")
    with pytest.raises(GateStopped) as raised:
        verdict.require()
    assert raised.value.exit_code == Exit.GATE
    assert "error   daily_number_in_range_percent on distance" in raised.value.message
    assert "error   daily_duplicate_count on flight_id" in raised.value.message
    assert "daily_column_list_changed" not in raised.value.message
    assert "warning daily_column_list_changed" in "\n".join(verdict.lines)
    link = "https://quality.example/monitoring/connection/lakehouse/schema/silver/table/flights/table-quality-status"
    assert verdict.lines[-1] == link


def test_unreadable_values_do_not_change_the_verdict() -> None:
    with served(*ERRORS, results(500)) as server:
        verdict = run(server.url, "silver.flights", 15)
    assert not verdict.passed
    assert len(verdict.failures) == 8
    assert "could not be read" in verdict.notes[0]


@pytest.mark.parametrize("limit", ["warning", "error"])
def test_limit_is_the_severity_that_stops(limit: str) -> None:
    with served(*ERRORS, results(404)) as server:
        assert not run(server.url, "silver.flights", 15, limit=limit).passed


def test_passing_gate_resolves_only_recovered_incidents() -> None:
    """The recording has six incidents of the table. The checks of one of them pass."""
    listed = incidents("silver.flights")
    (recovered,) = [
        i for i in listed.answer if (i["table"], i["checkCategory"]) == ("flights", "accepted_values")
    ]
    whole = replace(ERRORS[-1], path=ERRORS[-1].path.partition("?")[0])
    path = f"/api/incidents/lakehouse/2026/11/{recovered['incidentId']}"
    resolved = Exchange("POST", f"{path}/status?status=resolved", None, 204, None)
    with served(*ERRORS, results(404), listed, whole, resolved) as server:
        verdict = run(server.url, "silver.flights", 15, limit="fatal")
    assert verdict.passed
    assert verdict.resolved == ("accepted_values, Validity",)
    assert "Resolved the incident of accepted_values, Validity." in verdict.lines


def test_verdict_counts_all_results_of_the_day() -> None:
    """The run's summary excludes earlier results of the day, unlike the latest result of each check."""
    (second,) = recorded("second run the same day (reports valid)")
    summary = second.answer["result"]
    assert summary["errors"] == 0
    started = Started("silver.flights", "second-1", date.fromisoformat(DAY), 15, "error")
    with served(ERRORS[-1], results(404)) as server:
        verdict = decide(DqopsClient(server.url, server.url), started, Progress("ended", "finished", summary))
    assert not verdict.passed


def test_retry_deletes_the_first_results() -> None:
    with served(*ERRORS, results(404), *ERRORS, results(404)) as server:
        tries = [run(server.url, "silver.flights", 15) for _ in range(2)]
        keys = {path.split("=")[-1] for path in server.seen if "runchecks" in path}
    assert [verdict.passed for verdict in tries] == [False, False]
    assert len(keys) == 2


def test_gate_without_executed_checks_fails() -> None:
    with served(*NOTHING) as server, pytest.raises(RunError) as raised:
        run(server.url, "silver.nowhere", 9)
    assert (raised.value.code, raised.value.retryable) == ("GS704", True)
    assert "0 of 9 declared checks ran" in raised.value.message


def test_more_checks_than_declared_are_reported() -> None:
    with served(*VALID, *VALID_END) as server:
        verdict = run(server.url, "silver.airlines", 7)
    assert verdict.passed
    assert verdict.notes == ("2 more checks ran than the local user home declares.",)


def ended(exchange: Exchange, status: str = "finished", **counts: int) -> Exchange:
    """A recorded end of a job with other counts, for unrecorded cases."""
    answer = json.loads(json.dumps(exchange.answer))
    answer["status"] = status
    answer["parameters"]["runChecksParameters"]["run_checks_result"] |= counts
    return replace(exchange, answer=answer)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (ended(VALID[-1], execution_errors=3), "3 of 9 checks could not be executed"),
        (ended(VALID[-1], executed_checks=0), "0 of 9 declared checks ran"),
        (ended(VALID[-1], "failed"), "the job ended as `failed`"),
        (ended(VALID[-1], "cancelled"), "the job ended as `cancelled`"),
    ],
)
def test_incomplete_run_fails(last: Exchange, message: str) -> None:
    # The recorded status has no errors, so that their reasons are not requested.
    status = VALID_END[:1] if "executed" in message else []
    with served(*VALID[:-1], last, *status) as server, pytest.raises(RunError, match=message) as raised:
        run(server.url, "silver.airlines", 9)
    assert (raised.value.code, raised.value.retryable) == ("GS704", True)


(FAULT,) = recorded("wait endpoint")
(UNKNOWN,) = recorded("unknown job")


def fault(exchange: Exchange) -> Exchange:
    """The request of an exchange with the recorded error response of another."""
    return replace(exchange, status=FAULT.status, answer=FAULT.answer)


def dropped(exchange: Exchange) -> Exchange:
    return replace(exchange, swallowed=True)


@pytest.mark.parametrize("at", [0, 1])
def test_server_error_before_the_run_is_retryable(at: int) -> None:
    script = [*VALID[:at], fault(VALID[at]), cancelled(VALID[at])]
    with served(*script) as server, pytest.raises(RunError) as raised:
        run(server.url, "silver.airlines", 9)
    assert (raised.value.code, raised.value.retryable) == ("GS702", True)
    assert "500" in raised.value.message
    assert "ClassCastException" not in raised.value.message.split(":")[0]


@pytest.mark.parametrize("trouble", [fault, dropped])
def test_temporary_errors_during_a_job_are_retried(trouble: Callable[[Exchange], Exchange]) -> None:
    with served(*VALID[:3], trouble(VALID[2]), VALID[3], *VALID_END) as server:
        assert run(server.url, "silver.airlines", 9, grace=60).passed


def test_permanent_server_error_ends_the_wait() -> None:
    script = [*VALID[:2], fault(VALID[2]), cancelled(VALID[2])]
    with served(*script) as server, pytest.raises(RunError) as raised:
        run(server.url, "silver.airlines", 9, grace=0)
    assert raised.value.code == "GS702"


def test_connection_lost_at_the_start_starts_one_job() -> None:
    with served(VALID[0], dropped(VALID[1]), VALID[2], VALID[3], *VALID_END) as server:
        assert run(server.url, "silver.airlines", 9).passed


def test_connection_lost_before_the_start_is_retryable() -> None:
    unknown = replace(UNKNOWN, path=VALID[2].path)
    script = [VALID[0], dropped(VALID[1]), unknown, cancelled(VALID[1])]
    with served(*script) as server, pytest.raises(NotReady) as raised:
        run(server.url, "silver.airlines", 9)
    assert (raised.value.code, raised.value.retryable) == ("GS701", True)


def test_request_is_repeated_after_a_restart_of_the_server() -> None:
    lost = replace(UNKNOWN, path=VALID[2].path)
    with served(*VALID[:3], lost, *VALID, *VALID_END) as server:
        assert run(server.url, "silver.airlines", 9).passed


def test_repeatedly_lost_job_is_reported() -> None:
    lost = replace(UNKNOWN, path=VALID[2].path)
    with (
        served(*VALID[:2], lost, *VALID[:2], lost) as server,
        pytest.raises(RunError, match="the server has lost the job"),
    ):
        run(server.url, "silver.airlines", 9)


def test_job_beyond_the_time_limit_is_cancelled() -> None:
    with served(*VALID[:3], cancelled(VALID[2])) as server, pytest.raises(RunError) as raised:
        run(server.url, "silver.airlines", 9, timeout=0)
    assert (raised.value.code, raised.value.retryable) == ("GS703", True)


def test_slow_deletion_starts_no_job() -> None:
    """The server returns 201 with an empty body when it stops waiting."""
    with (
        served(replace(VALID[0], answer=None), cancelled(VALID[0])) as server,
        pytest.raises(RunError) as raised,
    ):
        run(server.url, "silver.airlines", 9)
    assert (raised.value.code, raised.value.retryable) == ("GS702", True)


def test_unreachable_server_is_not_ready() -> None:
    with pytest.raises(NotReady) as raised:
        run("http://127.0.0.1:1", "silver.airlines", 9)
    assert (raised.value.code, raised.value.exit_code) == ("GS701", Exit.NOT_READY)


def test_one_process_starts_and_another_decides() -> None:
    """As in Airflow, where a task and its trigger exchange JSON."""
    with served(*VALID, *VALID_END) as server:
        client = DqopsClient(server.url, server.url)
        text = json.dumps(start_run(client, "silver.airlines", declared=9, limit="error").as_dict())
        started = Started.from_dict(json.loads(text))
        event = json.dumps(
            asyncio.run(wait_async(client, JobWatch(started, timeout=30), pause=0.01)).as_dict()
        )
        assert decide(client, started, Progress.from_dict(json.loads(event))).passed


def test_import_deletes_and_runs_only_its_own_check() -> None:
    with served(*imports("silver.flights", "warning")) as server:
        client = DqopsClient(server.url, server.url)
        assert import_verdicts(client, "silver.flights", timeout=30, pause=0.01) == "warning"


def test_import_without_executed_checks_is_reported() -> None:
    with (
        served(*imports("silver.flights", executed_checks=0)) as server,
        pytest.raises(RunError, match="0 of 1 declared") as raised,
    ):
        import_verdicts(DqopsClient(server.url, server.url), "silver.flights", timeout=30, pause=0.01)
    assert raised.value.retryable


def test_filters_of_an_import_are_known_to_the_server() -> None:
    """The server ignores unknown keys silently, and would delete or run everything."""
    check_search_filters = pytest.importorskip("dqops.client.models.check_search_filters").CheckSearchFilters
    stored = pytest.importorskip("dqops.client.models.delete_stored_data_queue_job_parameters")
    forgetting, starting, _ = imports("silver.flights")
    for model, body in (
        (stored.DeleteStoredDataQueueJobParameters, forgetting.body),
        (check_search_filters, starting.body["check_search_filters"]),
    ):
        assert model.from_dict(dict(body)).additional_properties == {}


def test_number_of_declared_checks_comes_from_the_home() -> None:
    root = Path(__file__).resolve().parents[2]
    assert declared_checks(root, "gold.daily_punctuality") > 10
    with pytest.raises(DeclarationError, match=r"gold\.nowhere"):
        declared_checks(root, "gold.nowhere")


def test_disabled_check_is_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "dqops_userhome/sources/lakehouse/gold.a.dqotable.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "spec:\n  monitoring_checks: {daily: {volume: {daily_row_count: {disabled: true}}, custom: {mine: {}}}}\n"
        "  columns: {a: {monitoring_checks: {daily: {nulls: {daily_nulls_count: {}}}}}, b: {}}\n"
    )
    assert declared_checks(tmp_path, "gold.a") == 2


def test_address_of_the_server_comes_from_the_environment() -> None:
    client = DqopsClient.from_environment(
        {"DQOPS_URL": "http://dqops:8888/", "DQOPS_CONSOLE_URL": "https://q.example/"}
    )
    assert (client.url, client.console) == ("http://dqops:8888", "https://q.example")
    with pytest.raises(DeclarationError):
        DqopsClient.from_environment({"DQOPS_URL": "file:///etc/passwd"})


def test_test_server_refuses_unexpected_requests() -> None:
    with pytest.raises(AssertionError, match="nowhere"), served() as server:
        DqopsClient(server.url, server.url).call(ApiRequest("GET", "/nowhere"))


@pytest.fixture
def goldsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, which asks the test server for the job's state without a pause."""
    monkeypatch.setattr(runs, "time", SimpleNamespace(sleep=lambda _pause: None, monotonic=time.monotonic))
    return command(monkeypatch, capsys)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A project with the recorded tables, whose home declares as many checks as ran in the recording."""
    for name, count in (("flights", 15), ("airlines", 9)):
        base = tmp_path / "pipelines/p/silver"
        base.mkdir(parents=True, exist_ok=True)
        (base / f"{name}.yaml").write_text("gate: error\n" if name == "flights" else "{}\n")
        (base / f"{name}.sql").write_text("SELECT 1 AS one")
        file = tmp_path / f"dqops_userhome/sources/lakehouse/silver.{name}.dqotable.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        checks = {f"check_{at}": {} for at in range(count)}
        file.write_text(json.dumps({"spec": {"monitoring_checks": {"daily": {"volume": checks}}}}))
    (tmp_path / "pipelines/p/pipeline.yaml").write_text("{}")
    (tmp_path / "goldsmith.yaml").write_text("{}")
    return tmp_path


def test_command_returns_3_and_prints_failed_checks(
    lake: Path, goldsmith: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(*ERRORS, results(404)) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        ended_ = goldsmith("dqops", "gate", "silver", folder=lake)
    assert ended_.code == Exit.GATE
    assert "silver.flights: stopped. 15 checks ran; highest severity: error" in ended_.out
    assert "GS705 DQOps' checks of `silver.flights` reached the severity error" in ended_.err
    assert "daily_duplicate_count on flight_id" in ended_.err


def test_undecided_table_does_not_affect_the_verdict_of_others(
    lake: Path, goldsmith: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(fault(VALID[0]), cancelled(VALID[0]), *ERRORS, results(404)) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        ended_ = goldsmith("dqops", "gate", "silver.airlines", "silver.flights", folder=lake)
    assert ended_.code == Exit.FAILED
    assert "GS702" in ended_.err
    assert "GS705" in ended_.err


def test_command_imports_declared_verdicts(
    lake: Path, goldsmith: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lake / "dqops_userhome/sources/lakehouse/silver.flights.dqotable.yaml"
    checks = {"custom_sql": {"daily_import_custom_result_on_table": {}}}
    file.write_text(json.dumps({"spec": {"monitoring_checks": {"daily": checks}}}))
    with served(*imports("silver.flights", "warning")) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        ended_ = goldsmith("dqops", "push", "silver", folder=lake)
    assert ended_.code == Exit.DONE, ended_.err
    assert ended_.out.strip() == "silver.flights: the highest severity among its loads' verdicts is warning."
    forgetting = imports("silver.flights")[0]
    with served(fault(forgetting), cancelled(forgetting)) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        ended_ = goldsmith("dqops", "push", "silver", folder=lake)
    assert ended_.code == Exit.FAILED
    assert "GS702" in ended_.err


def test_gate_module_does_not_import_spark() -> None:
    code = "import sys, goldsmith.publish.dqops.gate as _; print({'pyspark', 'delta', 'sqlglot'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_passing_command_prints_json(lake: Path, goldsmith: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(*VALID, *VALID_END) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        ended_ = goldsmith("dqops", "gate", "airlines", "--at", "warning", "--json", folder=lake)
    assert ended_.code == Exit.DONE
    (result,) = json.loads(ended_.out)
    assert (result["table"], result["passed"], result["limit"], result["executed"]) == (
        "silver.airlines",
        True,
        "warning",
        9,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("silver.flights",), 4, "GS701 DQOps at http://127.0.0.1:1 does not respond"),
        (("silver.flights", "--at", "eror"), 2, "Did you mean `error`?"),
        (("silver.nowhere",), 2, "GS108"),
    ],
)
def test_invalid_arguments_are_reported(
    lake: Path,
    goldsmith: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("DQOPS_URL", "http://127.0.0.1:1")
    ended_ = goldsmith("dqops", "gate", *arguments, folder=lake)
    assert ended_.code == code
    assert message in ended_.err


def test_table_missing_in_the_home_is_reported_before_the_run(lake: Path, goldsmith: Command) -> None:
    for file in lake.glob("dqops_userhome/sources/lakehouse/*flights*"):
        file.unlink()
    ended_ = goldsmith("dqops", "gate", "silver.flights", folder=lake)
    assert ended_.code == Exit.WRONG_CALL
    assert "GS712" in ended_.err
