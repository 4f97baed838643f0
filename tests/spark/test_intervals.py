"""Tables that are loaded by interval: days are asked for once, and again on request."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from goldsmith.run.context import DataInterval
from goldsmith.run.outcome import TableOutcome
from support.lake import Lake

SOURCE = """
import json
from pathlib import Path

REMOTE = Path(__file__).parents[2] / "remote.json"


def sales(*, interval, state, folder):
    [day] = interval.days
    with REMOTE.with_name("asked").open("a") as asked:
        asked.write(f"{day.day}\\n")
    rows = json.loads(REMOTE.read_text()).get(str(day.day), [])
    if "down" in rows:
        raise ConnectionError("down")
    if rows:
        (folder / "sales.json").write_text("".join(json.dumps(row) + "\\n" for row in rows))
"""
BRONZE = """
source: {extract: "api:sales", format: json}
load: {overwrite_partitions: {by: _interval}}
columns: {id: int, amount: int}
expectations:
  - {condition: amount < 1000, name: plausible, otherwise: quarantine}
"""


@pytest.fixture
def shop(lake: Lake) -> Lake:
    lake.write("pipelines/p/api.py", SOURCE)
    lake.declare("bronze.sales", BRONZE)
    lake.declare(
        "gold.days",
        "load: {overwrite_partitions: {by: day}}",
        "SELECT _interval AS day, count(*) AS sales, sum(amount) AS amount FROM bronze.sales GROUP BY _interval",
    )
    remote(lake, {1: [10, 11], 2: [20], 3: [30, 31]})
    for day in (1, 2, 3):
        assert load(lake, day)["bronze.sales"].status == "done"
    return lake


def remote(lake: Lake, amounts: dict[int, list[Any]]) -> None:
    """Sets what the API returns for each day."""
    rows = {
        day: [{"id": amount, "amount": amount} if amount != "down" else "down" for amount in of_day]
        for day, of_day in amounts.items()
    }
    lake.write("remote.json", json.dumps(rows))


def asked(lake: Lake) -> list[int]:
    """The days that the API was asked for since the last call."""
    file = lake.root / "asked"
    days = [int(line) for line in file.read_text().split()] if file.exists() else []
    file.unlink(missing_ok=True)
    return days


def load(lake: Lake, day: int, restating: tuple[int, int] | None = None) -> dict[str, TableOutcome]:
    """Runs one day, possibly as a part of a command that loads days from the first to before the second again."""
    interval = DataInterval.of(date(2026, 2, day), None)
    again = DataInterval(*(date(2026, 2, end) for end in restating)) if restating else None
    return {outcome.table: outcome for outcome in lake.run(interval=interval, restating=again).outcomes}


def days(lake: Lake) -> list[tuple[Any, ...]]:
    return [(row[0].day, *row[1:]) for row in lake.rows("gold.days")]


def test_day_is_asked_for_once(shop: Lake) -> None:
    assert asked(shop) == [1, 2, 3]
    assert load(shop, 2)["bronze.sales"].reason == "2026-02-02 is loaded"
    outcome = shop.done()["bronze.sales"]
    assert (outcome.status, outcome.reason) == (
        "nothing_new",
        "it is loaded by interval: give `--from` and `--to`",
    )
    assert asked(shop) == []
    assert days(shop) == [(1, 2, 21), (2, 1, 20), (3, 2, 61)]
    assert [(row[0], row[1].day) for row in shop.rows("bronze.sales", "id", "_interval")] == [
        (10, 1), (11, 1), (20, 2), (30, 3), (31, 3),
    ]  # fmt: skip


def test_day_loaded_again_replaces_its_rows_up_to_gold_and_no_others(shop: Lake) -> None:
    remote(shop, {1: [10], 2: [20], 3: [30, 32]})
    done = load(shop, 3, (3, 4))
    assert days(shop) == [(1, 2, 21), (2, 1, 20), (3, 2, 62)]
    assert (done["bronze.sales"].counts.rows_in, done["bronze.sales"].counts.written) == (2, 2)
    for table in ("bronze.sales", "gold.days"):
        history = shop.spark.sql(f"DESCRIBE HISTORY delta.`{shop.path(table)}` LIMIT 1").collect()
        metrics = history[0]["operationMetrics"]
        assert (metrics["numRemovedFiles"], metrics["numFiles"]) == ("1", "1"), table
    before = shop.rows("bronze.sales", "id", "amount", "_interval")
    shop.done("bronze.sales", rebuild=["bronze.sales"])
    assert shop.rows("bronze.sales", "id", "amount", "_interval") == before


def test_day_without_rows_vanishes(shop: Lake) -> None:
    remote(shop, {})
    load(shop, 2, (2, 3))
    assert days(shop) == [(1, 2, 21), (3, 2, 61)]
    shop.done("bronze.sales", rebuild=["bronze.sales"])
    assert {row[0].day for row in shop.rows("bronze.sales", "_interval")} == {1, 3}
    assert load(shop, 2)["bronze.sales"].reason == "2026-02-02 is loaded"


def test_interrupted_command_continues_with_the_next_day(shop: Lake) -> None:
    asked(shop)
    remote(shop, {1: [1], 2: ["down"], 3: [3]})
    assert load(shop, 1, (1, 4))["bronze.sales"].status == "done"
    error = load(shop, 2, (1, 4))["bronze.sales"].error
    assert error is not None
    assert (error.code, error.retryable) == ("GS309", True)
    assert days(shop) == [(1, 1, 1), (2, 1, 20), (3, 2, 61)]
    remote(shop, {1: [1], 2: [2], 3: [3]})
    assert "before the interruption" in load(shop, 1, (1, 4))["bronze.sales"].reason
    for day in (2, 3):
        load(shop, day, (1, 4))
    assert asked(shop) == [1, 2, 2, 3]
    assert days(shop) == [(1, 1, 1), (2, 1, 2), (3, 1, 3)]
    for day in (1, 2, 3):
        load(shop, day, (1, 4))
    assert asked(shop) == [1, 2, 3]


def test_quarantined_rows_of_a_day_are_replaced_too(shop: Lake) -> None:
    remote(shop, {2: [20, 2000], 3: [3000]})
    for day in (2, 3):
        load(shop, day, (2, 4))
    assert sorted(row["id"] for _, row in shop.quarantine("bronze.sales")) == [2000, 3000]
    remote(shop, {2: [20, 21]})
    counts = load(shop, 2, (2, 3))["bronze.sales"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (2, 2, 0)
    assert [row["id"] for _, row in shop.quarantine("bronze.sales")] == [3000]
    assert days(shop) == [(1, 2, 21), (2, 2, 41)]


def test_commands_with_overlapping_intervals_load_each_day_once(shop: Lake) -> None:
    asked(shop)
    remote(shop, {1: [1], 2: [2, 2], 3: ["down"]})
    load(shop, 1, (1, 3))
    # Another command begins with the day that the first one has not reached.
    load(shop, 2, (2, 4))
    assert load(shop, 3, (2, 4))["bronze.sales"].status == "failed"
    load(shop, 2, (1, 3))
    remote(shop, {1: [1], 2: [2, 2], 3: [3]})
    load(shop, 3, (2, 4))
    assert days(shop) == [(1, 1, 1), (2, 2, 4), (3, 1, 3)]
    assert set(asked(shop)) == {1, 2, 3}
    assert shop.table("bronze.sales").count() == 4
