"""Readers who open dashboards again and again: errors, times of charts, and the age of pages.

    .venv/bin/python bench/readers.py flights health --readers 30 --seconds 120 --meanwhile "a command that loads"

SUPERSET_URL, SUPERSET_READER (analyst) and SUPERSET_READER_PASSWORD select the account; THRIFT_PORT,
SPARK_THRIFT_USER and SPARK_THRIFT_PASSWORD the server that is asked for the true versions. Exits with 1 if a chart
failed, or a page was older than the last load and `--age` seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

from dashboards import AT_ONCE, Thrift

PATIENCE = 150
BUSY_SECONDS = 90
HEADER = "X-Lakehouse-Moment"
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_ENTRY = re.compile(r"/([a-z0-9_.]+)=(\d+)\.")


class Browser:
    """A logged-in session, as a browser has it. Raises OSError without a response, HTTPError for an error."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        found = _TOKEN.search(self._read("/login/").decode())
        form = {"username": user, "password": password, "csrf_token": found[1] if found else ""}
        request = urllib.request.Request(
            f"{url}/login/", urlencode(form).encode(), {"Referer": f"{url}/login/"}
        )
        self._opener.open(request, timeout=PATIENCE).close()

    def json(self, path: str, headers: Mapping[str, str] = {}) -> Any:
        return json.loads(self._read(path, headers))

    def _read(self, path: str, headers: Mapping[str, str] = {}) -> bytes:
        with self._opener.open(
            urllib.request.Request(self._url + path, headers=dict(headers)), timeout=PATIENCE
        ) as answer:
            content: bytes = answer.read()
            return content


@dataclass
class Versions:
    """The newest versions of tables, as observed once a second."""

    thrift: Thrift
    times: list[float] = field(default_factory=list)
    seen: list[dict[str, int]] = field(default_factory=list)

    def watch(self, ended: threading.Event) -> None:
        """Observes the versions until `ended` is set. While the server does not answer, nothing is observed."""
        while not ended.wait(1):
            try:
                self._observe()
            except Exception as error:  # noqa: BLE001 - the server may be away for a while
                sys.stderr.write(f"versions: {str(error)[:120]}\n")

    def _observe(self) -> None:
        began = time.monotonic()
        rows = self.thrift.query("SELECT * FROM table_versions('gold', 'ops')")
        found = {f"{schema}.{table}": int(number) for schema, table, number, *_ in rows}
        self.times.append(began)
        self.seen.append(found)

    def before(self, moment: float) -> dict[str, int]:
        """The newest versions at a moment, as far as they were observed."""
        at = bisect_right(self.times, moment)
        return self.seen[at - 1] if at else {}


@dataclass(frozen=True)
class Answer:
    """A chart's answer. problem: empty if it has data."""

    seconds: float
    cached: bool
    problem: str


@dataclass(frozen=True)
class Page:
    """An opened dashboard. at: when its versions were asked for."""

    dashboard: str
    at: float
    versions: Mapping[str, int]
    answers: Sequence[Answer]


def opened(browser: Browser, dashboard: str, charts: Sequence[int]) -> Page:
    """Opens a dashboard as its page does: the versions first, then all charts. A page without versions has no chart."""
    at = time.monotonic()
    try:
        moment = str(browser.json(f"/moment/{dashboard}")["moment"])
    except OSError as error:
        return Page(dashboard, at, {}, [Answer(time.monotonic() - at, False, f"versions: {error}")])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda chart: _asked(browser, chart, moment), charts))
    versions = {table: int(number) for table, number in _ENTRY.findall(moment)}
    return Page(dashboard, at, versions, answers)


def _asked(browser: Browser, chart: int, moment: str) -> Answer:
    began = time.monotonic()
    try:
        result = _patiently(browser, f"/api/v1/chart/{chart}/data/", {HEADER: moment})["result"][0]
        problem = str(result.get("error") or "")
        return Answer(time.monotonic() - began, bool(result.get("is_cached")), problem)
    except urllib.error.HTTPError as error:
        return Answer(
            time.monotonic() - began, False, f"{error.code}: {error.read()[:200].decode(errors='replace')}"
        )
    except OSError as error:
        return Answer(time.monotonic() - began, False, str(error))


