"""A master and two workers run a job, and continue after the master is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from services.stack import ROOT, Stack

JOB = """
import sys, time
from pathlib import Path
from pyspark.sql import SparkSession

started = Path(sys.argv[1])
spark = SparkSession.builder.getOrCreate()

def slow(rows):
    time.sleep(1)
    yield from rows

assert spark.range(100).count() == 100
started.touch()
parts = spark.sparkContext.parallelize(range(12), 12).mapPartitions(slow)
assert sorted(parts.collect()) == list(range(12))
members = spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size()
print("done with", members - 1, "executors")
spark.stop()
"""


def submit(stack: Stack, folder: Path) -> subprocess.Popen[str]:
    (folder / "job.py").write_text(JOB)
    environment = stack.environment(
        SPARK_CONF_DIR=str(ROOT / "spark" / "conf"),
        PYSPARK_PYTHON=sys.executable,
        **stack.client_environment(),
    )
    url = f"spark://127.0.0.1:{stack.master.port}"
    command = [f"{environment['SPARK_HOME']}/bin/spark-submit", "--master", url]
    command += ["--conf", "spark.executor.memory=512m", "--conf", "spark.driver.host=127.0.0.1"]
    command += [str(folder / "job.py"), str(folder / "started")]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(job: subprocess.Popen[str]) -> str:
    out, err = job.communicate(timeout=240)
    assert job.returncode == 0, err[-4000:]
    return out


def await_start(job: subprocess.Popen[str], folder: Path) -> None:
    end = time.monotonic() + 120
    while not (folder / "started").exists():
        assert job.poll() is None, job.communicate()[1][-4000:]
        assert time.monotonic() < end
        time.sleep(0.1)


def test_job_runs_on_both_workers(stack: Stack, tmp_path: Path) -> None:
    assert len(stack.workers) == 2
    assert "done with 2 executors" in ended(submit(stack, tmp_path))


def test_job_survives_a_restart_of_the_master(stack: Stack, tmp_path: Path) -> None:
    assert stack.workers
    job = submit(stack, tmp_path)
    await_start(job, tmp_path)
    stack.master.kill()
    stack.master.start()
    stack.master.wait()
    assert "done with" in ended(job)
