"""The report's data, collected from real runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from goldsmith.errors import StorageError
from goldsmith.publish.report import collect as collecting
from goldsmith.publish.report.cells import fetch
from goldsmith.publish.report.collect import collect, describe_load, write_report
from goldsmith.publish.report.model import ReportData, TableReport
from goldsmith.run.context import Accepted, DataInterval
from goldsmith.run.runner import run_tables
from support.lake import Lake

BRONZE = """
description: Orders as delivered.
source: {files: orders/*.csv, format: csv}
columns: {id: int, day: date, shop: string, cents: int, at: timestamp}
"""
SILVER = """
owner: sales
load: {merge: {key: id, newest_by: at}}
columns: {id: {type: int, description: What names an order.}}
expectations:
  - expect_column_values_to_be_between: {column: cents, min_value: 0}
    otherwise: quarantine
  - expect_column_values_to_be_in_set: {column: shop, value_set: [A, B]}
    otherwise: fail
  - condition: cents < 500
    name: cheap
    otherwise: warn
"""
GOLD = "description: Sales by day and shop.\nload: {overwrite_partitions: {by: day}}"
GOLD_SQL = "SELECT day, shop, count(*) AS orders, max(at) AS latest FROM silver.orders GROUP BY day, shop"


@pytest.fixture
def shop(lake: Lake) -> Lake:
    lake.declare("bronze.orders", BRONZE)
    lake.declare("silver.orders", SILVER, "SELECT id, day, shop, cents, at FROM bronze.orders")
    lake.declare("gold.sales", GOLD, GOLD_SQL)
    return lake


def _deliver(lake: Lake, name: str, *rows: str) -> None:
    lake.deliver(f"orders/{name}.csv", "\n".join(("id,day,shop,cents,at", *rows)) + "\n")


def _run(lake: Lake, day: int | None = None, *names: str, accept: str | None = None) -> None:
    """Runs the named tables, or all, for a day of January 2024."""
    interval = DataInterval.of(date(2024, 1, day), None) if day else None
    accepted = Accepted(frozenset({accept}), by="ann", why="known") if accept else None
    run = lake.begin(interval=interval, accepted=accepted)
    run_tables(lake.spark, run, run.project.select(names), parallel=2)


def _collect(lake: Lake, runs: int = 60) -> ReportData:
    return collect(lake.spark, lake.begin(), runs=runs)


def _tables(data: ReportData) -> dict[str, TableReport]:
    return {table.name: table for table in data.tables}


def test_lake_without_runs_is_described_from_its_declarations(shop: Lake) -> None:
    data = _collect(shop)
    assert (data.project, data.profile, data.gold) == ("test", "local", ())
    assert [table.name for table in data.tables] == ["bronze.orders", "silver.orders", "gold.sales"]
    assert {table.outcome for table in data.tables} == {"never"}
    silver = _tables(data)["silver.orders"]
    assert (silver.row_count, silver.runs, silver.quarantine.row_count) == (None, (), 0)
    assert silver.columns[0].description == "What names an order."
    assert [one.name for one in silver.expectations] == ["cents_to_be_between", "shop_to_be_in_set", "cheap"]


def test_counts_verdicts_quarantine_and_gold_of_two_runs(shop: Lake, tmp_path: Path) -> None:
    _deliver(
        shop,
        "a",
        "1,2024-01-01,A,100,2024-01-01T10:00:00Z",
        "2,2024-01-01,B,900,2024-01-01T11:00:00Z",
        "3,2024-01-01,B,-5,2024-01-01T12:00:00Z",
        "4,2024-01-01,B,-7,2024-01-01T12:00:00Z",
    )
    _run(shop, 1)
    _deliver(shop, "b", "1,2024-01-01,A,150,2024-01-02T10:00:00Z", "5,2024-01-02,A,50,2024-01-02T11:00:00Z")
    _run(shop, 2)
    data = _collect(shop)
    silver = _tables(data)["silver.orders"]

    first, second = silver.runs
    assert [run.rows.written for run in silver.runs] == [2, 2]
    assert (first.rows.rows_in, first.rows.quarantined, first.rows.unaccounted) == (4, 2, 0)
    assert (first.outcome, second.outcome) == ("warned", "done")
    assert first.message == "cents_to_be_between: 2 of 4 rows quarantined; cheap: 1 of 4 rows fails"
    assert (first.mode, second.mode, second.reason) == (
        "first load",
        "incremental",
        "bronze.orders has new rows",
    )
    assert first.interval is not None
    assert first.interval.start == datetime(2024, 1, 1, tzinfo=UTC)
    assert (silver.row_count, silver.owner, silver.load) == (3, "sales", "merge on id; newest by at")

    between, _, cheap = silver.expectations
    assert [(verdict.checked, verdict.failed, verdict.ok) for verdict in between.results] == [
        (4, 2, False),
        (2, 0, True),
    ]
    assert [json.loads(row)["id"] for row in cheap.samples] == [2]
    assert cheap.samples_at == cheap.results[0].at

    assert (silver.quarantine.row_count, silver.quarantine.reasons) == (2, (("cents_to_be_between", 2),))
    assert sorted(json.loads(row.row)["cents"] for row in silver.quarantine.samples) == [-7, -5]
    assert {row.run_id for row in silver.quarantine.samples} == {first.run_id}

    [gold] = data.gold
    assert (gold.name, gold.description, gold.row_count) == ("gold.sales", "Sales by day and shop.", 3)
    assert gold.rows[0] == (date(2024, 1, 2), "A", 1, datetime(2024, 1, 2, 11, tzinfo=UTC))
    [orders] = gold.charts
    assert (orders.kind, orders.title) == ("line", "Orders by shop")
    assert {series.label: dict(series.points) for series in orders.series} == {
        "A": {date(2024, 1, 1): 1.0, date(2024, 1, 2): 1.0},
        "B": {date(2024, 1, 1): 1.0},
    }

    target = write_report(shop.spark, shop.begin(), tmp_path / "out/report.html")
    page = target.read_text(encoding="utf-8")
    assert "silver.orders" in page
    assert "cents_to_be_between" in page
    assert [file.name for file in target.parent.iterdir()] == ["report.html"]


def test_table_with_nothing_new_and_tables_stopped_by_a_gate(shop: Lake) -> None:
    other = BRONZE.replace("orders/*", "others/*")
    shop.declare("bronze.others", other)
    shop.deliver("others/a.csv", "id,day,shop,cents,at\n1,2024-01-01,A,1,2024-01-01T10:00:00Z\n")
    _deliver(shop, "a", "1,2024-01-01,A,100,2024-01-01T10:00:00Z")
    _run(shop)
    _deliver(shop, "b", "2,2024-01-01,Z,100,2024-01-01T10:00:00Z")
    _run(shop)
    tables = _tables(_collect(shop))
    assert {name: table.outcome for name, table in tables.items()} == {
        "bronze.orders": "done",
        "bronze.others": "nothing_new",
        "silver.orders": "gate",
        "gold.sales": "skipped",
    }
    gate = tables["silver.orders"].runs[-1]
    assert gate.message == "shop_to_be_in_set: 1 of 1 row fails. Nothing was written."
    assert len({table.runs[-1].run_id for table in tables.values()}) == 1
    assert tables["gold.sales"].runs[-1].message == "Waits for silver.orders."

    _run(shop, None, accept="silver.orders.shop_to_be_in_set")
    silver = _tables(_collect(shop))["silver.orders"]
    assert silver.outcome == "warned"
    [passed] = [verdict for verdict in silver.expectations[1].results if verdict.accepted_by]
    assert (passed.accepted_by, passed.accepted_why, passed.ok) == ("ann", "known", False)


def test_failed_table_remains_failed_if_a_later_run_excludes_it(shop: Lake) -> None:
    _deliver(shop, "a", "1,2024-01-01,Z,100,2024-01-01T10:00:00Z")
    _run(shop)
    _deliver(shop, "b", "2,2024-01-01,A,100,2024-01-01T10:00:00Z")
    _run(shop, None, "bronze.orders")
    assert _tables(_collect(shop))["silver.orders"].outcome == "gate"


def test_tables_start_after_their_upstreams_ended(shop: Lake) -> None:
    _deliver(shop, "a", "1,2024-01-01,A,100,2024-01-01T10:00:00Z")
    _run(shop)
    tables = _tables(_collect(shop))
    for before, after in (("bronze.orders", "silver.orders"), ("silver.orders", "gold.sales")):
        ended, begun = tables[before].runs[-1], tables[after].runs[-1].started_at
        assert ended.started_at is not None
        assert begun is not None
        assert begun >= ended.started_at + timedelta(seconds=ended.seconds)


def test_limited_runs_include_the_last_load_of_each_table(shop: Lake) -> None:
    shop.declare("bronze.others", BRONZE.replace("orders/*", "others/*"))
    shop.deliver("others/a.csv", "id,day,shop,cents,at\n1,2024-01-01,A,1,2024-01-01T10:00:00Z\n")
    for number in range(3):
        _deliver(shop, f"{number}", f"{number},2024-01-01,A,100,2024-01-01T10:00:00Z")
        _run(shop, None, "bronze.orders", "bronze.others")
    tables = _tables(_collect(shop, runs=2))
    assert [run.outcome for run in tables["bronze.orders"].runs] == ["done", "done"]
    assert [run.outcome for run in tables["bronze.others"].runs] == ["done", "nothing_new"]


@pytest.fixture
def _tokyo() -> Iterator[None]:
    former = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    yield
    if former is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = former
    time.tzset()


@pytest.mark.usefixtures("_tokyo")
def test_times_are_utc_in_any_time_zone_of_the_process(shop: Lake) -> None:
    _deliver(shop, "a", "1,2024-01-01,A,-1,2024-01-01T10:00:00Z", "2,2024-01-01,A,1,2024-01-01T10:00:00Z")
    before = datetime.now(UTC)
    _run(shop)
    data = _collect(shop)
    after = datetime.now(UTC)
    silver = _tables(data)["silver.orders"]
    started, judged = silver.runs[-1].started_at, silver.expectations[0].results[-1].at
    assert started is not None
    assert before <= started <= judged <= after
    assert before <= silver.quarantine.samples[0].at <= after
    assert data.gold[0].rows[0][-1] == datetime(2024, 1, 1, 10, tzinfo=UTC)


def test_cells_of_every_type(lake: Lake) -> None:
    frame = lake.spark.sql(
        """SELECT CAST(NULL AS INT) AS nothing, TRUE AS flag, CAST(1.5 AS DECIMAL(4,2)) AS money,
        DATE'2024-02-29' AS day, TIMESTAMP'2024-01-01 10:00:00.5Z' AS at,
        TIMESTAMP_NTZ'2024-01-01 10:00:00' AS local, ARRAY(1, 2) AS list, NAMED_STRUCT('a', 1) AS pair,
        X'0AFF' AS bytes, INTERVAL '1' DAY AS span, 'x' AS `a.b`"""
    )
    [(nothing, flag, money, day, at, local, *rest)] = fetch(frame)
    assert (nothing, flag, str(money), day) == (None, True, "1.50", date(2024, 2, 29))
    assert at == datetime(2024, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert local == datetime(2024, 1, 1, 10)
    assert rest == ["[1,2]", '{"a":1}', "0AFF", "INTERVAL '1' DAY", "x"]


def test_description_of_loads(shop: Lake) -> None:
    tables = shop.project().tables
    assert describe_load(tables["bronze.orders"]) == "append from orders/*.csv"
    assert describe_load(tables["gold.sales"]) == "overwrite the touched day"
    assert describe_load(tables["silver.orders"]) == "merge on id; newest by at"


def test_unwritable_report_leaves_no_file(
    shop: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setattr(collecting, "collect", lambda *_: ReportData("test", "local", datetime.now(UTC)))
    with pytest.raises(StorageError) as raised:
        write_report(shop.spark, shop.begin(), tmp_path / "taken/report.html")
    assert raised.value.code == "GS402"
    assert (tmp_path / "taken").read_text() == "a file"


DASHBOARD = """
title: Sales
rows:
  - - {title: Orders, kind: number, table: gold.sales, metrics: total}
    - {title: Orders by day, kind: line, table: gold.sales, metrics: total, dimensions: shop, time: day}
    - {title: Shops, kind: bar, table: gold.sales, metrics: total, dimensions: shop, sort: total, filter: "shop <> 'C'"}
    - {title: Latest shops, kind: bar, table: gold.sales, metrics: total, dimensions: [shop, day], limit: 1}
    - {title: Per order, kind: number, table: gold.sales, metrics: broken}
    - {title: All rows, kind: table, table: gold.sales, columns: [day, shop]}
"""
METRICS = """
metrics:
  total: {expression: SUM(orders), label: Orders, format: ",d"}
  broken: {expression: SUM(orders) / (COUNT(*) - COUNT(*))}
"""


def test_declared_charts_replace_suggested_ones(shop: Lake) -> None:
    shop.declare("gold.sales", GOLD + METRICS, GOLD_SQL)
    shop.write("pipelines/p/dashboards/sales.yaml", DASHBOARD)
    rows = [(1, 1, "A"), (2, 1, "B"), (3, 2, "A")]
    _deliver(shop, "a", *(f"{n},2024-01-0{day},{name},100,2024-01-0{day}T10:00:00Z" for n, day, name in rows))
    _run(shop)
    [gold] = _collect(shop).gold
    number, line, bars, latest, failed = gold.charts
    assert [dict(series.points) for series in number.series] == [{"Orders": 3.0}]
    days = [date(2024, 1, day) for day in (1, 2)]
    assert {series.label: dict(series.points) for series in line.series} == {
        "A": {days[0]: 1.0, days[1]: 1.0},
        "B": {days[0]: 1.0},
    }
    assert [series.points for series in bars.series] == [(("B", 1.0), ("A", 2.0))]
    assert {series.label: series.points for series in latest.series} == {
        "2024-01-01": (("A", 1.0),),
        "2024-01-02": (("A", 1.0),),
    }
    assert failed.series == ()
    assert "DIVIDE_BY_ZERO" in failed.problem
    assert gold.omitted == ("All rows",)
