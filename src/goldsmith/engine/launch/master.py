"""Checks Spark's master, and finds the address by which executors reach a driver on this machine."""

from __future__ import annotations

import re
import socket

from goldsmith.errors import NotReady

_SECONDS = 5
_STANDALONE = "spark://"


def runs_here(master: str) -> bool:
    """True if executors are threads of the driver."""
    return re.fullmatch(r"local(\[.*\])?", master) is not None


def driver_host(master: str) -> str | None:
    """The address that a driver announces to executors; None if Spark determines it.

    For a standalone master it is the local address of a connection to it. Raises NotReady GS905 if none of
    `spark://host:port,host:port` accepts a connection.
    """
    if master.startswith("local"):
        return "127.0.0.1"
    if not master.startswith(_STANDALONE):
        return None
    failures = []
    for address in master.removeprefix(_STANDALONE).split(","):
        host, _, port = address.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS) as connection:
                return str(connection.getsockname()[0])
        except (OSError, ValueError) as error:
            failures.append(f"{address}: {error}")
    raise NotReady(
        "GS905",
        f"The Spark master {master} cannot be reached ({'; '.join(failures)}).",
        hint="Start it (`make up`), or set the profile's `spark.master` or SPARK_MASTER_URL to a running one.",
        retryable=True,
    )
