"""Charts of Superset: their SQL, and how a logged-in browser shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from goldsmith.project.dashboards import Chart, Dashboard
from goldsmith.project.pipelines import Project
from goldsmith.project.relations import relations
from goldsmith.publish.superset.client import Server
from support.page import CHROMIUM

NOW = {"hours_since_load"}
"""Metrics whose values change every second."""
SHOWN = "canvas, table, .header-line, .ant-empty, [role=alert]"
"""A rendered chart has one of these, even if it is empty or shows an error."""
MOVES = 30
REFUSED = "Response"
"""The error of a page's script after a refused call. The call itself is recorded."""


def sql_of(project: Project, chart: Chart) -> str:
    """The SQL of a chart, derived only from its declaration."""
    relation = relations(project)[chart.table]
    where = f" WHERE {chart.filter}" if chart.filter else ""
    if chart.columns:
        return f"SELECT {', '.join(chart.columns)} FROM {chart.table}{where}"
    groups = {name: name for name in chart.dimensions}
    if chart.kind == "map":
        groups |= {str(chart.latitude): str(chart.latitude), str(chart.longitude): str(chart.longitude)}
    if chart.time and (chart.grain or chart.kind in ("trend", "line", "area")):
        groups[chart.time] = f"date_trunc('{chart.grain or 'day'}', {chart.time})"
    shown = [f"{expression} AS {name}" for name, expression in groups.items()]
    shown += [f"{relation.metrics[name].expression} AS {name}" for name in chart.metrics]
    by = f" GROUP BY {', '.join(groups.values())}" if groups else ""
    return f"SELECT {', '.join(shown)} FROM {chart.table}{where}{by}"


def plain(value: Any) -> Any:
    """A value in a form that both sides can compare."""
    match value:
        case datetime():
            at = value if value.tzinfo else value.replace(tzinfo=UTC)
            return round(at.timestamp())
        case date():
            return round(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
        case bool() | None:
            return value
        case int() | float() | Decimal():
            return None if math.isnan(value) else float(f"{float(value):.9g}")
    return str(value)


PHONE = "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"


@dataclass(frozen=True)
class Reader:
    """A logged-in user in a browser. errors: of the page's scripts and calls since it was opened."""

    server: Server
    page: Any
    errors: list[str] = field(default_factory=list)

    def open(self, dashboard: Dashboard) -> None:
        """Opens a dashboard and waits until every chart is rendered or shows an error."""
        self.errors.clear()
        address = f"{self.server.url}/superset/dashboard/{dashboard.name}/?standalone=2"
        self.page.goto(address, wait_until="domcontentloaded")
        self.page.wait_for_selector(".dashboard-component-chart-holder", timeout=120_000)
        self.page.wait_for_function(
            """([wanted, shown]) => {
                const charts = [...document.querySelectorAll('.dashboard-component-chart-holder')];
                return charts.filter(chart => chart.querySelector(shown)).length === wanted
                    && !document.querySelector('[data-test="loading-indicator"], .loading');
            }""",
            arg=[len(dashboard.charts), SHOWN],
            timeout=180_000,
        )

    def alerts(self) -> list[str]:
        """The error messages on the page."""
        found = self.page.locator("[role=alert], .ant-alert").all_inner_texts()
        return [alert.strip() for alert in found if alert.strip()]

    def photograph(self, picture: Path) -> None:
        """Takes a screenshot as soon as nothing on the page moves."""
        before = b""
        for _ in range(MOVES):
            now = self.page.screenshot(path=picture)
            if now == before:
                return
            before = now
            self.page.wait_for_timeout(300)

    def faults_of(self, dashboard: Dashboard, picture: Path) -> list[str]:
        """Opens a dashboard, takes a screenshot, and returns the errors on the page and of its calls."""
        self.open(dashboard)
        self.photograph(picture)
        return [*self.alerts(), *self.errors]

    def widths(self, dashboard: Dashboard) -> dict[str, int]:
        """The widths of the dashboard's page without and with Superset's own menus, in pixels."""
        found = {}
        for mode in ("?standalone=2", ""):
            self.page.goto(f"{self.server.url}/superset/dashboard/{dashboard.name}/{mode}")
            self.page.wait_for_selector(".dashboard-component-chart-holder", timeout=120_000)
            self.page.wait_for_load_state("networkidle")
            found[mode] = self.page.evaluate("document.documentElement.scrollWidth")
        return found


def refused(response: Any) -> bool:
    """Whether the server refused a call, except calls that store a dashboard's colors.

    Each page stores them. Superset refuses that to readers without edit permission, and the page ignores it.
    """
    return response.status >= 400 and "/colors?" not in response.url


@contextmanager
def browsing(server: Server, width: int, height: int = 4000, *, phone: bool = False) -> Iterator[Reader]:
    """Logs in. phone: as the browser of a phone. Skips without chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as begun:
        graphics = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = begun.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *graphics])
        kind = {"user_agent": PHONE, "is_mobile": True, "has_touch": True} if phone else {}
        page = browser.new_page(viewport={"width": width, "height": height}, **kind)
        reader = Reader(server, page)
        page.on(
            "pageerror", lambda error: reader.errors.append(str(error)) if str(error) != REFUSED else None
        )
        page.on(
            "response", lambda response: reader.errors.append(response.url) if refused(response) else None
        )
        # The map's tiles come from other servers.
        page.route(
            lambda url: not url.startswith((server.url, "data:", "blob:")), lambda route: route.abort()
        )
        page.goto(f"{server.url}/login/")
        page.fill("#username", server.user)
        page.fill("#password", server.password)
        page.press("#password", "Enter")
        page.wait_for_url(lambda url: "/login" not in url, timeout=60_000)
        yield reader
        browser.close()
