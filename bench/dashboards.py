"""Compares the time of a dashboard's charts in Superset with the same SQL sent to the Thrift Server by PyHive.

    .venv/bin/python bench/dashboards.py flights --rounds 7 --cold "docker compose restart thrift-server"

The variables of `goldsmith superset push` select Superset and the Thrift Server. docs/dashboards.md describes the
columns.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Any

from pyhive import hive

from goldsmith.publish.superset.client import Server, SupersetClient

AT_ONCE = 6
"""The number of concurrent requests of a browser to one server."""
PATIENCE = 300


@dataclass(frozen=True)
class Chart:
    """A chart of the dashboard. sql: Superset's query for it."""

    id: int
    title: str
    sql: str


@dataclass(frozen=True)
class Thrift:
    """The Thrift Server and the account."""

    host: str
    port: int
    user: str
    password: str | None

    def query(self, sql: str) -> list[Any]:
        """Runs a query with a new connection, as Superset does."""
        how = {"auth": "CUSTOM", "password": self.password} if self.password else {"auth": "NONE"}
        with closing(
            hive.connect(self.host, self.port, username=self.user, database="gold", **how)
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            rows: list[Any] = cursor.fetchall()
            return rows


def charts_of(client: SupersetClient, dashboard: str) -> list[Chart]:
    """The dashboard's charts from top to bottom, with their SQL."""
    found = []
    for each in client.get(f"dashboard/{dashboard}/charts")["result"]:
        answer = client.get(f"chart/{each['id']}/data/?force=true")["result"][0]
        found.append(Chart(each["id"], each["slice_name"], answer["query"].rstrip().rstrip(";")))
    return found


def seconds(done: Callable[[], object]) -> float:
    began = time.monotonic()
    done()
    return time.monotonic() - began


def asked(client: SupersetClient, chart: Chart, *, force: bool = True) -> float:
    """Seconds of a chart's data through Superset. force: without its cache."""
    return seconds(lambda: client.get(f"chart/{chart.id}/data/?force={str(force).lower()}"))


def queried(thrift: Thrift, chart: Chart) -> float:
    """Seconds of a chart's SQL by PyHive."""
    return seconds(lambda: thrift.query(chart.sql))


def opened(client: SupersetClient, charts: Sequence[Chart], *, force: bool) -> float:
    """Seconds until all charts of the dashboard have their data, with a browser's concurrency."""

    def one(chart: Chart) -> float:
        return asked(client, chart, force=force)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return seconds(lambda: list(pool.map(one, charts)))


def alternating(
    client: SupersetClient, thrift: Thrift, chart: Chart, rounds: int
) -> tuple[float, float, float]:
    """Median seconds of alternating rounds: PyHive, Superset without its cache, Superset from its cache."""
    direct, past, kept = [], [], []
    for _ in range(rounds):
        direct.append(queried(thrift, chart))
        past.append(asked(client, chart))
        kept.append(asked(client, chart, force=False))
    return median(direct), median(past), median(kept)


def restart(command: str, thrift: Thrift, settle: float) -> None:
    """Restarts the Thrift Server and waits until it responds, and until it has opened its tables."""
    subprocess.run(command, shell=True, check=True, capture_output=True)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            thrift.query("SELECT 1")
            break
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(1)
    time.sleep(settle)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("dashboard", nargs="?", default="flights")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--thrift-port", type=int, default=int(os.environ.get("THRIFT_PORT", "10000")))
    parser.add_argument("--cold", default="", help="A command that restarts the Thrift Server.")
    parser.add_argument("--settle", type=float, default=0, help="Seconds to wait after a restart.")
    given = parser.parse_args()
    client = SupersetClient(Server.of())
    user = os.environ.get("SPARK_THRIFT_USER") or "analyst"
    thrift = Thrift("127.0.0.1", given.thrift_port, user, os.environ.get("SPARK_THRIFT_PASSWORD") or None)
    charts = charts_of(client, given.dashboard)

    cold: dict[str, tuple[float, float]] = {}
    if given.cold:
        restart(given.cold, thrift, given.settle)
        first = {chart.id: queried(thrift, chart) for chart in charts}
        restart(given.cold, thrift, given.settle)
        for chart in charts:
            cold[chart.title] = (first[chart.id], asked(client, chart))
    print("| chart | cold, PyHive | cold, Superset | warm, PyHive | warm, Superset | ratio | cached |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for chart in charts:
        direct, past, kept = alternating(client, thrift, chart, given.rounds)
        rows.append((direct, past, kept))
        began = [f"{value:.2f} s" for value in cold.get(chart.title, ())] or ["", ""]
        shown = [*began, f"{direct:.3f} s", f"{past:.3f} s", f"{past / direct:.2f}", f"{kept:.3f} s"]
        print(f"| {' | '.join([chart.title, *shown])} |", flush=True)
    sums = [sum(column) for column in zip(*rows, strict=True)]
    began = [f"{sum(column):.2f} s" for column in zip(*cold.values(), strict=True)] or ["", ""]
    shown = [*began, f"{sums[0]:.3f} s", f"{sums[1]:.3f} s", f"{sums[1] / sums[0]:.2f}", f"{sums[2]:.3f} s"]
    print(f"| {' | '.join(['all', *shown])} |")
    warm = median(opened(client, charts, force=True) for _ in range(given.rounds))
    kept_all = median(opened(client, charts, force=False) for _ in range(given.rounds))
    told = f"warm {warm:.2f} s, kept {kept_all:.2f} s"
    if given.cold:
        restart(given.cold, thrift, given.settle)
        told = f"cold {opened(client, charts, force=True):.2f} s, {told}"
    print(f"\nAll charts in parallel, as in a browser: {told}.")


if __name__ == "__main__":
    main()
