"""Access to the cluster requires its secret, and the metastore accepts only containers."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.processes import free_ports
from services.stack import ROOT, Stack

JOB = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
print("counted", spark.range(100).repartition(2).count())
spark.stop()
"""


@dataclass(frozen=True)
class Guarded:
    """A master with one worker, and their shared secret."""

    stack: Stack
    port: int
    page: int
    secret: str

    def driver(self, folder: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Starts a job with the image's settings for jobs and more options."""
        (folder / "job.py").write_text(JOB)
        home = self.stack.spark["SPARK_HOME"]
        command = [f"{home}/bin/spark-submit", "--master", f"spark://127.0.0.1:{self.port}"]
        command += ["--properties-file", str(ROOT / "spark" / "cluster.conf")]
        command += [
            "--conf",
            "spark.sql.catalogImplementation=in-memory",
            "--conf",
            "spark.eventLog.enabled=false",
        ]
        command += ["--conf", f"spark.sql.warehouse.dir={folder}"]
        command += ["--conf", "spark.executor.memory=512m", "--conf", "spark.driver.host=127.0.0.1"]
        return subprocess.Popen(
            [*command, *options, str(folder / "job.py")],
            env=self.stack.environment(PYSPARK_PYTHON=sys.executable, **environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def applications(self) -> list[Any]:
        """All applications that the master has accepted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/", timeout=10) as answer:
            state = json.load(answer)
        return [*state["activeapps"], *state["completedapps"]]


@pytest.fixture(scope="module")
def guarded(stack: Stack) -> Iterator[Guarded]:
    port, page, worker_page = free_ports(3)
    secret = secrets.token_hex(16)
    master = stack.service(
        "guarded-master",
        "spark/bin/master.sh",
        port,
        SPARK_MASTER_PORT=str(port),
        SPARK_MASTER_WEBUI_PORT=str(page),
        SPARK_MASTER_RECOVERY_DIR=str(stack.folder / "guarded-recovery"),
        _SPARK_AUTH_SECRET=secret,
    )
    worker = stack.service(
        "guarded-worker",
        "spark/bin/worker.sh",
        worker_page,
        SPARK_MASTER_URL=f"spark://127.0.0.1:{port}",
        SPARK_WORKER_WEBUI_PORT=str(worker_page),
        SPARK_WORKER_DIR=str(stack.folder / "guarded-work"),
        SPARK_WORKER_CORES="2",
        _SPARK_AUTH_SECRET=secret,
    )
    with master.running(), worker.running():
        yield Guarded(stack, port, page, secret)


def test_driver_without_the_secret_is_refused(guarded: Guarded, tmp_path: Path) -> None:
    drivers = [
        guarded.driver(tmp_path),
        guarded.driver(tmp_path, "--conf", "spark.authenticate=false"),
        guarded.driver(tmp_path, _SPARK_AUTH_SECRET="a-guess"),
    ]
    for driver in drivers:
        out, err = driver.communicate(timeout=600)
        assert driver.returncode != 0, err[-2000:]
        assert "counted" not in out
    assert guarded.applications() == []


def test_driver_with_the_secret_runs_and_does_not_expose_it(guarded: Guarded, tmp_path: Path) -> None:
    driver = guarded.driver(tmp_path, _SPARK_AUTH_SECRET=guarded.secret)
    arguments = Path(f"/proc/{driver.pid}/cmdline").read_text()
    out, err = driver.communicate(timeout=600)
    assert "counted 100" in out, err[-4000:]
    assert len(guarded.applications()) == 1
    logs = "".join(log.read_text() for log in guarded.stack.folder.glob("guarded-*.log"))
    logs += "".join(log.read_text() for log in (guarded.stack.folder / "guarded-work").rglob("std*"))
    assert guarded.secret not in arguments + out + err + logs


def test_master_without_the_required_secret_does_not_start(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "spark-defaults.conf").write_text((ROOT / "spark" / "cluster.conf").read_text())
    port, page = free_ports(2)
    service = stack.service(
        "no-secret",
        "spark/bin/master.sh",
        port,
        SPARK_MASTER_PORT=str(port),
        SPARK_MASTER_WEBUI_PORT=str(page),
        SPARK_MASTER_RECOVERY_DIR=str(tmp_path / "recovery"),
        SPARK_CONF_DIR=str(tmp_path),
    )
    service.start()
    try:
        assert service.ended() == 4
        assert "GS927" in service.log_tail()
    finally:
        service.stop()


def test_host_cannot_reach_the_metastore(stack: Stack) -> None:
    def answered(source: str, port: int) -> bytes:
        name = b"get_all_databases"
        call = b"\x80\x01\x00\x01" + len(name).to_bytes(4, "big") + name + b"\0\0\0\0" + b"\0"
        with socket.create_connection(("127.0.0.1", port), 30, (source, 0)) as connection:
            connection.settimeout(60)
            try:
                connection.sendall(call)
                return connection.recv(4)
            except ConnectionError:
                return b""

    service = stack.metastore_on(stack.database("gateway"), "gateway")
    service.environment["METASTORE_GATEWAY"] = "127.0.0.9"
    with service.running():
        assert answered("127.0.0.1", service.port) == b"\x80\x01\x00\x02"
        assert answered("127.0.0.9", service.port) == b""
        assert "Refused a connection from /127.0.0.9" in service.log_tail()
