"""Event logs of jobs and the history server, on a real store."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from goldsmith.engine.s3 import Bucket
from services.airflow_server import until
from services.conftest import BUCKET, CONF
from services.object_store import ObjectStore
from services.processes import Service, free_ports
from services.stack import ROOT, Stack

JOB = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("counting").getOrCreate()
spark.sparkContext.setJobDescription("counts to 100")
spark.range(100).count()
print("application", spark.sparkContext.applicationId)
spark.stop()
"""


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, object_store: ObjectStore, on_s3: None
) -> Iterator[Stack]:
    with Stack.started(tmp_path_factory.mktemp("history"), "jars", s3=object_store.environment) as stack:
        yield stack


@pytest.fixture(scope="module")
def folder() -> str:
    return f"{BUCKET}/{secrets.token_hex(4)}/logs/spark"


@pytest.fixture(scope="module")
def settings(stack: Stack, folder: str) -> Path:
    """The settings of the image, with a separate folder of event logs."""
    conf = stack.folder / "conf"
    shutil.copytree(CONF, conf, dirs_exist_ok=True)
    own, cluster = ROOT / "src/goldsmith/engine/launch/spark-defaults.conf", ROOT / "spark/cluster.conf"
    text = own.read_text() + cluster.read_text()
    assert "s3a://lake/logs/spark" in text
    (conf / "spark-defaults.conf").write_text(text.replace("s3a://lake/logs/spark", folder))
    return conf


@pytest.fixture(scope="module")
def history(stack: Stack, settings: Path) -> Service:
    made = [sys.executable, str(ROOT / "spark/event_logs.py"), str(settings / "spark-defaults.conf")]
    for _ in range(2):
        subprocess.run(made, env={**os.environ, **stack.s3}, check=True)
    (port,) = free_ports(1)
    where = {"HISTORY_PORT": str(port), "SPARK_CONF_DIR": str(settings)}
    return stack.start(stack.service("history", "spark/bin/history.sh", port, **where))


def get(history: Service, path: str) -> bytes:
    with urlopen(f"http://127.0.0.1:{history.port}{path}", timeout=60) as answer:
        content: bytes = answer.read()
        return content


def applications(history: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(get(history, "/api/v1/applications"))
    return found


def test_folder_of_event_logs_is_created_once(history: Service, folder: str) -> None:
    bucket, prefix = Bucket.of(folder), folder.removeprefix(f"{BUCKET}/")
    assert [item["Key"] for item in bucket.listed(f"{prefix}/")] == [f"{prefix}/.folder"]
    assert applications(history) == []


def test_finished_job_is_in_the_history(
    stack: Stack, history: Service, settings: Path, tmp_path: Path
) -> None:
    (tmp_path / "job.py").write_text(JOB)
    submit = [f"{stack.spark['SPARK_HOME']}/bin/spark-submit", "--master", "local[1]"]
    submit += ["--conf", "spark.sql.catalogImplementation=in-memory"]
    done = subprocess.run(
        [*submit, str(tmp_path / "job.py")],
        env=stack.environment(
            SPARK_CONF_DIR=str(settings),
            PYSPARK_PYTHON=sys.executable,
            _SPARK_AUTH_SECRET=secrets.token_hex(16),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    application = done.stdout.partition("application ")[2].split()[0]
    completed = "/api/v1/applications?status=completed"
    [listed] = until(lambda: json.loads(get(history, completed)), 60, "the application in the history")
    assert (listed["id"], listed["name"]) == (application, "counting")
    [job] = json.loads(get(history, f"/api/v1/applications/{application}/jobs"))
    assert (job["description"], job["status"]) == ("counts to 100", "SUCCEEDED")
    assert b"counting" in get(history, f"/history/{application}/jobs/")


def test_probe_recognizes_a_history_server(history: Service) -> None:
    probe = ["bash", str(ROOT / "spark/probe.sh"), "history"]
    for port, code in ((history.port, 0), (free_ports(1)[0], 1)):
        environment = {**os.environ, "PROBE_HOST": "127.0.0.1", "PROBE_PORT": str(port)}
        assert subprocess.run(probe, env=environment, check=False, capture_output=True).returncode == code


def test_settings_without_an_event_log_folder_are_refused(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "spark-defaults.conf").write_text("spark.ui.enabled false\n")
    (port,) = free_ports(1)
    where = {"HISTORY_PORT": str(port), "SPARK_CONF_DIR": str(tmp_path)}
    service = stack.service("homeless", "spark/bin/history.sh", port, **where)
    service.start()
    assert service.ended() == 4
    assert "GS928" in service.log_tail()
