"""All charts of an open dashboard read the same versions during loads, and the page shows their time."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from goldsmith_superset.versions import HEADER
from pyspark.sql import SparkSession

from goldsmith.project.loading import load_project
from goldsmith.publish.superset.generate import generate
from goldsmith.publish.superset.names import Names
from goldsmith.publish.superset.push import push
from services.airflow_server import until
from services.processes import Missing, Service
from services.stack import Stack
from services.superset import Superset, running
from support.charts import Reader, browsing

BRONZE = "source: {files: o/*.csv, format: csv}\ncolumns: {day: date, paid: int}\n"
GOLD = """
columns: {day: date, paid: int}
metrics:
  rows: COUNT(*)
  revenue: SUM(paid)
  hours: (unix_timestamp(now()) - unix_timestamp(MAX(day))) / 3600
"""
DASHBOARD = """
title: Shop
rows:
  - - {title: Sales, kind: number, table: gold.sales, metrics: rows}
    - {title: Visits, kind: number, table: gold.visits, metrics: rows}
  - - {title: By day, kind: table, table: gold.sales, metrics: rows, dimensions: day}
  - - {title: Revenue, kind: number, table: gold.sales, metrics: revenue}
    - {title: Hours, kind: number, table: gold.sales, metrics: hours}
"""
TABLES = ("gold.sales", "gold.visits")


@dataclass
class Shop:
    """Two gold tables, a dashboard, and a running Superset. loads: of each table so far."""

    hive: SparkSession
    superset: Superset
    folder: Path
    charts: dict[str, int] = field(default_factory=dict)
    loads: int = 0

    def load(self, tables: tuple[str, ...] = TABLES) -> None:
        """Adds a row to each table."""
        for table in tables:
            self.hive.sql(f"INSERT INTO {table} VALUES (DATE'2026-01-01', 10)")
        self.loads += 1

    def rows(self, table: str = "gold.sales") -> int:
        return int(self.hive.table(table).count())

    def request(self, chart: str, moment: str | None = None) -> tuple[int, Any]:
        """A chart's data by the API: the status and the response."""
        headers = {"Authorization": self.superset.admin()._headers["Authorization"]}
        address = f"{self.superset.server.url}/api/v1/chart/{self.charts[chart]}/data/"
        call = Request(address, headers=headers | ({} if moment is None else {HEADER: moment}))
        try:
            with urlopen(call, timeout=120) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    def value(self, chart: str, moment: str | None = None) -> Any:
        """The number that a chart shows."""
        _, answer = self.request(chart, moment)
        (row,) = answer["result"][0]["data"]
        return next(iter(row.values()))


