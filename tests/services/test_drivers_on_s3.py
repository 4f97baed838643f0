"""Concurrent Spark drivers on a table of an S3 store: each acknowledged commit exists once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.s3 import Bucket
from services.conftest import CONF
from services.driver import ROWS
from services.lossy_proxy import LossyProxy, lossy
from services.object_store import ObjectStore
from support.homes import S3Home

Ack = tuple[str, int]


@dataclass
class Driver:
    """A running driver.py."""

    name: str
    process: subprocess.Popen[str]
    acknowledged: list[Ack] = field(default_factory=list)

    def begin(self, do: str, table: str, commits: int) -> None:
        request = {"do": do, "table": table, "name": self.name, "commits": commits}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def read_output(self, until: str = "end") -> None:
        """Reads its output up to a line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == ["ack"]:
                self.acknowledged.append((words[1], int(words[2])))
            if line.strip() == until:
                return

    def kill_after(self, acks: int) -> None:
        """Kills it during the commit after a number of acknowledgements."""
        assert self.process.stdout is not None
        while len(self.acknowledged) < acks:
            self.read_output(until=f"ack {self.name} {len(self.acknowledged)}")
        self.process.send_signal(signal.SIGKILL)
        self.read_output()
        self.process.wait()


@pytest.fixture(scope="module")
def proxy(object_store: ObjectStore) -> Iterator[LossyProxy]:
    with lossy(object_store.endpoint, every=3) as up:
        yield up


@pytest.fixture(scope="module")
def drivers(
    spark: SparkSession, proxy: LossyProxy, tmp_path_factory: pytest.TempPathFactory, full_counts: bool
) -> Iterator[list[Driver]]:
    """Two warm drivers, or four for the full counts, and one to be killed."""
    Bucket.of("s3a://lossy").client.create_bucket(Bucket="lossy")
    names = ("a", "b", "c", "d") if full_counts else ("a", "b")
    command = [sys.executable, str(Path(__file__).with_name("driver.py")), proxy.endpoint, str(CONF)]
    log = tmp_path_factory.mktemp("drivers")
    with ExitStack() as stack:
        started = []
        for name in (*names, "victim"):
            errors = stack.enter_context((log / name).open("w"))
            process = stack.enter_context(
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    cwd=log,
                    env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
                )
            )
            stack.callback(process.kill)
            started.append(Driver(name, process))
        for driver in started:
            driver.read_output(until="ready")
            assert driver.process.poll() is None, (log / driver.name).read_text()[-2000:]
        yield started


def rows_of(spark: SparkSession, table: str) -> Counter[Ack]:
    """The number of rows of each commit."""
    rows: list[Any] = spark.read.format("delta").load(table).groupBy("name", "number").count().collect()
    return Counter({(row["name"], row["number"]): row["count"] for row in rows})


def together(drivers: list[Driver], do: str, table: str, commits: int) -> list[Ack]:
    for driver in drivers:
        driver.acknowledged = []
        driver.begin(do, table, commits)
    for driver in drivers:
        driver.read_output()
    return [ack for driver in drivers for ack in driver.acknowledged]


@pytest.mark.parametrize("do", ["append", "mix"])
def test_each_acknowledged_commit_exists_once(
    spark: SparkSession, drivers: list[Driver], home: S3Home, full_counts: bool, do: str
) -> None:
    commits = 50 if full_counts else 5
    merged = [number for number in range(commits) if number % 3 == 1] if do == "mix" else []
    for writers in (drivers[:2], *([drivers[:4]] if full_counts else [])):
        table = f"{home.url}/rows{len(writers)}"
        acknowledged = together(writers, do, table, commits)
        assert len(acknowledged) == commits * len(writers)
        assert rows_of(spark, table) == Counter(dict.fromkeys(acknowledged, ROWS))
        first = spark.read.format("delta").load(table).where("number = 0")
        touched = first.select("touched").distinct().collect()
        assert [row["touched"] for row in touched] == [len(merged)]


def test_lost_replies_neither_lose_nor_duplicate_rows(
    spark: SparkSession, drivers: list[Driver], proxy: LossyProxy, full_counts: bool
) -> None:
    table, commits = "s3a://lossy/rows", 50 if full_counts else 5
    before = proxy.lost
    acknowledged = together(drivers[:-1], "append", table, commits)
    assert proxy.lost - before >= commits // 3
    assert len(acknowledged) == commits * len(drivers[:-1])
    assert rows_of(spark, table) == Counter(dict.fromkeys(acknowledged, ROWS))


def test_store_unavailable_for_twenty_seconds_is_retried(
    spark: SparkSession, drivers: list[Driver], proxy: LossyProxy
) -> None:
    table, driver = "s3a://lossy/waiting", drivers[0]
    driver.acknowledged = []
    driver.begin("append", table, 3)
    driver.read_output(until=f"ack {driver.name} 0")
    proxy.away = True
    time.sleep(20)  # the outage under test
    proxy.away = False
    driver.read_output()
    assert rows_of(spark, table) == Counter(
        dict.fromkeys([(driver.name, number) for number in range(3)], ROWS)
    )


def test_killed_driver_loses_no_acknowledged_commit(
    spark: SparkSession, drivers: list[Driver], home: S3Home, full_counts: bool
) -> None:
    *others, victim = drivers
    table, commits = f"{home.url}/rows", 50 if full_counts else 5
    victim.begin("append", table, 1000)
    for driver in others:
        driver.acknowledged = []
        driver.begin("append", table, commits)
    victim.kill_after(commits // 2 + 1)
    for driver in others:
        driver.read_output()
    found = rows_of(spark, table)
    acknowledged = [ack for driver in drivers for ack in driver.acknowledged]
    assert set(found.values()) == {ROWS}
    assert set(acknowledged) <= set(found)
    # One commit may have succeeded without an acknowledgement.
    assert set(found) - set(acknowledged) <= {(victim.name, len(victim.acknowledged))}
