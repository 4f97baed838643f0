"""A real Airflow: api-server, scheduler, dag-processor and triggerer, without Docker and root."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-airflow"
_UNITS = ("scheduler", "dag-processor", "triggerer")
_PRELOADED = ("scheduler", "dag-processor")
"""The units that start as in the containers (airflow/start.sh)."""
_USER = "admin"


def until(condition: Callable[[], Any], seconds: float, what: str, every: float = 0.5) -> Any:
    """Waits for a condition and returns its value. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise TimeoutError(f"{what}: not within {seconds:.0f} s")


def _not_ours(unit: str) -> None:
    raise AssertionError(f"{unit} was not started by `running`")


@dataclass
class Airflow:
    """A running Airflow. url: of its pages and REST API. restart: kills a unit and starts it again."""

    url: str
    token: str
    restart: Callable[[str], None] = _not_ours

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A REST call below /api/v2. Raises AssertionError with the response if it is refused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = Request(f"{self.url}/api/v2/{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=60) as answer:
                text = answer.read()
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from None
        return json.loads(text) if text else None

    def runs(self, dag: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", f"dags/{dag}/dagRuns?limit=100&order_by=id")[
            "dag_runs"
        ]
        return found

    def run(self, dag: str, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"dags/{dag}/dagRuns/{run}")
        return found

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        found = self.call("GET", f"dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def trigger(self, dag: str, **form: Any) -> str:
        """Triggers a run and returns its id."""
        return str(
            self.call("POST", f"dags/{dag}/dagRuns", {"logical_date": None, "conf": form})["dag_run_id"]
        )

    def ended(self, dag: str, run: str, seconds: float = 600) -> str:
        """Waits for the end of a run and returns its state."""
        until(lambda: self.run(dag, run)["state"] in ("success", "failed"), seconds, f"run {run} of {dag}")
        return str(self.run(dag, run)["state"])


@contextmanager
def running(home: Path, project: Path, **settings: str) -> Iterator[Airflow]:
    """Runs Airflow with the project's DAGs within the context. settings: of its environment."""
    port, password = _free_port(), secrets.token_urlsafe(16)
    users = home / "users.json"
    users.write_text(json.dumps({_USER: password}))
    users.chmod(0o600)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(48),
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{_USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(users),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow" / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW_CONN_SPARK_DEFAULT": '{"conn_type": "spark", "host": "local[2]"}',
        "GOLDSMITH_PROJECT": str(project),
        "PATH": os.pathsep.join(
            (str(ROOT / "airflow" / "bin"), str(ENVIRONMENT / "bin"), os.environ["PATH"])
        ),
        **settings,
    }
    _once(environment, "db", "migrate")
    _once(environment, "pools", "import", str(ROOT / "airflow" / "pools.json"))
    url, started = f"http://127.0.0.1:{port}", dict[str, subprocess.Popen[bytes]]()

    def start(unit: str) -> None:
        started[unit] = _start(home, environment, unit)

    def restart(unit: str) -> None:
        os.killpg(started[unit].pid, signal.SIGKILL)
        started[unit].wait()
        start(unit)

    try:
        # A scheduler started before the API wastes a task's retry.
        start("api-server")
        until(lambda: _health(url), 240, "the API")
        for unit in _UNITS:
            start(unit)
        until(lambda: _healthy(url), 240, "scheduler and dag-processor")
        airflow = Airflow(url, token_of(url, _USER, password), restart)
        until(lambda: airflow.call("GET", "dags")["total_entries"], 120, "the first DAG")
        yield airflow
    finally:
        for process in started.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _once(environment: dict[str, str], *words: str) -> None:
    done = subprocess.run(
        [str(ENVIRONMENT / "bin" / "airflow"), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _start(home: Path, environment: dict[str, str], unit: str) -> subprocess.Popen[bytes]:
    command = [str(ENVIRONMENT / "bin" / "airflow")]
    if unit in _PRELOADED:
        command = [str(ENVIRONMENT / "bin" / "python"), "-m", "goldsmith.publish.airflow.preloaded"]
    with (home / f"{unit}.log").open("ab") as log:
        return subprocess.Popen(
            [*command, unit],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            # In its own process group: the scheduler's workers must end with it.
            start_new_session=True,
        )


def _health(url: str) -> dict[str, Any] | None:
    try:
        with urlopen(f"{url}/api/v2/monitor/health", timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except (URLError, OSError):
        return None


def _healthy(url: str) -> bool:
    found = _health(url) or {}
    return all(found.get(unit, {}).get("status") == "healthy" for unit in ("scheduler", "dag_processor"))


def token_of(url: str, user: str, password: str) -> str:
    """The token for calls of a user. Raises HTTPError for a wrong password."""
    body = json.dumps({"username": user, "password": password}).encode()
    with urlopen(
        Request(f"{url}/auth/token", body, {"Content-Type": "application/json"}), timeout=60
    ) as answer:
        return str(json.loads(answer.read())["access_token"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
