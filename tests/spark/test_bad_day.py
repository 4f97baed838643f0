"""A bad day in the feed: loads set its rows aside, ops shows it, DQOps' console hears of it, the next day clears it."""

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
"""Columns whose spoiled numbers are outside of what silver.departures declares."""


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession) -> Iterator[FlightsLake]:
    yield FlightsLake.make(tmp_path)
    spark.sql("DROP SCHEMA IF EXISTS ops CASCADE")


def spoiled_values(lake: FlightsLake) -> dict[str, int]:
    """How many values of a column the bad day's departures have that the feed does not."""
    deliver = feed_of(lake.project().pipelines["flights"])
    whole = dict(deliver(day(BAD)))[f"departures/{day(BAD)}.csv"]
    path = lake.root / f".goldsmith/landing/departures/{day(BAD)}.csv"
    pairs = zip(_rows(whole), _rows(path.read_bytes()), strict=True)
    found = [name for one, other in pairs for name in one if one[name] != other[name] and one[name] != "NA"]
    return {name: found.count(name) for name in found}


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def failed(spark: SparkSession) -> dict[str, int]:
    """Rows that broke the newest verdict of each expectation of silver.departures that sets rows aside."""
    rows = spark.sql("""
        SELECT name, max_by(failed, judged_at) AS failed FROM ops.expectations
        WHERE `table` = 'silver.departures' AND otherwise = 'quarantine' GROUP BY name""").collect()
    return {row.name: row.failed for row in rows if row.failed}


def quarantined(spark: SparkSession) -> int:
    """What the newest load of silver.departures set aside, as the health dashboard counts it."""
    (row,) = spark.sql(
        "SELECT max_by(quarantined, ended_at) AS n FROM ops.table_runs WHERE `table` = 'silver.departures'"
    ).collect()
    return int(row.n or 0)


def imported(spark: SparkSession, lake: FlightsLake) -> dict[str, dict[str, tuple[int, float]]]:
    """What the console reads, by table and series: severity and value."""
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


def test_a_bad_day_is_set_aside_shown_told_and_over_the_next_day(
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
    # A row that breaks several expectations is set aside once.
    assert max(found.values()) <= quarantined(spark) <= sum(found.values())
    departures = spark.read.format("delta").load(Run.begin(lake.project()).path("silver.departures"))
    assert departures.where("distance NOT BETWEEN 1 AND 6000 OR abs(dep_delay) > 2880").count() == 0
    # The console gets a series for each rule: 1 where rows were set aside.
    told = {
        name: value
        for name, (severity, value) in after["silver.departures"].items()
        if severity and name in found
    }
    assert told == found
    assert all(after["silver.departures"][name][0] == 1 for name in found)

    # The bridge asks for exactly the tables with something to tell, once each.
    assert command(monkeypatch, capsys)("dqops", "generate", folder=lake.root).code == Exit.DONE
    monkeypatch.setattr(running, "today", lambda: date.fromisoformat(DAY))
    names = [
        name
        for name in lake.project().select(("flights",))
        if IMPORT_CHECK in checks_in_home(lake.root, name)
    ]
    assert set(names) == set(after)
    gravest = {
        name: SEVERITIES[max((s for s, _ in series.values()), default=0)] for name, series in after.items()
    }
    with served(*[exchange for name in names for exchange in imports(name, gravest[name])]) as server:
        monkeypatch.setenv("DQOPS_URL", server.url)
        ended = command(monkeypatch, capsys)("dqops", "push", "flights", folder=lake.root)
    assert ended.code == Exit.DONE, ended.err
    assert (
        f"silver.departures: the highest severity among its loads' verdicts is {gravest['silver.departures']}."
        in ended.out
    )

    lake.feed(BAD + 1, BAD + 1)
    lake.load(spark)
    cleared = imported(spark, lake)
    assert failed(spark) == {}
    assert quarantined(spark) == 0
    assert all(cleared["silver.departures"][name] == (0, 0.0) for name in found)
    assert before.keys() == after.keys() == cleared.keys()
