"""Spark's master: whether it is there, and at which address its executors can reach a driver on this machine."""

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
    """The address of this machine that a driver tells its executors; None if Spark is to find it itself.

    For a standalone master it is the one by which this machine reaches it. Raises NotReady GS905 if none of
    `spark://host:port,host:port` answers.
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
        hint="Start it (`make up`), or name the one that is there: the profile's `spark.master`, or SPARK_MASTER_URL.",
        retryable=True,
    )
