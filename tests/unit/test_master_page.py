"""The reason why an application waits for executors."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from goldsmith.engine.launch.master_page import waiting_reason

OWN = "app-20260105060012-0007"
REQUESTED = "2 cores and 1g of memory on one worker"
WORKER = {"host": "10.0.0.2", "state": "ALIVE", "coresfree": 1, "memoryfree": 600}


@contextmanager
def page(content: dict[str, Any]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("apps", "workers", "expected"),
    [
        (
            [{"id": OWN, "name": "flights", "state": "RUNNING", "cores": 2}],
            [WORKER],
            "the master granted 2 cores, and the executor is starting",
        ),
        (
            [{"id": OWN, "state": "WAITING", "cores": 0}, {"id": "app-1", "name": "shop", "cores": 2}],
            [WORKER, {**WORKER, "state": "DEAD"}],
            f"it needs {REQUESTED}; free are 1 cores and 600 MB on 10.0.0.2; shop use the others",
        ),
        ([{"id": OWN, "state": "WAITING"}], [], f"it needs {REQUESTED}, and the master has no worker"),
    ],
)
def test_waiting_job_reports_the_reason(
    apps: list[dict[str, Any]], workers: list[dict[str, Any]], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with page({"status": "ALIVE", "activeapps": apps, "workers": workers}) as port:
        monkeypatch.setenv("SPARK_MASTER_WEBUI_PORT", str(port))
        assert waiting_reason("spark://127.0.0.1:7077", OWN, REQUESTED) == expected


def test_unreachable_master_page_gives_a_general_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_MASTER_WEBUI_PORT", "1")
    reason = waiting_reason("spark://127.0.0.1:7077", OWN, REQUESTED)
    assert reason.startswith("an executor is starting, or 2 cores")
