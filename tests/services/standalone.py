"""A standalone Spark master with one worker, on the loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goldsmith.engine.launch.jars import spark_jars

SECONDS = 120


@contextmanager
def standalone(folder: Path, port: int) -> Iterator[str]:
    """Runs both and yields the master's URL. Raises TimeoutError with the log if one does not start."""
    spark_class = str(spark_jars().parent / "bin" / "spark-class")
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": "-XX:+UseSerialGC -Dspark.port.maxRetries=0",
    }
    environment.pop("SPARK_CONF_DIR", None)
    url = f"spark://127.0.0.1:{port}"
    logs = folder / "master.log", folder / "worker.log"
    deploy = "org.apache.spark.deploy"
    commands = (
        (f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"),
        (
            *(f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", "2"),
            *("--memory", "1g", "--work-dir", str(folder / "work"), url),
        ),
    )
    started = []
    try:
        for command, log, sign in zip(
            commands, logs, ("elected leader", "Successfully registered with master"), strict=True
        ):
            with log.open("wb") as output:
                started.append(
                    subprocess.Popen(
                        [spark_class, *command],
                        env=environment,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
            _wait_for(sign, log)
        yield url
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(sign: str, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while sign not in log.read_text(errors="replace"):
        if time.monotonic() > end:
            raise TimeoutError(f"{sign!r} was not logged:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)
