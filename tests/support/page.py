"""Problems of a page in a real browser: console errors, requests, horizontal overflow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def problems_of(page_file: Path, *, width: int) -> list[str]:
    """Console errors, failed scripts, external requests, horizontal overflow. Skips without chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found: list[str] = []
    address = page_file.as_uri()
    with sync_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on(
            "console",
            lambda message: found.append(f"console: {message.text}") if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: found.append(f"script: {error}"))
        page.on(
            "request",
            lambda request: found.append(f"request: {request.url}") if request.url != address else None,
        )
        page.goto(address)
        page.wait_for_load_state("load")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if overflow > 0:
            found.append(f"{overflow} pixels wider than a window of {width}")
        browser.close()
    return found
