"""kill -9 after random commits of a replay, and two concurrent runs: the content is as without them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

from pyspark.sql import SparkSession

from support.flights_lake import FlightsLake, day


def test_killed_replay_run_again_gives_the_same_content(
    spark: SparkSession, tmp_path: Path, full_counts: bool
) -> None:
    kills = 30 if full_counts else 1
    moments = random.Random(None if full_counts else 20130101)
    whole = FlightsLake.make(tmp_path / "whole", broken=True)
    killed = FlightsLake.make(tmp_path / "killed", broken=True)
    hits = 0
    for number in range(1, kills + 1):
        whole.feed(number, number)
        if full_counts:
            whole.load(spark)
        replay = (
            "feed",
            "replay",
            "flights",
            "--no-report",
            "--from",
            str(day(number)),
            "--to",
            str(day(number + 1)),
        )
        target, pause = _commits(killed) + moments.randint(0, 12), moments.uniform(0.0, 2.0)
        moment = f"{target} commits and {pause:.1f} s"
        victim = killed.command(*replay)
        while victim.poll() is None and _commits(killed) < target:
            time.sleep(0.05)
        try:
            victim.communicate(timeout=pause)
        except subprocess.TimeoutExpired:
            os.killpg(victim.pid, signal.SIGKILL)
            victim.communicate()
            hits += 1
        again = killed.command(*replay)
        output, _ = again.communicate()
        assert again.returncode == 0, f"day {number}, killed after {moment}:\n{output}"
        if full_counts:
            assert killed.content(spark) == whole.content(spark), f"day {number}, killed after {moment}"
    whole.load(spark)
    assert killed.content(spark) == whole.content(spark)
    assert hits * 2 >= kills, "most replays must have been hit before they ended"


def _commits(lake: FlightsLake) -> int:
    return sum(1 for _ in (lake.root / ".goldsmith/warehouse").rglob("_delta_log/*.json"))


def test_two_concurrent_runs_give_the_same_content(
    spark: SparkSession, tmp_path: Path, full_counts: bool
) -> None:
    days = 2 if full_counts else 1
    whole = FlightsLake.make(tmp_path / "whole", broken=True)
    shared = FlightsLake.make(tmp_path / "shared", broken=True)
    whole.feed(1, days)
    whole.load(spark)
    shared.feed(1, days)
    both = [shared.command("run", "--json") for _ in range(2)]
    ended = [(process.communicate()[0], process.returncode) for process in both]
    gave_up = 0
    for output, code in ended:
        failures = [table["error"] for table in json.loads(output)["tables"] if table["status"] == "failed"]
        assert {(error["code"], error["retryable"]) for error in failures} <= {
            ("GS502", True),
            ("GS307", True),
        }
        assert code == (1 if failures else 0)
        gave_up += bool(failures)
    assert gave_up, "they ran over the same tables at the same time"
    last = shared.command("run")
    output, _ = last.communicate()
    assert last.returncode == 0, output
    assert shared.content(spark) == whole.content(spark)