@pytest.fixture(scope="module")
def shop(hive: SparkSession, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    files = {
        "goldsmith.yaml": "name: shop\n",
        "pipelines/p/pipeline.yaml": "",
        "pipelines/p/bronze/o.yaml": BRONZE,
        "pipelines/p/dashboards/shop.yaml": DASHBOARD,
    }
    for table in TABLES:
        files[f"pipelines/p/{table.replace('.', '/')}.yaml"] = GOLD
        files[f"pipelines/p/{table.replace('.', '/')}.sql"] = "SELECT day, paid FROM bronze.o"
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    hive.sql("CREATE DATABASE IF NOT EXISTS gold")
    for table in TABLES:
        hive.sql(f"CREATE TABLE {table} (day DATE, paid INT) USING delta LOCATION '{folder}/lake/{table}'")
    try:
        with running(tmp_path_factory.mktemp("superset")) as superset:
            uri = f"spark://superset@127.0.0.1:{stack.thrift.port}/gold"
            shop = Shop(hive, superset, folder)
            shop.load()
            push(superset.admin(), generate(load_project(folder)), Names("shop"), database_uri=uri)
            shop.charts = {
                each["slice_name"]: each["id"] for each in superset.admin().all("chart", ("id", "slice_name"))
            }
            yield shop
    except Missing as missing:
        pytest.skip(str(missing))
    finally:
        hive.sql("DROP DATABASE gold CASCADE")


@dataclass
class Page:
    """The dashboard in a browser. responses: by chart, newest last."""

    reader: Reader
    charts: dict[int, str]
    delayed: list[Any] = field(default_factory=list)
    responses: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def page(self) -> Any:
        return self.reader.page

    def open(self, *later: str) -> None:
        """Opens the dashboard. later: charts whose requests are delayed until `go_on`."""

        def send(route: Any) -> None:
            if self._chart(route.request) in later:
                self.delayed.append(route)
            else:
                route.continue_()

        self.page.route("**/api/v1/chart/data*", send)
        self.page.on("response", self._record)
        self.page.goto(f"{self.reader.server.url}/superset/dashboard/shop/", wait_until="domcontentloaded")
        self.wait("Sales", "Visits")

    def go_on(self) -> None:
        self.page.unroute("**/api/v1/chart/data*")
        for route in self.delayed:
            route.continue_()

    def _chart(self, request: Any) -> str:
        return self.charts[request.post_data_json["form_data"]["slice_id"]]

    def _record(self, response: Any) -> None:
        if "/api/v1/chart/data" in response.url and response.status == 200:
            self.responses.setdefault(self._chart(response.request), []).append(
                response.json()["result"][0]["data"]
            )

    def wait(self, *charts: str, times: int = 1) -> None:
        """Waits until the charts have received a number of responses."""
        end = time.monotonic() + 120
        while any(len(self.responses.get(each, ())) < times for each in charts):
            assert time.monotonic() < end, self.responses.keys()
            self.page.wait_for_timeout(100)

    def figure(self, chart: str) -> Any:
        (row,) = self.responses[chart][-1]
        return next(iter(row.values()))

    def status(self) -> str:
        return str(self.page.inner_text("#lakehouse-moment"))

    def wait_for_news(self) -> None:
        """Polls for newer data as a user who returns to the page."""
        self.page.wait_for_function(
            """() => {
                document.dispatchEvent(new Event('visibilitychange'));
                return document.querySelector('#lakehouse-moment a') !== null;
            }""",
            polling=1000,
            timeout=60_000,
        )


@pytest.fixture
def page(shop: Shop) -> Iterator[Page]:
    with browsing(shop.superset.server, 1440, 700) as reader:
        yield Page(reader, {number: name for name, number in shop.charts.items()})


def test_open_page_keeps_its_versions_and_shows_that_newer_data_exists(shop: Shop, page: Page) -> None:
    page.open("Revenue", "By day")
    before = shop.rows()
    assert (page.figure("Sales"), page.figure("Visits")) == (before, before)
    assert page.status().startswith("As of ")
    assert "reload" not in page.status()
    shop.load()
    page.go_on()
    page.wait("Revenue", "By day")
    assert page.figure("Revenue") == 10 * before
    assert page.responses["By day"][-1][0]["rows"] == before
    page.wait_for_news()
    assert page.status().endswith("Newer data: reload")
    page.responses.clear()
    page.page.click("#lakehouse-moment a")
    page.wait("Sales", "Visits")
    assert (page.figure("Sales"), page.figure("Visits")) == (before + 1, before + 1)
    assert "reload" not in page.status()


def test_refresh_shows_the_newest_load(shop: Shop, page: Page) -> None:
    page.open()
    before = shop.rows()
    shop.load()
    page.page.click("[data-test=actions-trigger]")
    page.page.click("text=Refresh dashboard")
    page.wait("Sales", "Visits", times=2)
    assert (page.figure("Sales"), page.figure("Visits")) == (before + 1, before + 1)


def moment_of(page: Page, fresh: bool = False) -> str:
    """The versions of a page that opens now."""
    address = f"{page.reader.server.url}/moment/shop{'?fresh=1' if fresh else ''}"
    return str(page.page.request.get(address).json()["moment"])


def test_new_page_shows_a_load_within_ten_seconds(shop: Shop, page: Page) -> None:
    before = moment_of(page)
    shop.load()
    loaded = time.monotonic()
    while moment_of(page) == before:
        assert time.monotonic() < loaded + 10
        time.sleep(0.2)
    assert shop.value("Sales", moment_of(page)) == shop.rows()
    assert shop.value("Sales") == shop.rows()
    assert shop.value("Sales", before) == shop.rows() - 1


def test_chart_data_is_cached_until_the_next_load(shop: Shop, page: Page) -> None:
    def is_cached(chart: str) -> bool:
        _, answer = shop.request(chart, moment_of(page, fresh=True))
        return bool(answer["result"][0]["is_cached"])

    for chart in ("Sales", "Visits"):
        shop.value(chart, moment_of(page, fresh=True))
        assert is_cached(chart)
    shop.load(("gold.visits",))
    assert is_cached("Sales")
    assert not is_cached("Visits")


def test_readers_of_a_new_version_share_one_query(shop: Shop, page: Page) -> None:
    shop.load()
    moment = moment_of(page, fresh=True)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.request("Revenue", moment), range(8)))
    assert {status for status, _ in answers} == {200}
    assert len({json.dumps(answer["result"][0]["data"]) for _, answer in answers}) == 1
    assert [bool(answer["result"][0]["is_cached"]) for _, answer in answers].count(False) == 1


