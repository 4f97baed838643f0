"""The query queue: limits per user and in total, and the messages of refused queries."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from goldsmith_superset.query_queue import Busy, QueryQueue, ReaderLeft
from goldsmith_superset.sessions import is_closed


class Query:
    """A query in its own thread, which runs until `end` is called."""

    def __init__(
        self, pool: ThreadPoolExecutor, queue: QueryQueue, reader: str, gone: Callable[[], bool]
    ) -> None:
        self.runs, self._end = Event(), Event()
        self.done: Future[None] = pool.submit(self._run, queue, reader, gone)

    def _run(self, queue: QueryQueue, reader: str, gone: Callable[[], bool]) -> None:
        with queue.slot(reader, gone):
            self.runs.set()
            assert self._end.wait(20)

    def end(self) -> None:
        self._end.set()
        self.done.result(20)


Start = Callable[..., Query]


@contextmanager
def asking(queue: QueryQueue) -> Iterator[Start]:
    started: list[Query] = []

    def count() -> int:
        return queue._running.total() + len(queue._queue)

    with ThreadPoolExecutor(16) as pool:

        def start(reader: str, gone: Callable[[], bool] = lambda: False) -> Query:
            there = count()
            started.append(Query(pool, queue, reader, gone))
            # The next query follows this one.
            with queue._changed:
                assert queue._changed.wait_for(lambda: count() > there, 20)
            return started[-1]

        yield start
        for query in started:
            query._end.set()


def test_user_with_many_charts_leaves_slots_to_others() -> None:
    queue = QueryQueue(at_once=3, of_one=2, queued=9)
    with asking(queue) as start:
        mine = [start("ada") for _ in range(4)]
        for query in mine[:2]:
            assert query.runs.wait(20)
        yours = start("bob")
        assert yours.runs.wait(20)
        assert not any(query.runs.is_set() for query in mine[2:])
        mine[0].end()
        assert mine[2].runs.wait(20)
        assert not mine[3].runs.is_set()


def test_queue_length_is_limited_by_the_threads() -> None:
    queue = QueryQueue(at_once=1, of_one=1, queued=1)
    with asking(queue) as start:
        runs = start("ada")
        assert runs.runs.wait(20)
        waits = start("bob")
        with pytest.raises(Busy, match="1 query is waiting already"), queue.slot("eve"):
            pass
        runs.end()
        assert waits.runs.wait(20)


def test_query_that_waits_too_long_is_refused() -> None:
    queue = QueryQueue(at_once=1, of_one=1, queued=1, patience=0.1)
    with asking(queue) as start:
        assert start("ada").runs.wait(20)
        with pytest.raises(Busy, match=r"waited 0 s .* Try again"), queue.slot("bob"):
            pass


def test_user_who_left_gets_no_slot() -> None:
    queue = QueryQueue(at_once=1, of_one=1, queued=2)
    with asking(queue) as start:
        runs = start("ada")
        assert runs.runs.wait(20)
        with pytest.raises(ReaderLeft), queue.slot("bob", gone=lambda: True):
            pass
        after = start("bob")
        runs.end()
        assert after.runs.wait(20)


@pytest.mark.parametrize("threads", [1, 8, 9, 16, 32])
def test_threads_are_reserved_for_pages(threads: int) -> None:
    queue = QueryQueue.of_threads(threads)
    assert queue._at_once >= 1
    assert queue._at_once + queue._queued <= max(1, threads - 8)


def test_closed_connection_is_detected() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            assert not is_closed(ours)
            theirs.send(b"x")
            assert not is_closed(ours)
            assert ours.recv(2) == b"x"
        assert is_closed(ours)
    assert is_closed(ours)
