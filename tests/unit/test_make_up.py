"""`make up` and the other tools, with a script as `docker`: output and refusals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
sys.path.insert(0, str(TOOLS))

import compose  # noqa: E402 - tools/ is no package
import images  # noqa: E402
import waiting  # noqa: E402

SERVICES: dict[str, Any] = {
    "minio": {"image": "store:1"},
    "store-init": {"image": "store:1"},
    "postgres": {"image": "postgres:15"},
    "dqops": {"image": "dqops:1"},
    "airflow-api": {
        "image": "own/airflow:3",
        "build": {"target": "airflow", "args": {"BASE_IMAGE": "base:12"}},
    },
    "superset": {"image": "own/superset:6", "build": {"args": {"BASE_IMAGE": "base:12"}}},
    "spark-master": {"image": "own/spark:4", "build": {"target": "spark", "args": {"BASE_IMAGE": "base:12"}}},
    "metastore": {"image": "own/spark:4", "build": {"target": "spark", "args": {"BASE_IMAGE": "base:12"}}},
}

DOCKER = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
    info*) echo 27.0 ;;
    "compose version"*) echo 2.40.0 ;;
    *"config --format json") cat "$CONFIG" ;;
    "image inspect"*base:12) ;;
    "image inspect"*) exit 1 ;;
    pull*"$REFUSED") echo "Error response from daemon: pull access denied for $REFUSED" >&2; exit 1 ;;
    pull*) ;;
    *"--progress plain build"*)
        echo '#7 [spark build 2/9] RUN apt-get install'
        if [ "${BUILD_FAILS:-}" = 1 ]; then echo "#7 ERROR: no space left"; exit 17; fi ;;
    *" up --detach"*) sleep 0.3; exit "${UP:-0}" ;;
    *"ps --all"*) printf 'metastore\\tUp 3 seconds (health: starting)\\npostgres\\tUp 9 seconds (healthy)\\n' ;;
    *" logs "*|*" run "*) cat >/dev/null ;;
esac
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A copy of the tools, a .env, and a `docker` that records its calls."""
    shutil.copytree(TOOLS, tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".env").write_text("COMPOSE_PROFILES=\n", encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(DOCKER, encoding="utf-8")
    (tmp_path / "bin" / "docker").chmod(0o755)
    (tmp_path / "config.json").write_text(json.dumps({"services": SERVICES}), encoding="utf-8")
    return tmp_path


def run(workspace: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{workspace / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(workspace / "calls"),
        "CONFIG": str(workspace / "config.json"),
        "REFUSED": "nothing",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHON": sys.executable,
        **{port.variable: "0" for port in compose.PORTS},
        **more,
    }
    return subprocess.run(
        words, cwd=workspace, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def calls(workspace: Path) -> list[str]:
    return (workspace / "calls").read_text(encoding="utf-8").splitlines()


def up(workspace: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return run(workspace, sys.executable, "tools/compose.py", "up", **more)


def test_up_pulls_each_missing_image_once_before_it_builds(workspace: Path) -> None:
    ended = up(workspace)
    assert ended.returncode == 0, ended.stderr
    commands = [call for call in calls(workspace) if call.startswith("pull") or " build " in f"{call} "]
    assert [call.split()[-1] for call in commands] == [
        *("store:1", "postgres:15", "dqops:1"),
        *("spark-master", "airflow-api", "superset"),
    ]
    assert "Pulling postgres:15." in ended.stdout
    assert "Building own/spark:4" in ended.stdout
    assert "base:12" not in ended.stdout, "it is there already"


def test_up_names_an_image_that_cannot_be_pulled_and_its_alternative(workspace: Path) -> None:
    ended = up(workspace, REFUSED="store:1")
    assert ended.returncode == 4
    assert "The image store:1 cannot be pulled: pull access denied" in ended.stderr
    assert "S3_IMAGE in .env" in ended.stderr
    assert "docs/compose.md#another-s3-store" in ended.stderr
    assert not any("build" in call for call in calls(workspace)), (
        "no image is built if a required one is missing"
    )


def test_every_pulled_image_of_the_compose_files_has_an_alternative() -> None:
    import yaml

    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))["services"]
    pulled = {name: service for name, service in services.items() if "build" not in service}
    for image in images.public(pulled):
        assert image.variable, f"{image.name} has no way round"
        assert f"${{{image.variable}:-" in image.name
        for name, service in pulled.items():
            if service["image"] == image.name and "dqops" not in service.get("profiles", []):
                assert "without DQOps" not in image.otherwise, f"{name} needs {image.name} without DQOps too"


def test_up_shows_the_last_lines_of_a_build_that_fails(workspace: Path) -> None:
    ended = up(workspace, BUILD_FAILS="1")
    assert ended.returncode == 17
    assert "ERROR: no space left" in ended.stderr
    assert "own/spark:4 was not built" in ended.stderr


def test_up_names_services_that_did_not_start(workspace: Path) -> None:
    ended = up(workspace, UP="1")
    assert ended.returncode == 1
    assert "metastore: Up 3 seconds (health: starting) - `make logs S=metastore`" in ended.stderr
    assert "postgres" not in ended.stderr


UNTIL = "while [ ! -e {} ]; do sleep 0.05; done"
"""A command that waits for a file."""


def test_slow_command_prints_what_it_waits_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    looks = []

    def waiting_for() -> str:
        looks.append(1)
        if len(looks) == 3:
            (tmp_path / "go").touch()
        return "waiting for metastore"

    ended = waiting.watched(["sh", "-c", UNTIL.format(tmp_path / "go")], waiting_for, pause=0.1)
    assert ended.code == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.partition(": ")[2] for line in lines] == ["waiting for metastore"], (
        "an unchanged line is printed once"
    )


def test_build_prints_its_current_step(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(line: str) -> str:
        (tmp_path / "go").touch()
        return line

    monkeypatch.setattr(waiting, "_cut", cut)
    script = f"echo '#7 [spark build 2/9] RUN apt-get install'; {UNTIL.format(tmp_path / 'go')}; exit 3"
    ended = waiting.built(["sh", "-c", script], pause=0.1)
    assert ended.code == 3
    assert "step 2/9: RUN apt-get install" in capfd.readouterr().out
    assert waiting.step_of("#7 CACHED") is None


def test_make_lists_every_task(workspace: Path) -> None:
    output = run(workspace, "make").stdout
    for name in ("e2e", "put", "up", "airflow-test"):
        assert f"make {name} " in output


@pytest.mark.parametrize(("variables", "follows"), [((), False), (("FOLLOW=1",), True)])
def test_make_logs_follows_on_demand(workspace: Path, variables: tuple[str, ...], follows: bool) -> None:
    ended = run(workspace, "make", "logs", "S=metastore", *variables)
    assert ended.returncode == 0, ended.stderr
    assert (" --follow metastore" in calls(workspace)[-1]) is follows


def test_make_put_delivers_the_file_with_its_size(workspace: Path) -> None:
    (workspace / "new days.csv").write_text("day\n1\n", encoding="utf-8")
    ended = run(workspace, "make", "put", "FILE=new days.csv", "TO=landing/departures/")
    assert ended.returncode == 0, ended.stderr
    assert calls(workspace)[-1].endswith("goldsmith landing put - departures/new days.csv --size 6")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (("FILE=none.csv", "TO=landing/a/"), "Name a readable file"),
        (("FILE=Makefile", "TO=warehouse/silver/"), "below landing/"),
        (("FILE=Makefile",), "below landing/"),
    ],
)
def test_make_put_refuses_undeliverable_files(
    workspace: Path, variables: tuple[str, ...], message: str
) -> None:
    ended = run(workspace, "make", "put", *variables)
    assert ended.returncode != 0
    assert message in ended.stderr
    assert not (workspace / "calls").exists()


def test_submitted_job_prints_no_harmless_warnings(tmp_path: Path) -> None:
    text = (ROOT / "spark/entrypoint.sh").read_text(encoding="utf-8").replace("cd /opt/goldsmith", "")
    (tmp_path / "spark-submit").write_text(
        "#!/bin/sh\necho 'WARNING: Using incubator modules: jdk.incubator.vector' >&2\necho rows\n"
        "echo 'ERROR: real' >&2\nexit 3\n"
    )
    (tmp_path / "spark-submit").chmod(0o755)
    ended = subprocess.run(
        ["bash", "-c", text, "entrypoint.sh", "submit", "job.py"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "rows\n", "ERROR: real\n")
