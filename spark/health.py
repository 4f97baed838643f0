#!/opt/venv/bin/python
"""Checks a service of this container with a client's request. Usage: health metastore|thrift

Exits with 0 if the service responds, else with 1 and the reason. probe.sh calls it, and checks the other services itself.
"""

import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

SECONDS = 4
OWN = os.environ.get("PROBE_HOST") or socket.gethostbyname(socket.gethostname())
"""The container's address, which its services bind to."""
THRIFT_PORT = int(os.environ.get("PROBE_PORT") or 10000)


def metastore() -> None:
    """Checks that the metastore can read its database: calls `get_all_databases` in Thrift's binary protocol."""
    name = b"get_all_databases"
    with socket.create_connection((OWN, 9083), SECONDS) as connection:
        connection.settimeout(SECONDS)
        connection.sendall(struct.pack(">II", 0x80010001, len(name)) + name + struct.pack(">IB", 0, 0))
        connection.shutdown(socket.SHUT_WR)
        # Read to the end: the server logs an error if its response is not read.
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head = answer[: 8 + len(name) + 4 + 3]
    if len(head) < 8 + len(name) + 4 + 3 or (head[3], head[-3:]) != (2, b"\x0f\x00\x00"):
        raise RuntimeError("get_all_databases failed")


def thrift() -> None:
    """Checks that the server executes a statement; only that it accepts connections if this check cannot log in."""
    no_account = os.environ.get("THRIFT_USERS_FILE") and not os.environ.get("THRIFT_ENGINEER_PASSWORD")
    if no_account or os.environ.get("THRIFT_TLS_KEYSTORE"):
        socket.create_connection((OWN, THRIFT_PORT), SECONDS).close()
        return
    from serving import connect

    with connect(OWN, THRIFT_PORT) as connection:
        cursor = connection.cursor()
        # A command needs no task. A query, even SELECT 1, waits for a task while long queries use all cores.
        cursor.execute("SHOW CURRENT NAMESPACE")
        if cursor.fetchall() != [("spark_catalog", "default")]:
            raise RuntimeError("the current schema is not `default`")


CHECKS: dict[str, Callable[[], None]] = {
    "metastore": metastore,
    "thrift": thrift,
}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    try:
        CHECKS[sys.argv[1]]()
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
