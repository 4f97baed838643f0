"""What a user of the machine without secrets tries against the containers: prints what happened as a JSON object.

Arguments: the containers' addresses as NAME=ADDRESS, for master, metastore, postgres, minio and thrift. Runs in a
container on the machine's own network, as a user that none of the services has.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

SECONDS = 20
JOB = """
from pyspark.sql import SparkSession
print(f"rows={SparkSession.builder.getOrCreate().range(100).repartition(2).count()}")
"""


def metastore(address: str) -> str:
    """Asks for all databases, in Thrift's binary protocol."""
    name = b"get_all_databases"
    call = b"\x80\x01\x00\x01" + struct.pack(">I", len(name)) + name + struct.pack(">I", 1) + b"\x00"
    return _answer(address, 9083, call)


def postgres(address: str) -> str:
    """Logs in as the metastore without a password. The answer to one that is accepted begins with `R` and a zero."""
    body = struct.pack(">I", 196608) + b"user\x00metastore\x00database\x00metastore\x00\x00"
    answer = _answer(address, 5432, struct.pack(">I", len(body) + 4) + body)
    return "accepted" if answer[:1] == "R" and answer[5:9] == "\x00" * 4 else answer[:1]


def thrift(address: str) -> str:
    """Logs in as the engineer with a guessed password. SASL's status 5 is complete, 3 bad, 4 an error."""
    guess = b"\x00engineer\x00engineer"
    words = b"\x01" + struct.pack(">I", 5) + b"PLAIN" + b"\x02" + struct.pack(">I", len(guess)) + guess
    answer = _answer(address, 10000, words)
    return "accepted" if answer[:1] == "\x05" else f"status {ord(answer[0]) if answer else None}"


def minio(address: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{address}:9000/lake/", timeout=SECONDS) as answer:
            return f"accepted {answer.status}"
    except urllib.error.HTTPError as error:
        return f"refused {error.code}"


def master(address: str) -> str:
    """Submits an application, once as a client without authentication and once with a guessed secret."""
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.py"
        job.write_text(JOB)
        (Path(folder) / "conf").mkdir()
        submit = ("/opt/spark/bin/spark-submit", "--master", f"spark://{address}:7077")
        outputs = ""
        for options in (
            {"spark.authenticate": "false"},
            {
                "spark.authenticate": "true",
                "spark.authenticate.secret": "a-guess",
                "spark.network.crypto.enabled": "true",
            },
        ):
            given = [word for key, value in options.items() for word in ("--conf", f"{key}={value}")]
            ended = subprocess.run(
                (*submit, *given, str(job)),
                env={**os.environ, "SPARK_CONF_DIR": f"{folder}/conf", "HOME": folder},
                capture_output=True,
                text=True,
                check=False,
            )
            outputs += "accepted" if ended.returncode == 0 or "rows=100" in ended.stdout else "refused "
        return outputs


def _answer(address: str, port: int, sent: bytes) -> str:
    """The first bytes of an answer, one character each; empty if the connection was closed."""
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as connection:
            connection.sendall(sent)
            return connection.recv(4096).decode("latin-1")
    except ConnectionError:
        return ""


ATTEMPTS: dict[str, Callable[[str], str]] = {
    each.__name__: each for each in (metastore, postgres, thrift, minio, master)
}


def main() -> None:
    found = {}
    for word in sys.argv[1:]:
        name, _, address = word.partition("=")
        found[name] = ATTEMPTS[name](address)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