def _patiently(browser: Browser, path: str, headers: Mapping[str, str]) -> Any:
    """As a dashboard's page does (superset/src/goldsmith_superset/web/moment.js): repeats what a busy server refuses."""
    until, pause = time.monotonic() + BUSY_SECONDS, 0.5
    while True:
        try:
            return browser.json(path, headers)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() + pause > until:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(2 * pause, 4)


def quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)] if values else 0.0


def report(pages: Sequence[Page], versions: Versions, age: float) -> bool:
    """Prints the results; False for an error or a page that is too old."""
    answers = [answer for page in pages for answer in page.answers]
    print("| charts | answers | median | p95 | longest |\n|---|---|---|---|---|")
    for title, cached in (("from the cache", True), ("computed", False)):
        found = [answer.seconds for answer in answers if answer.cached == cached and not answer.problem]
        shown = [
            f"{value:.2f} s" for value in (quantile(found, 0.5), quantile(found, 0.95), max(found, default=0))
        ]
        print(f"| {' | '.join([title, str(len(found)), *shown])} |")
    problems = [answer.problem for answer in answers if answer.problem]
    old = [
        f"{page.dashboard}: {table} {page.versions[table]}, newest {number}"
        for page in pages
        for table, number in versions.before(page.at - age).items()
        if page.versions.get(table, number) < number
    ]
    print(f"\n{len(pages)} pages; {len(problems)} charts failed; {len(old)} tables of pages were too old.")
    for line in sorted(set(problems + old)):
        print(f"- {line}")
    return not (problems or old)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("dashboards", nargs="+")
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--pause", type=float, default=30, help="Seconds of a reader between two pages.")
    parser.add_argument(
        "--age", type=float, default=10, help="Seconds that a page may be behind the last load."
    )
    parser.add_argument("--meanwhile", default="", help="A command that runs while the readers read.")
    parser.add_argument("--thrift-port", type=int, default=int(os.environ.get("THRIFT_PORT", "10000")))
    given = parser.parse_args()
    url = os.environ.get("SUPERSET_URL", "http://127.0.0.1:8088").rstrip("/")
    user = os.environ.get("SUPERSET_READER", "analyst")
    browsers = [Browser(url, user, os.environ["SUPERSET_READER_PASSWORD"]) for _ in range(given.readers)]
    charts = {
        name: [each["id"] for each in browsers[0].json(f"/api/v1/dashboard/{name}/charts")["result"]]
        for name in given.dashboards
    }
    account = os.environ.get("SPARK_THRIFT_USER") or "analyst"
    thrift = Thrift("127.0.0.1", given.thrift_port, account, os.environ.get("SPARK_THRIFT_PASSWORD") or None)
    versions, ended = Versions(thrift), threading.Event()
    pages: list[Page] = []
    end = time.monotonic() + given.seconds

    def read(number: int) -> None:
        # Readers do not open their pages in step.
        ended.wait(given.pause * number / given.readers)
        at = number
        while time.monotonic() < end:
            name = given.dashboards[at % len(given.dashboards)]
            pages.append(opened(browsers[number], name, charts[name]))
            at += 1
            ended.wait(given.pause)

    with ThreadPoolExecutor(given.readers + 1) as pool:
        watched = pool.submit(versions.watch, ended)
        command = subprocess.Popen(given.meanwhile, shell=True) if given.meanwhile else None
        try:
            for done in [pool.submit(read, number) for number in range(given.readers)]:
                done.result()
            if command is not None and command.wait() != 0:
                sys.exit(f"The command failed: {given.meanwhile}")
        finally:
            ended.set()
        watched.result()
    if not report(pages, versions, given.age):
        sys.exit(1)


if __name__ == "__main__":
    main()
