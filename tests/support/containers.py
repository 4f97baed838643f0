"""The compose file's containers for tests: from a clone, with separate secrets, ports and volumes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyhive import hive
from pyspark.sql import SparkSession

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = "goldsmith-e2e"
PORTS = (
    "S3_PORT",
    "S3_CONSOLE_PORT",
    "MASTER_UI_PORT",
    "THRIFT_PORT",
    "SUPERSET_PORT",
    "DQOPS_PORT",
    "REPORT_PORT",
    "AIRFLOW_PORT",
)


def docker_missing() -> str | None:
    """The reason why no container can be started, or None."""
    if not os.environ.get("GOLDSMITH_E2E"):
        return "it is run by `make e2e`"
    if shutil.which("docker") is None:
        return "Docker is not installed"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        return "Docker's engine is not running"
    return None


MISSING = docker_missing()
NEEDS_DOCKER = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


@dataclass(frozen=True)
class Lake:
    """The containers of a clone of this repository, with separate ports and secrets."""

    clone: Path

    @property
    def settings(self) -> dict[str, str]:
        lines = (self.clone / ".env").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    @property
    def secrets(self) -> set[str]:
        return {
            value
            for key, value in self.settings.items()
            if any(word in key for word in ("PASSWORD", "SECRET", "FERNET"))
        }

    def compose(self, *words: str, check: bool = True, seconds: float = 900) -> str:
        """Runs compose and returns its output. Fails the test on an error."""
        ended = subprocess.run(
            [sys.executable, "tools/compose.py", *words],
            cwd=self.clone,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert not check or ended.returncode == 0, f"{words}: {ended.stdout[-3000:]}{ended.stderr[-3000:]}"
        return ended.stdout + ended.stderr

    def make(self, *words: str) -> None:
        subprocess.run(["make", *words], cwd=self.clone, check=True, capture_output=True)

    def job(self, *words: str, check: bool = True, **variables: str) -> str:
        """Runs a command in a container for jobs and returns its output. variables: of its environment."""
        return self.alone("jobs", *words, check=check, **variables)

    def alone(self, service: str, *words: str, check: bool = True, **variables: str) -> str:
        """Runs a command in a temporary container of a service, without dependencies; returns its output."""
        given = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
        run = ("--progress", "quiet", "run", "--rm", "--no-deps", "-T", *given, service)
        return self.compose(*run, *words, check=check)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--quiet", service).split()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self.named(statement)[0]

    def named(self, statement: str) -> tuple[list[tuple[Any, ...]], list[str]]:
        """Rows and the columns' names."""
        with hive.connect(
            "127.0.0.1",
            int(self.settings["THRIFT_PORT"]),
            username="engineer",
            auth="CUSTOM",
            password=self.settings["THRIFT_ENGINEER_PASSWORD"],
        ) as server:
            cursor = server.cursor()
            cursor.execute(statement)
            rows = [tuple(row) for row in cursor.fetchall()]
            return rows, [str(column[0]).split(".")[-1] for column in cursor.description or ()]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    numbers = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return numbers


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until a condition is true. Fails the test after the time limit."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except Exception:  # noqa: BLE001 - a service that is away answers with many errors
            pass
        time.sleep(0.5)
    pytest.fail(f"it did not come true in {seconds} seconds")


def kill(container: str) -> None:
    """Kills a container's first process like a crash. `docker kill` would count as a manual stop."""
    number = subprocess.run(
        ["docker", "inspect", "--format", "{{.State.Pid}}", container],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    try:
        os.kill(int(number), signal.SIGKILL)
    except PermissionError:
        # The process belongs to the engine. A container that sees all processes may kill it.
        words = ["run", "--rm", "--pid", "host", "--user", "0", "--entrypoint", "bash"]
        subprocess.run(["docker", *words, "goldsmith/spark:4.1.4", "-c", f"kill -9 {number}"], check=True)


@contextmanager
def started(
    folder: Path, *, project: str = PROJECT, profiles: str = "store", **more: str
) -> Iterator[tuple[Lake, str]]:
    """Runs all services from empty volumes, and yields them with the output of `make up`.

    folder: for a clone, including uncommitted changes. profiles: COMPOSE_PROFILES of .env. more: settings of .env.
    """
    clone = folder / "goldsmith"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        source = REPOSITORY / name
        if source.is_file() or source.is_symlink():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, clone / name, follow_symlinks=False)
    settings = [f"COMPOSE_PROFILES={profiles}", f"COMPOSE_PROJECT_NAME={project}"]
    settings += [f"{name}={value}" for name, value in more.items()]
    settings += [] if "dqops" in profiles else ["DQOPS_URL="]
    settings += [f"{name}={number}" for name, number in zip(PORTS, free_ports(len(PORTS)), strict=True)]
    (clone / ".env").write_text("\n".join([*settings, ""]), encoding="utf-8")
    subprocess.run([sys.executable, "tools/env.py"], cwd=clone, check=True)
    lake = Lake(clone)
    lake.compose("down", "--volumes")
    try:
        yield lake, lake.compose("up", seconds=3600)
    finally:
        lake.compose("down", "--volumes", check=False)


def assert_gold_equals_a_local_run(lake: Lake, spark: SparkSession, first: str, last: str) -> None:
    """Replays the days from `first` to before `last` in the clone, and compares all rows of gold."""
    goldsmith = str(Path(sys.executable).with_name("goldsmith"))
    subprocess.run(
        [goldsmith, "feed", "replay", "flights", "--from", first, "--to", last],
        cwd=lake.clone,
        env={**os.environ, "GOLDSMITH_PROFILE": "local"},
        check=True,
        capture_output=True,
    )
    local = lake.clone / ".goldsmith" / "warehouse" / "gold"
    tables = sorted(folder.name for folder in local.iterdir() if folder.is_dir())
    assert tables
    for table in tables:
        frame = spark.read.format("delta").load(str(local / table))
        columns = ", ".join(frame.columns)
        expected = frame.selectExpr(f"to_json(struct({columns}))").collect()
        served = lake.query(f"SELECT to_json(struct({columns})) FROM gold.{table}")
        assert sorted(row[0] for row in served) == sorted(row[0] for row in expected), table
