"""Lineage events, and their errors, which never fail a run."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from goldsmith.engine.delta.metadata import CommitMetadata, LoadedFile, RowCounts
from goldsmith.errors import GateStopped, NotReady
from goldsmith.project.loading import load_project
from goldsmith.publish import openlineage
from goldsmith.run.context import DataInterval, Run
from goldsmith.run.outcome import RunResult, TableOutcome

pytest.importorskip("openlineage.client", reason="the extra `lineage` is not installed")

FILES = {
    "goldsmith.yaml": "name: shop\nprofiles: {local: {warehouse: s3a://lake/shop, landing: landing}}",
    "pipelines/p/pipeline.yaml": "owner: sales",
    "pipelines/p/bronze/orders.yaml": (
        "description: Orders as delivered.\n"
        "source: {files: orders/*.csv, format: csv}\n"
        "columns: {id: {type: int, description: The order.}, cents: bigint}"
    ),
    "pipelines/p/silver/orders.yaml": "load: {merge: {key: [order_id]}}",
    "pipelines/p/silver/orders.sql": "SELECT id AS order_id, cents / 100 AS amount FROM bronze.orders",
}


@pytest.fixture(autouse=True)
def _no_transport(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE_DISABLED", "OPENLINEAGE__TRANSPORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    begun = Run.begin(load_project(tmp_path), interval=DataInterval(date(2013, 1, 1), date(2013, 1, 2)))
    return replace(begun, run_id="r1", started=datetime(2013, 1, 2, 6, tzinfo=UTC))


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of the file transport, with one event per line."""
    file = tmp_path / "events.json"
    transport = {"type": "file", "log_file_path": str(file), "append": True}
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", json.dumps(transport))
    return file


def _done(table: str, written: int, *files: LoadedFile) -> TableOutcome:
    counts = RowCounts(rows_in=written, written=written)
    commit = CommitMetadata(table, "r1", 1, "incremental", "d", files=files, counts=counts)
    return TableOutcome(table, "done", commits=(commit,), began=2.0, seconds=1.5)


def _result(*outcomes: TableOutcome) -> RunResult:
    return RunResult("r1", outcomes, 4.0)


