"""Jobs by plain spark-submit and by `goldsmith job submit`: the same tables and exit codes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldsmith.engine.launch.jars import spark_jars
from services.standalone import standalone

REPOSITORY = Path(__file__).parents[2]
RUN = REPOSITORY / "jobs" / "run.py"
PROFILES = """
name: shop
profile: cluster
profiles:
  cluster:
    spark:
      master: MASTER
      memory: 1g
      conf: {spark.executor.memory: 512m}
  starved:
    spark:
      master: MASTER
      memory: 1g
      wait_for_cores: 20s
      conf: {spark.executor.memory: 512m, spark.executor.cores: 64}
"""


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with standalone(tmp_path_factory.mktemp("spark"), port) as url:
        yield url


@pytest.fixture(scope="module")
def project(master: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop"), master)


def shop(root: Path, master: str) -> Path:
    """The starter project with the profiles above."""
    ended(goldsmith("init", str(root), folder=root))
    (root / "goldsmith.yaml").write_text(PROFILES.replace("MASTER", master))
    return root


def goldsmith(*arguments: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "goldsmith.cli.main", "-p", str(folder), *arguments]


def submit(*arguments: str) -> list[str]:
    return [str(spark_jars().parent / "bin" / "spark-submit"), *arguments]


def ended(command: list[str], folder: Path | None = None, code: int = 0, **more: str) -> str:
    """The output of a command with this exit code. more: variables of its environment."""
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", **more}
    for name in ("SPARK_CONF_DIR", "MASTER", "GOLDSMITH_PROFILE", "GOLDSMITH_PROJECT"):
        environment.pop(name, None)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == code, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def applications(folder: Path) -> set[str]:
    """The names of the applications registered with a master."""
    text = (folder / "master.log").read_text()
    return set(re.findall(r"Registering app (.+)", text))


def test_plain_spark_submit_uses_the_profiles_master_jars_and_name(
    master: str, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    output = ended(submit(str(RUN), "--profile", "cluster", "orders", "--from", "2024-01-01"), project)
    assert "3 commits to 3 tables" in output
    log = next(tmp_path_factory.getbasetemp().glob("spark*"))
    assert applications(log) == {"shop"}
    again = submit("--name", "nightly", "--master", master, str(RUN), "orders")
    assert "nothing" in ended(again, project).lower()
    assert applications(log) == {"shop"}, "a run with nothing to do starts no application"
    output = ended([*again, "--rebuild", "silver.orders"], project)
    assert applications(log) == {"shop", "nightly"}
    assert "Spark application app-" in output


def test_submitted_run_returns_the_commands_exit_codes(project: Path) -> None:
    assert "GS108" in ended(submit(str(RUN), "nosuch"), project, code=2)
    output = ended(
        submit("--master", "spark://127.0.0.1:1", str(RUN), "--rebuild", "silver.orders"), project, code=4
    )
    assert "GS905" in output


def test_job_without_cores_reports_it_and_ends(
    master: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    unloaded = shop(tmp_path, master)
    log = next(tmp_path_factory.getbasetemp().glob("spark*")) / "master.log"
    page = re.findall(r"MasterWebUI.* started at http://[^:]+:(\d+)", log.read_text())[0]
    starved = goldsmith("run", "--profile", "starved", "orders", folder=unloaded)
    output = ended(starved, code=4, SPARK_MASTER_WEBUI_PORT=page)
    assert "has had no executor for 15 s: it needs 64 cores and 512m of memory on one worker" in output
    assert "free are 2 cores and 1024 MB on 127.0.0.1" in output
    assert "Its jobs are cancelled after 20 s" in output
    assert "GS909 A job was cancelled" in output


def test_goldsmith_submit_starts_maintenance_and_a_script(project: Path) -> None:
    script = project / "mean.py"
    script.write_text(
        "import goldsmith, sys\n"
        "spark = goldsmith.session(name='mean')\n"
        "print('rows', spark.table('silver.orders').count(), sys.argv[1:], spark.sparkContext.master)\n"
        "spark.stop()\n"
    )
    ended(goldsmith("run", folder=project))
    output = ended(goldsmith("job", "submit", str(script), "--verbose", "x", folder=project))
    assert "rows 3 ['--verbose', 'x'] spark://127.0.0.1:" in output
    maintain = str(REPOSITORY / "jobs" / "maintain.py")
    output = ended(
        goldsmith("job", "submit", "--master", "local[1]", maintain, "silver", "--dry-run", folder=project)
    )
    assert "Nothing was changed." in output
