"""The health check that repeats its command in one process."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
WATCH = ROOT / "docker" / "watch.sh"


def watching(tmp_path: Path, *command: str, **settings: str) -> subprocess.Popen[str]:
    """Starts the check with short pauses."""
    variables = {"WATCH_FILE": str(tmp_path / "watch"), "WATCH_PAUSE": "0.05", "WATCH_FOR": "600", **settings}
    return subprocess.Popen(
        ["sh", str(WATCH), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **variables},
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code and the output of a check that ends by itself."""
    output, _ = process.communicate(timeout=20)
    return process.returncode, output


def test_first_success_and_failures_end_at_once(tmp_path: Path) -> None:
    assert ended(watching(tmp_path, "sh", "-c", "echo it is recovering; exit 1")) == (1, "it is recovering\n")
    assert not (tmp_path / "watch").exists()
    assert ended(watching(tmp_path, "true")) == (0, "")


def test_watches_until_the_first_failure_and_reports_it(tmp_path: Path) -> None:
    healthy = tmp_path / "healthy"
    healthy.touch()
    runs = tmp_path / "runs"
    command = ("sh", "-c", f"echo >>{runs}; [ -e {healthy} ] || {{ echo it is gone; exit 1; }}")
    assert ended(watching(tmp_path, *command)) == (0, "")
    process = watching(tmp_path, *command)
    while len(runs.read_text()) < 4:
        assert process.poll() is None
        time.sleep(0.01)
    healthy.unlink()
    assert ended(process) == (1, "it is gone\n")
    # The next check reports the recovery at once, because the engine waits for it.
    healthy.touch()
    assert ended(watching(tmp_path, *command)) == (0, "")


def test_ends_after_its_time(tmp_path: Path) -> None:
    assert ended(watching(tmp_path, "true")) == (0, "")
    assert ended(watching(tmp_path, "true", WATCH_FOR="1")) == (0, "")


def test_success_from_before_a_restart_does_not_count(tmp_path: Path) -> None:
    """The file can be left from before: then a starting container would stay `starting` for a quarter of an hour."""
    (tmp_path / "watch").write_text("12\n")
    assert ended(watching(tmp_path, "true")) == (0, "")


def test_command_that_hangs_is_a_failure(tmp_path: Path) -> None:
    assert ended(watching(tmp_path, "sleep", "60", WATCH_LIMIT="0.1")) == (124, "no response within 0.1 s\n")


def test_services_are_watched_in_one_process_and_mostly_without_python() -> None:
    pythons = set()
    for name in ("docker-compose.yaml", "docker-compose-airflow.yaml"):
        for service, declared in yaml.safe_load((ROOT / name).read_text())["services"].items():
            check = declared.get("healthcheck")
            if check is None or check.get("disable"):
                continue
            before, found, command = " ".join(check["test"]).partition("watch.sh ")
            assert found, service
            assert before in ("CMD ", "CMD sh /init/")
            assert check["timeout"] == "16m", "longer than a quarter of an hour"
            if command.startswith("python3") or command in ("probe metastore", "probe thrift"):
                pythons.add(service)
    assert pythons == {"metastore", "thrift-server", "dqops"}
