"""The script in Superset's pages that makes all charts of a dashboard request the same versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from goldsmith_superset import versions

from support.page import CHROMIUM

PAGE = """<!doctype html><html><head><script src="/moment.js"></script></head><body><div>
<div class="header-with-actions" style="display: flex"><div>Shop</div><div class="right-button-panel">...</div></div>
</div></body></html>"""
REQUEST = """([chart, force]) => fetch('/api/v1/chart/data?form_data=x', {
    method: 'POST', headers: {'X-CSRFToken': 't'}, body: JSON.stringify({form_data: {slice_id: chart}, force}),
}).then(() => null)"""
STATUS = "#lakehouse-moment"


@dataclass
class Site:
    """A simulated server. version: of its only table. requests: charts and headers of their requests.

    refusals: the number of the next requests that it is too busy for.
    """

    page: Any
    version: int | None = 1
    look_ups: int = 0
    refusals: int = 0
    requests: list[tuple[int, str | None]] = field(default_factory=list)

    def answer(self, route: Any) -> None:
        path = urlsplit(route.request.url).path
        if path == "/moment.js":
            script = versions.__file__.replace("versions.py", "web/moment.js")
            route.fulfill(path=script, content_type="text/javascript")
        elif path.startswith("/moment/"):
            self.look_ups += 1
            answer = {"moment": f"1/gold.sales={self.version}.0a1b2c3d", "as_of": 1_795_370_878_093}
            route.fulfill(status=404 if self.version is None else 200, json=answer)
        elif path.startswith("/api/"):
            headers = route.request.headers
            assert headers["x-csrftoken"] == "t"
            chart = json.loads(route.request.post_data)["form_data"]["slice_id"]
            self.requests.append((chart, headers.get(versions.HEADER.lower())))
            self.refusals -= 1
            route.fulfill(status=503 if self.refusals >= 0 else 200, json={})
        else:
            route.fulfill(body=PAGE, content_type="text/html")

    def open(self) -> None:
        self.page.goto("http://superset.test/superset/dashboard/shop/")

    def request(self, chart: int, *, force: bool = False) -> int | None:
        """The version that a chart requests."""
        self.page.evaluate(REQUEST, [chart, force])
        requested, moment = self.requests[-1]
        assert requested == chart
        return None if moment is None else int(moment.split("=")[1].split(".")[0])


@pytest.fixture
def site() -> Iterator[Site]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(timezone_id="Europe/Vienna")
        page.clock.install()
        site = Site(page)
        page.route("**/*", site.answer)
        yield site
        browser.close()


def test_all_charts_request_the_same_versions_and_the_page_shows_their_time(site: Site) -> None:
    site.open()
    assert [site.request(chart) for chart in (1, 2)] == [1, 1]
    site.version = 2
    assert [site.request(chart) for chart in (3, 1)] == [1, 1]
    assert site.look_ups == 1
    assert site.page.inner_text(STATUS) == "As of 22 Nov 2026, 19:07"
    assert "Sunday" in site.page.get_attribute(f"{STATUS} span", "title")


def test_newer_data_is_shown_within_half_a_minute(site: Site) -> None:
    site.open()
    site.request(1)
    site.page.clock.run_for(31_000)
    assert site.page.locator(f"{STATUS} a").count() == 0
    site.version = 2
    site.page.clock.run_for(31_000)
    link = site.page.wait_for_selector(f"{STATUS} a")
    assert link.inner_text() == "Newer data: reload"
    assert site.request(1) == 1, "the page does not change"
    link.click()
    site.page.wait_for_function(
        f"document.querySelector('{STATUS}') && !document.querySelector('{STATUS} a')"
    )
    assert site.request(1) == 2


def test_refresh_uses_one_set_of_versions_during_loads(site: Site) -> None:
    site.open()
    assert [site.request(chart) for chart in (1, 2, 3)] == [1, 1, 1]
    site.version = 2
    assert site.request(1, force=True) == 2
    site.version = 3
    site.page.clock.run_for(4_000)
    assert [site.request(chart, force=True) for chart in (2, 3)] == [2, 2]
    assert [site.request(chart) for chart in (1, 2, 3)] == [2, 2, 2]
    site.page.clock.run_for(4_000)
    assert site.request(1, force=True) == 3, "the next refresh"


def test_refresh_of_one_chart_shows_that_others_are_older(site: Site) -> None:
    site.open()
    assert [site.request(chart) for chart in (1, 2)] == [1, 1]
    site.version = 2
    site.page.clock.run_for(10_000)
    assert site.request(1, force=True) == 2
    site.page.clock.run_for(3_100)
    assert "Older charts: reload" in site.page.inner_text(STATUS)
    assert site.request(2, force=True) == 2
    site.page.clock.run_for(3_100)
    assert "reload" not in site.page.inner_text(STATUS)


def test_reopened_dashboard_gets_new_versions(site: Site) -> None:
    site.open()
    assert site.request(1) == 1
    site.version = 2
    site.page.evaluate("history.pushState({}, '', '/dashboard/list/')")
    assert site.request(1) is None, "not a dashboard"
    site.page.evaluate("history.pushState({}, '', '/superset/dashboard/shop/')")
    assert site.request(1) == 2


def test_charts_load_without_versions(site: Site) -> None:
    site.version = None
    site.open()
    assert site.request(1) is None
    assert site.page.locator(STATUS).count() == 0


STATUS_OF_CHART = """() => {
    const send = new Request('/api/v1/chart/data', {
        method: 'POST', headers: {'X-CSRFToken': 't'}, body: JSON.stringify({form_data: {slice_id: 1}}),
    });
    window.status_of_chart = 0;
    fetch(send).then(answer => { window.status_of_chart = answer.status; });
}"""


@pytest.mark.parametrize(("refusals", "status"), [(3, 200), (1000, 503)])
def test_chart_is_requested_again_while_the_server_is_busy(site: Site, refusals: int, status: int) -> None:
    site.open()
    site.refusals = refusals
    site.page.evaluate(STATUS_OF_CHART)
    for _ in range(200):
        if site.page.evaluate("window.status_of_chart"):
            break
        site.page.clock.run_for(1_000)
    assert site.page.evaluate("window.status_of_chart") == status
    assert {moment for _, moment in site.requests} == {"1/gold.sales=1.0a1b2c3d"}
    if status == 200:
        assert len(site.requests) == refusals + 1
    else:
        assert 10 < len(site.requests) < 60
