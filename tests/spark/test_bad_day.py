"""A bad day in the feed: rows are quarantined, recorded in ops, pushed to DQOps, and cleared next day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from goldsmith.errors import Exit
from goldsmith.publish.dqops import running
from goldsmith.publish.dqops.declared import checks_in_home
from goldsmith.publish.dqops.document import checks_of
from goldsmith.publish.dqops.names import IMPORT_CHECK
from goldsmith.run.context import Run
from goldsmith.run.feeding import feed_of
from goldsmith.run.sql_query import register_all_tables
from support.command import command
from support.dqops_server import DAY, imports, served
from support.flights_lake import FlightsLake, day

BAD = 2
SEVERITIES = ("valid", "warning", "error", "fatal")
BROKEN = ("distance", "dep_delay", "arr_delay")
"""Columns whose spoiled numbers are outside the ranges that silver.departures declares."""


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession) -> Iterator[FlightsLake]:
    yield FlightsLake.make(tmp_path)
    spark.sql("DROP SCHEMA IF EXISTS ops CASCADE")


def spoiled_values(lake: FlightsLake) -> dict[str, int]:
    """The number of spoiled values of the bad day's departures, by column."""
    deliver = feed_of(lake.project().pipelines["flights"])
    whole = dict(deliver(day(BAD)))[f"departures/{day(BAD)}.csv"]
    path = lake.root / f".goldsmith/landing/departures/{day(BAD)}.csv"
    pairs = zip(_rows(whole), _rows(path.read_bytes()), strict=True)
    found = [name for one, other in pairs for name in one if one[name] != other[name] and one[name] != "NA"]
    return {name: found.count(name) for name in found}


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def failed(spark: SparkSession) -> dict[str, int]:
    """Failing rows in the newest verdict of each quarantining expectation of silver.departures."""
    rows = spark.sql("""
        SELECT name, max_by(failed, judged_at) AS failed FROM ops.expectations
        WHERE `table` = 'silver.departures' AND otherwise = 'quarantine' GROUP BY name""").collect()
    return {row.name: row.failed for row in rows if row.failed}


def quarantined(spark: SparkSession) -> int:
    """Rows that the newest load of silver.departures quarantined, as the health dashboard counts them."""
    (row,) = spark.sql(
        "SELECT max_by(quarantined, ended_at) AS n FROM ops.table_runs WHERE `table` = 'silver.departures'"
    ).collect()
    return int(row.n or 0)


def imported(spark: SparkSession, lake: FlightsLake) -> dict[str, dict[str, tuple[int, float]]]:
    """Severity and value of each series that DQOps reads, by table."""
    run = Run.begin(lake.project())
    register_all_tables(spark, run)
    found = {}
    for table in run.project.tables.values():
        check = next((check for check in checks_of(table) if check.name == IMPORT_CHECK), None)
        if check is None:
            continue
        schema, short = table.name.split(".")
        query = check.parameters["sql_query"].replace("{schema_name}", schema).replace("{table_name}", short)
        found[table.name] = {
            r.grouping_level_1: (r.severity, r.actual_value) for r in spark.sql(query).collect()
        }
    return found


def test_bad_day_is_quarantined_reported_and_cleared_by_the_next_day(
    lake: FlightsLake,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lake.feed(1, 1)
    lake.load(spark)
    before = imported(spark, lake)
    assert failed(spark) == {}

    lake.feed(BAD, BAD, spoil=(BAD,))
    lake.load(spark)
    broken = spoiled_values(lake)
    assert sum(broken.values()) > 20
    after = imported(spark, lake)
    found = failed(spark)
    assert {name: found[f"{name}_to_be_between"] for name in BROKEN} == {
        name: broken[name] for name in BROKEN
    }
    # A row that fails several expectations is quarantined once.
    assert max(found.values()) <= quarantined(spark) <= sum(found.values())
    departures = spark.read.format("delta").load(Run.begin(lake.project()).path("silver.departures"))
    assert departures.where("distance NOT BETWEEN 1 AND 6000 OR abs(dep_delay) > 2880").count() == 0
    # DQOps gets a series for each rule: severity 1 if rows were quarantined.
    reported = {
        name: value
        for name, (severity, value) in after["silver.departures"].items()
        if severity and name in found
    }
    assert reported == found
    assert all(after["silver.departures"][name][0] == 1 for name in found)

    # `dqops push` requests each table with verdicts once, and no other.
    assert command(monkeypatch, capsys)("dqops", "generate", folder=lake.root).code == Exit.DONE
    monkeypatch.setattr(running, "today", lambda: date.fromisoformat(DAY))
    names = [
        name
        for name in lake.project().select(("flights",))
        if IMPORT_CHECK in checks_in_home(lake.root, name)
    ]
    assert set(names) == set(after)
    highest = {
        name: SEVERITIES[max((s for s, _ in series.values()), default=0)] for name, series in after.items()
    }
    with served(*[exchange for name in names for exchange in imports(name, highest[name])]) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        ended = command(monkeypatch, capsys)("dqops", "push", "flights", folder=lake.root)
    assert ended.code == Exit.DONE, ended.err
    assert (
        f"silver.departures: the highest severity among its loads' verdicts is {highest['silver.departures']}."
        in ended.out
    )

    lake.feed(BAD + 1, BAD + 1)
    lake.load(spark)
    cleared = imported(spark, lake)
    assert failed(spark) == {}
    assert quarantined(spark) == 0
    assert all(cleared["silver.departures"][name] == (0, 0.0) for name in found)
    assert before.keys() == after.keys() == cleared.keys()
