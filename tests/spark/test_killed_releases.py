"""kill -9 of a release, and concurrent releases and loads, each in its own process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

from support.lake import Lake

RULE = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, amount: "decimal(30,5)"}
expectations:
  - expect_column_values_to_be_between: {column: amount, max_value: %s}
    otherwise: quarantine
"""
EXACT = "1234567890123456789012345.12345"
"""No double can represent it."""

LONGEST = 25.0
"""Maximum delay in seconds before the first kill; later, the duration of the last finished release."""


def command(lake: Lake, *arguments: str) -> subprocess.Popen[str]:
    """Starts the command in its own process group."""
    return subprocess.Popen(
        [sys.executable, "-m", "goldsmith.cli.main", *arguments],
        cwd=lake.root,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def delivered(lake: Lake, name: str, ids: range) -> None:
    """Delivers rows; those with an even id fail the first rule."""
    rows = "".join(f"{id_},{EXACT if id_ % 2 == 0 else 1}\n" for id_ in ids)
    lake.deliver(f"orders/{name}.csv", f"id,amount\n{rows}")


def expected(last: int) -> list[tuple[int, str]]:
    return [(id_, EXACT if id_ % 2 == 0 else "1.00000") for id_ in range(last)]


def content(lake: Lake) -> list[tuple[int, str]]:
    rows = lake.table("bronze.orders").selectExpr("id", "CAST(amount AS string) AS amount").collect()
    return sorted((row["id"], row["amount"]) for row in rows)


def test_killed_release_run_again_releases_each_row_once(
    spark: SparkSession, tmp_path: Path, full_counts: bool
) -> None:
    lake = Lake(spark, tmp_path)
    moments = random.Random()
    longest, kills, last = LONGEST, 0, 0
    for number in range(40 if full_counts else 6):
        if kills == (20 if full_counts else 1):
            break
        lake.declare("bronze.orders", RULE % 5)
        delivered(lake, str(number), range(last, last + 40))
        last += 40
        lake.done()
        lake.declare("bronze.orders", RULE % 10**26)
        victim = command(lake, "quarantine", "release", "bronze.orders")
        began = time.monotonic()
        try:
            victim.communicate(timeout=moments.uniform(0.4, 1.0) * longest)
            longest = time.monotonic() - began
        except subprocess.TimeoutExpired:
            os.killpg(victim.pid, signal.SIGKILL)
            victim.communicate()
            kills += 1
        again = command(lake, "quarantine", "release", "bronze.orders", "--json")
        printed, errors = again.communicate()
        assert again.returncode == 0, errors
        assert json.loads(printed)["left"] == 0
        assert content(lake) == expected(last)
        assert lake.quarantine("bronze.orders") == []
        assert lake.release("bronze.orders").released == 0
    assert kills == (20 if full_counts else 1), "too few releases were killed before they ended"


def test_two_concurrent_releases_and_a_load_lose_and_duplicate_no_row(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(spark, tmp_path)
    lake.declare("bronze.orders", RULE % 5)
    delivered(lake, "a", range(40))
    lake.done()
    lake.declare("bronze.orders", RULE % 10**26)
    delivered(lake, "b", range(40, 60))
    release = ("quarantine", "release", "bronze.orders", "--json")
    started = [command(lake, *call) for call in (release, ("run", "--json"), release)]
    for process in started:
        printed, errors = process.communicate()
        assert process.returncode == 0 or "GS502" in printed + errors, printed + errors
    for call in (release, ("run", "--json")):
        process = command(lake, *call)
        printed, errors = process.communicate()
        assert process.returncode == 0, printed + errors
    assert content(lake) == expected(60)
    assert lake.quarantine("bronze.orders") == []