@contextmanager
def stopped(service: Service) -> Iterator[None]:
    """The server holds its connections and does not respond."""
    assert service.process is not None
    os.killpg(service.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(service.process.pid, signal.SIGCONT)


def test_pages_and_cached_charts_respond_while_all_queries_hang(shop: Shop, page: Page, stack: Stack) -> None:
    cached = moment_of(page)
    shop.value("Visits", cached)
    shop.load()
    moment = moment_of(page, fresh=True)
    with ThreadPoolExecutor(40) as pool:
        with stopped(stack.thrift):
            answers = [pool.submit(shop.request, "Sales", moment) for _ in range(40)]
            refused = next(as_completed(answers, timeout=60)).result()
            with urlopen(f"{shop.superset.server.url}/health", timeout=4) as health:
                assert health.read() == b"OK"
            until(lambda: shop.request("Visits", cached)[0] == 200, 60, "the cached chart")
            assert refused[0] == 503
            assert "The lakehouse is busy" in refused[1]["errors"][0]["message"]
        statuses = Counter(answer.result(timeout=120)[0] for answer in answers)
    assert statuses.keys() == {200, 503}
    assert statuses[200] <= 24
    assert shop.value("Sales", moment) == shop.rows()


def test_malformed_header_is_refused(shop: Shop, page: Page) -> None:
    right = moment_of(page)
    for wrong in (
        "gold.sales=1",
        "1/gold.sales=x.00000000",
        f"{right};",
        "1/gold.sales=1 OR 1=1.00000000",
        "a" * 7001,
    ):
        status, answer = shop.request("Sales", wrong)
        assert (status, HEADER in answer["message"]) == (400, True), wrong
    assert shop.request("Sales", f"{right},1/gold.nosuch=3.00000000")[0] == 200
    database = right.split("/", 1)[0]
    for gone in (f"{database}/gold.sales=1.ffffffff", right.replace("gold.sales=", "gold.sales=9")):
        status, answer = shop.request("Sales", gone)
        assert status == 409
        assert "Reload the page" in answer["errors"][0]["message"]


@pytest.fixture
def vacuumed(shop: Shop) -> Iterator[None]:
    """Removes the older versions of a table."""
    retention, check = (
        "delta.deletedFileRetentionDuration",
        "spark.databricks.delta.retentionDurationCheck.enabled",
    )
    shop.hive.sql("OPTIMIZE gold.sales")
    shop.hive.sql(f"ALTER TABLE gold.sales SET TBLPROPERTIES ('{retention}' = 'interval 0 hours')")
    shop.hive.conf.set(check, "false")
    shop.hive.sql("VACUUM gold.sales RETAIN 0 HOURS")
    yield
    shop.hive.conf.unset(check)
    shop.hive.sql(f"ALTER TABLE gold.sales UNSET TBLPROPERTIES ('{retention}')")


def test_removed_version_is_reported(shop: Shop, page: Page, request: pytest.FixtureRequest) -> None:
    moment = moment_of(page, fresh=True)
    shop.load()
    request.getfixturevalue("vacuumed")
    status, answer = shop.request("Revenue", moment)
    assert status >= 400
    text = json.dumps(answer)
    assert "was removed. Reload the page" in text
    assert "Exception" not in text
    assert shop.value("Revenue", moment_of(page, fresh=True)) == 10 * shop.rows()


def test_versions_require_access_to_the_dashboard(shop: Shop) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{shop.superset.server.url}/moment/shop", timeout=30)
    assert refused.value.code == 404
