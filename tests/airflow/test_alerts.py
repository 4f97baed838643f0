"""Alerts, as the addresses that connections name receive them."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.publish.airflow.alerts import deadline_missed, on_failure


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[int, list[tuple[str, str | None, dict[str, Any]]]]]:
    """A server on a free port, and what it was sent: path, authorization, content."""
    received: list[tuple[str, str | None, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Authorization"], json.loads(content)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not into the test's output."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def connect(monkeypatch: pytest.MonkeyPatch, name: str, port: int, **more: Any) -> None:
    content = {"conn_type": "http", "host": "127.0.0.1", "port": port, **more}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(content))


FAILED = {
    "ti": SimpleNamespace(dag_id="orders", task_id="gold.orders", run_id="r1", log_url="http://airflow/log"),
    "exception": RuntimeError("GS501 a gate"),
}


def test_a_failed_task_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (port, received):
        connect(monkeypatch, "chat", port, password="token", extra={"path": "/hook"})
        callback = on_failure(["chat"])
        assert callback is not None
        callback(FAILED)
    [(path, authorization, content)] = received
    assert (path, authorization) == ("/hook", "Bearer token")
    assert content == {
        "text": "orders: gold.orders failed: GS501 a gate", "dag": "orders", "run": "r1",
        "task": "gold.orders", "why": "GS501 a gate", "link": "http://airflow/log",
    }  # fmt: skip


def test_one_address_that_fails_keeps_no_other_from_hearing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(500) as (broken, _), listening() as (port, received):
        connect(monkeypatch, "broken", broken)
        connect(monkeypatch, "chat", port)
        with caplog.at_level(logging.ERROR):
            deadline_missed({"dag_run": {"run_id": "r2"}}, "orders", "2:00:00", ["broken", "chat"])
    assert [content["text"] for _, _, content in received] == ["orders: not done within 2:00:00"]
    assert "`broken`" in caplog.text


def test_nobody_to_tell_is_no_callback() -> None:
    assert on_failure([]) is None
