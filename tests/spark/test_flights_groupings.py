"""The same flights in other batches and orders give the same silver and gold, as does a rebuild."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from support import flights_oracle
from support.flights_lake import FlightsLake, day

DAYS = 3


@pytest.fixture(scope="module")
def at_once(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FlightsLake, dict[str, Any]]:
    """All days in one run, as the reference."""
    lake = FlightsLake.make(tmp_path_factory.mktemp("at_once"))
    lake.feed(1, DAYS)
    lake.load(spark)
    return lake, derived(lake, spark)


def derived(lake: FlightsLake, spark: SparkSession) -> dict[str, Any]:
    """Content of silver and gold. Bronze differs, as it contains each delivery."""
    return {name: value for name, value in lake.content(spark).items() if "bronze" not in name}


def test_gold_equals_the_independent_computation(
    at_once: tuple[FlightsLake, dict[str, Any]], spark: SparkSession
) -> None:
    lake, _ = at_once
    days = [day(number) for number in range(1, DAYS + 1)]
    for name, expected in flights_oracle.GOLD.items():
        frame = expected(days)
        path = lake.root / ".goldsmith/warehouse" / name.replace(".", "/")
        found = spark.read.format("delta").load(str(path)).select(*frame.columns).collect()
        assert sorted(map(_text, found)) == sorted(map(_text, flights_oracle.as_rows(frame))), name


def _text(row: Any) -> list[str]:
    return [f"{value:.9g}" if isinstance(value, float) else str(value) for value in row]


def test_day_by_day_with_late_and_repeated_deliveries(
    at_once: tuple[FlightsLake, dict[str, Any]], spark: SparkSession, tmp_path: Path
) -> None:
    lake = FlightsLake.make(tmp_path)
    landing = lake.root / ".goldsmith/landing/departures"
    lake.feed(1, 1)
    lake.load(spark)
    # Day 2 is delivered late, after day 3.
    lake.feed(2, 2)
    late = landing / f"{day(2)}.csv"
    late.rename(lake.root / "held_back.csv")
    lake.feed(3, 3)
    lake.load(spark)
    (lake.root / "held_back.csv").rename(late)
    lake.load(spark)
    # Day 2 is delivered twice, and day 1's schedule of day 2 again after its actuals.
    (landing / "again.csv").write_bytes(late.read_bytes())
    first = (landing / f"{day(1)}.csv").read_text().splitlines(keepends=True)
    (landing / "schedule.csv").write_text(first[0] + "".join(line for line in first if "schedule" in line))
    lake.load(spark)
    assert derived(lake, spark) == at_once[1]


def test_rebuild_of_every_table_changes_nothing(
    at_once: tuple[FlightsLake, dict[str, Any]], spark: SparkSession, tmp_path: Path, full_counts: bool
) -> None:
    if not full_counts:
        pytest.skip("three loads of the flights and a rebuild take minutes: make faults")
    lake = FlightsLake.make(tmp_path)
    lake.feed(1, 2)
    lake.load(spark)
    lake.feed(3, DAYS)
    lake.load(spark)
    assert derived(lake, spark) == at_once[1]
    every = frozenset(name for name, table in lake.project().tables.items() if table.layer != "bronze")
    lake.load(spark, rebuild=every)
    assert derived(lake, spark) == at_once[1]
