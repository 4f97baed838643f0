"""The report in a real browser: no errors, no requests, no overflow, working controls."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.publish.report import render

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
report_sample = SimpleNamespace(
    **runpy.run_path(str(Path(__file__).parents[1] / "support" / "report_sample.py"))
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of a full report and of one for a project without runs."""
    folder = tmp_path_factory.mktemp("report")
    for name, data in (("full", report_sample.sample()), ("empty", report_sample.empty())):
        (folder / f"{name}.html").write_text(render(data), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in ("full", "empty")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def _open(browser: Any, address: str, width: int, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page, and a list of its console messages, errors and requests."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: faults.append(request.url) if request.url not in (address, "data:,") else None,
    )
    page.goto(address)
    return page, faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", ["full", "empty"])
def test_page_has_no_errors_and_fits_its_window(
    browser: Any, pages: dict[str, str], name: str, width: int, scheme: str
) -> None:
    page, faults = _open(browser, pages[name], width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.mouse.wheel(0, 20000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_sufficient_contrast(browser: Any, pages: dict[str, str], scheme: str) -> None:
    """WCAG 2 AA requires 4.5 to 1 between an element's text and the nearest opaque background."""
    page, _ = _open(browser, pages["full"], 1440, scheme)
    weak = page.evaluate(
        """() => {
          const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
          const rgb = (colour) => {
            paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
            return paint.getImageData(0, 0, 1, 1).data;
          };
          const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
          const weights = [0.2126, 0.7152, 0.0722];
          const light = (c) => weights.reduce((sum, weight, i) => sum + weight * linear(c[i] / 255), 0);
          const ground = (e) => {
            for (; e; e = e.parentElement) {
              const c = rgb(getComputedStyle(e).backgroundColor);
              if (c[3] === 255) return c;
            }
            return [255, 255, 255];
          };
          const found = new Set();
          for (const e of document.querySelectorAll("body *")) {
            if (e.closest("svg, script, style") || !e.offsetParent) continue;
            if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
            const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
            const ratio = (a + 0.05) / (b + 0.05);
            if (ratio < 4.5) found.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
          }
          return [...found];
        }"""
    )
    assert weak == []
    page.close()


def test_expectations_can_be_filtered(browser: Any, pages: dict[str, str]) -> None:
    page, faults = _open(browser, pages["full"], 1440)
    shown = page.locator(".exp-box:visible")
    every = shown.count()
    page.get_by_role("button", name="Not met").click()
    assert 0 < shown.count() < every
    page.get_by_role("searchbox").fill("weather")
    assert shown.count() == 1
    page.get_by_role("searchbox").fill("no such thing")
    assert page.get_by_text("No expectation matches.").is_visible()
    assert faults == []
    page.close()


def test_tooltip_shows_the_rows_of_a_run(browser: Any, pages: dict[str, str]) -> None:
    page, faults = _open(browser, pages["full"], 1440)
    strip = page.locator("tr", has=page.get_by_role("link", name="silver.departures")).locator(".strip")
    strip.scroll_into_view_if_needed()
    strip.locator("svg").hover(position={"x": 140, "y": 20})
    assert page.locator("#tip").inner_text().startswith("2013-01-05\nwarned: ")
    page.locator(".chart .area").first.hover(position={"x": 5, "y": 50})
    assert "EWR: " in page.locator("#tip").inner_text()
    assert faults == []
    page.close()


def test_box_links_to_its_table(browser: Any, pages: dict[str, str]) -> None:
    page, _ = _open(browser, pages["full"], 390)
    page.locator(".box[data-table='gold.carrier_month']").click()

    assert page.url.endswith("#t-gold.carrier_month")
    assert page.locator("[id='t-gold.carrier_month'] h3").bounding_box()["y"] < 200

    page.close()


def test_print_layout_is_expanded_and_not_cut_off(browser: Any, pages: dict[str, str]) -> None:
    page, _ = _open(browser, pages["full"], 794)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    page.close()
