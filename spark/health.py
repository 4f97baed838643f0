#!/opt/venv/bin/python
"""Asks a service of this container for what its users need of it. Usage: health metastore|thrift

Ends with 0 where it answers, else with 1 and the reason. probe.sh calls it, and asks the other services by itself.
"""

import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

SECONDS = 4
OWN = socket.gethostbyname(socket.gethostname())
"""The container's address: its services bind to no other."""


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
