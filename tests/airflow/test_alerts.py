"""Alerts, as received by the addresses of the connections."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.publish.airflow.alerts import deadline_missed, on_failure
from support.addresses import listening


def connect(monkeypatch: pytest.MonkeyPatch, name: str, port: int, **more: Any) -> None:
    content = {"conn_type": "http", "host": "127.0.0.1", "port": port, **more}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(content))


FAILED = {
    "ti": SimpleNamespace(dag_id="orders", task_id="gold.orders", run_id="r1", log_url="http://airflow/log"),
    "exception": RuntimeError("GS501 a gate"),
}


def test_failed_task_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as alerted:
        connect(monkeypatch, "chat", alerted.chat_port, password="token", extra={"path": "/hook"})
        callback = on_failure(["chat"])
        assert callback is not None
        callback(FAILED)
    [call] = alerted.calls
    assert (call.path, call.authorization) == ("/hook", "Bearer token")
    assert call.content == {
        "text": "orders: gold.orders failed: GS501 a gate", "dag": "orders", "run": "r1",
        "task": "gold.orders", "why": "GS501 a gate", "link": "http://airflow/log",
    }  # fmt: skip


def test_failing_address_does_not_affect_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(500) as broken, listening() as alerted:
        connect(monkeypatch, "broken", broken.chat_port)
        connect(monkeypatch, "chat", alerted.chat_port)
        with caplog.at_level(logging.ERROR):
            deadline_missed({"dag_run": {"run_id": "r2"}}, "orders", "2:00:00", ["broken", "chat"])
    assert [call.content["text"] for call in alerted.calls] == ["orders: not finished within 2:00:00"]
    assert "`broken`" in caplog.text


def test_no_recipients_means_no_callback() -> None:
    assert on_failure([]) is None