def _ends(file: Path) -> dict[str, Any]:
    """The events other than START, by job."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return {line["job"]["name"]: line for line in lines if line["eventType"] != "START"}


def test_loaded_table_has_an_event_with_datasets_columns_and_rows(run: Run, events: Path) -> None:
    assert openlineage.emit(run, _result(_done("silver.orders", 7))) == []
    event = _ends(events)["silver.orders"]
    assert event["eventType"] == "COMPLETE"
    assert event["eventTime"] == "2013-01-02T06:00:03.500000+00:00"
    assert event["job"]["namespace"] == "shop"
    assert event["job"]["facets"]["sql"]["query"] == FILES["pipelines/p/silver/orders.sql"]
    nominal = event["run"]["facets"]["nominalTime"]
    assert (nominal["nominalStartTime"], nominal["nominalEndTime"]) == (
        "2013-01-01T00:00:00+00:00",
        "2013-01-02T00:00:00+00:00",
    )
    [source], [target] = event["inputs"], event["outputs"]
    assert (source["namespace"], source["name"]) == ("s3://lake", "shop/bronze/orders")
    assert (target["namespace"], target["name"]) == ("s3://lake", "shop/silver/orders")
    assert target["facets"]["symlinks"]["identifiers"][0]["name"] == "silver.orders"
    assert [field["name"] for field in target["facets"]["schema"]["fields"]] == ["order_id", "amount"]
    amount = target["facets"]["columnLineage"]["fields"]["amount"]["inputFields"]
    assert [(one["name"], one["field"]) for one in amount] == [("shop/bronze/orders", "cents")]
    assert target["outputFacets"]["outputStatistics"]["rowCount"] == 7


def test_each_event_of_a_table_follows_a_start_of_its_run(run: Run, events: Path) -> None:
    openlineage.emit(run, _result(_done("bronze.orders", 1), _done("silver.orders", 1)))
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    assert [line["eventType"] for line in lines] == ["START", "COMPLETE", "START", "COMPLETE"]
    ids = [line["run"]["runId"] for line in lines]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_input_of_bronze_is_its_landing_folder(run: Run, events: Path, tmp_path: Path) -> None:
    file = LoadedFile("orders/a.csv", 120, 0)
    openlineage.emit(run, _result(_done("bronze.orders", 3, file)))
    [source] = _ends(events)["bronze.orders"]["inputs"]
    assert (source["namespace"], source["name"]) == ("file", str(tmp_path / "landing/orders"))
    statistics = source["inputFacets"]["inputStatistics"]
    assert (statistics["fileCount"], statistics["size"]) == (1, 120)


def test_stopped_table_is_a_failure_with_its_message_and_no_rows(run: Run, events: Path) -> None:
    stopped = GateStopped("GS501", "`silver.orders` was not loaded.")
    openlineage.emit(run, _result(TableOutcome("silver.orders", "gate", error=stopped)))
    event = _ends(events)["silver.orders"]
    assert event["eventType"] == "FAIL"
    assert "was not loaded" in event["run"]["facets"]["errorMessage"]["message"]
    assert not event["outputs"][0].get("outputFacets")


def test_unchanged_table_has_no_event(run: Run, events: Path) -> None:
    quiet = (TableOutcome("bronze.orders", "nothing_new"), TableOutcome("silver.orders", "skipped"))
    assert openlineage.emit(run, _result(*quiet)) == []
    assert not events.exists()


def test_without_a_transport_nothing_is_sent_or_printed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert openlineage.emit(run, _result(_done("silver.orders", 7))) == []
    assert capsys.readouterr().out == ""


def test_failing_transport_is_a_warning(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    transport = {
        "type": "file",
        "log_file_path": str(tmp_path / "no/such/folder/events.json"),
        "append": True,
    }
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", json.dumps(transport))
    [warning] = openlineage.emit(run, _result(_done("bronze.orders", 1), _done("silver.orders", 7)))
    assert warning.startswith("OpenLineage accepted the events of 0 of 2 tables")


def test_missing_configuration_file_is_a_warning_and_prints_no_events(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENLINEAGE_CONFIG", "/no/such/file.yml")
    [warning] = openlineage.emit(run, _result(_done("silver.orders", 7)))
    assert "without a transport" in warning
    assert capsys.readouterr().out == ""


def test_missing_package_is_a_warning_and_can_be_checked_in_advance(
    run: Run, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openlineage.client", None)
    with pytest.raises(NotReady) as raised:
        openlineage.check_ready()
    assert raised.value.code == "GS903"
    [warning] = openlineage.emit(run, _result(_done("silver.orders", 7)))
    assert "extra `lineage`" in warning


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OPENLINEAGE_URL": "http://localhost:5000"}, True),
        ({"OPENLINEAGE_CONFIG": "/etc/openlineage.yml"}, True),
        ({"OPENLINEAGE__TRANSPORT__TYPE": "console"}, True),
        ({"OPENLINEAGE_URL": "http://localhost:5000", "OPENLINEAGE_DISABLED": "True"}, False),
    ],
)
def test_transport_is_configured_by_the_clients_variables(
    environment: dict[str, str], expected: bool
) -> None:
    assert openlineage.is_configured(environment) is expected


def test_configuration_file_in_the_working_directory_is_read(tmp_path: Path) -> None:
    (tmp_path / "openlineage.yml").write_text("transport: {type: console}")
    assert openlineage.is_configured({})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/lake/silver/orders", ("file", "/data/lake/silver/orders")),
        ("file:///data/lake", ("file", "/data/lake")),
        ("s3a://lake/gold/daily/", ("s3://lake", "gold/daily")),
        ("hdfs://node:8020/lake", ("hdfs://node:8020", "lake")),
    ],
)
def test_datasets_are_named_by_location(path: str, expected: tuple[str, str]) -> None:
    assert openlineage.dataset(path) == expected
