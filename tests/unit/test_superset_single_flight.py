"""Concurrent requests for the same chart."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from goldsmith_superset.single_flight import Flights

SECONDS = 20


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class Chart:
    """A chart whose first query runs until `release` is set. queries: how often it was queried."""

    def __init__(self, flights: Flights, fails: bool = False) -> None:
        self.queries = 0
        self.started, self.release = Event(), Event()
        self._flights, self._fails, self._cached = flights, fails, False

    def read(self, key: str = "chart") -> str:
        with self._flights.joined(key):
            if self._cached:
                return "from the cache"
            self.queries += 1
            self.started.set()
            assert self.release.wait(SECONDS)
            if self._fails:
                raise ConnectionError
            self._cached = True
            return "queried"


def waiting(flights: Flights, count: int) -> None:
    for _ in range(SECONDS * 100):
        if flights.waiting == count:
            return
        Event().wait(0.01)
    pytest.fail(f"{flights.waiting} wait, not {count}")


def read_by(pool: ThreadPoolExecutor, chart: Chart, readers: int) -> list[Future[str]]:
    first = pool.submit(chart.read)
    assert chart.started.wait(SECONDS)
    return [first, *(pool.submit(chart.read) for _ in range(readers - 1))]


def test_readers_of_the_same_chart_share_one_query(pool: ThreadPoolExecutor) -> None:
    flights = Flights()
    chart = Chart(flights)
    reads = read_by(pool, chart, 4)
    waiting(flights, 3)
    chart.release.set()
    assert [read.result(SECONDS) for read in reads] == ["queried", *["from the cache"] * 3]
    assert chart.queries == 1


def test_another_chart_does_not_wait(pool: ThreadPoolExecutor) -> None:
    flights = Flights()
    slow, other = Chart(flights), Chart(flights)
    first = pool.submit(slow.read, "slow")
    assert slow.started.wait(SECONDS)
    other.release.set()
    assert pool.submit(other.read, "other").result(SECONDS) == "queried"
    slow.release.set()
    first.result(SECONDS)


def test_after_a_failure_all_that_waited_try_at_once(pool: ThreadPoolExecutor) -> None:
    flights = Flights()
    chart = Chart(flights, fails=True)
    reads = read_by(pool, chart, 3)
    waiting(flights, 2)
    chart.release.set()
    assert all(isinstance(read.exception(SECONDS), ConnectionError) for read in reads)
    assert chart.queries == 3
    waiting(flights, 0)
