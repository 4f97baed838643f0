#!/opt/venv/bin/python
"""Asks a service of this container for what its users need of it. Usage: health master|worker|metastore|thrift

Ends with 0 where it answers, else with 1 and the reason.
"""

import json
import os
import socket
import struct
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

SECONDS = 4
OWN = socket.gethostbyname(socket.gethostname())
"""The container's address: its services bind to no other."""


def master() -> None:
    """The master leads: one that recovers does not take jobs."""
    status = _json(f"http://{OWN}:8080/json/")["status"]
    if status != "ALIVE":
        raise RuntimeError(f"the master is {status}")


def worker() -> None:
    """The master counts this worker among those that are alive."""
    own = _json(f"http://{OWN}:8081/json/")
    host = os.environ["SPARK_MASTER_URL"].split("//")[1].split(":")[0]
    known = {worker["id"]: worker["state"] for worker in _json(f"http://{host}:8080/json/")["workers"]}
    state = known.get(own["id"], "unknown to the master")
    if state != "ALIVE":
        raise RuntimeError(f"the worker is {state}")


def metastore() -> None:
    """The metastore reads its database: the call `get_all_databases`, in Thrift's binary protocol."""
    name = b"get_all_databases"
    with socket.create_connection((OWN, 9083), SECONDS) as connection:
        connection.settimeout(SECONDS)
        connection.sendall(struct.pack(">II", 0x80010001, len(name)) + name + struct.pack(">IB", 0, 0))
        connection.shutdown(socket.SHUT_WR)
        # To the end: a server whose answer is not taken logs an error.
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head = answer[: 8 + len(name) + 4 + 3]
    if len(head) < 8 + len(name) + 4 + 3 or (head[3], head[-3:]) != (2, b"\x0f\x00\x00"):
        raise RuntimeError("get_all_databases failed")


def thrift() -> None:
    """A client's query is answered. If this check cannot log in, that the server answers."""
    cannot = os.environ.get("THRIFT_USERS_FILE") and not os.environ.get("THRIFT_ENGINEER_PASSWORD")
    if cannot or os.environ.get("THRIFT_TLS_KEYSTORE"):
        socket.create_connection((OWN, 10000), SECONDS).close()
        return
    from serving import connect

    with connect(OWN) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        if cursor.fetchall() != [(1,)]:
            raise RuntimeError("SELECT 1 is not 1")


def _json(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        return json.load(answer)


CHECKS: dict[str, Callable[[], None]] = {
    "master": master,
    "worker": worker,
    "metastore": metastore,
    "thrift": thrift,
}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    try:
        CHECKS[sys.argv[1]]()
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
