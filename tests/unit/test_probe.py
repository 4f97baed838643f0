"""The health probe of containers, with servers that respond as the services do."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROBE = ROOT / "spark" / "probe.sh"
WORKER = "worker-20260105-10.0.0.2-7078"


@contextmanager
def answering(content: Any, *, indent: int | None = 2) -> Iterator[int]:
    """Runs a server that responds to every GET with JSON, and yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(content, indent=indent).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def probe(*words: str, **variables: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PROBE_HOST": "127.0.0.1", **{k: str(v) for k, v in variables.items()}}
    return subprocess.run(
        ["bash", str(PROBE), *words], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(("state", "message"), [("ALIVE", ""), ("RECOVERING", "the master is RECOVERING")])
def test_master_is_healthy_as_leader(state: str, message: str) -> None:
    with answering({"url": "spark://m:7077", "workers": [], "status": state}) as port:
        ended = probe("master", PROBE_PORT=port)
    assert (ended.returncode == 0) is (not message)
    assert message in ended.stderr


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        ([{"id": "worker-1", "state": "DEAD"}, {"id": WORKER, "host": "h", "state": "ALIVE"}], ""),
        ([{"id": WORKER, "host": "h", "state": "DEAD"}, {"id": "w", "state": "ALIVE"}], "the worker is DEAD"),
        ([{"id": "worker-1", "state": "ALIVE"}], "unknown to the master"),
    ],
)
def test_worker_is_healthy_when_the_master_lists_it(workers: list[dict[str, str]], message: str) -> None:
    with answering({"id": WORKER}) as own, answering({"workers": workers, "status": "ALIVE"}) as master:
        ended = probe(
            "worker", PROBE_PORT=own, PROBE_MASTER_PORT=master, SPARK_MASTER_URL="spark://127.0.0.1:7077"
        )
    assert (ended.returncode == 0) is (not message), ended.stderr
    assert message in ended.stderr


@pytest.mark.parametrize("part", ["metadatabase", "scheduler", "triggerer"])
def test_airflow_component_is_healthy_if_the_api_reports_it(part: str) -> None:
    health = {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": "2026-01-05"},
        "triggerer": {"latest_triggerer_heartbeat": "2026-01-05", "status": "healthy"},
    }
    with answering(health, indent=None) as port:
        url = f"http://127.0.0.1:{port}/execution/"
        ended = probe("airflow", part, AIRFLOW__CORE__EXECUTION_API_SERVER_URL=url)
    assert (ended.returncode == 0) is (health[part]["status"] == "healthy"), ended.stderr


def test_unresponsive_service_is_unhealthy() -> None:
    assert probe("master", PROBE_PORT=1).returncode == 1
    url = "http://127.0.0.1:1/execution/"
    assert probe("airflow", "scheduler", AIRFLOW__CORE__EXECUTION_API_SERVER_URL=url).returncode == 1
