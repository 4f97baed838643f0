"""Turns at the Thrift Server: how many queries run, whose, and what the others are told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from goldsmith_superset.sessions import is_closed
from goldsmith_superset.turns import Busy, GivenUp, Turns


class Query:
    """A query in a thread of its own, which runs until it is ended."""

    def __init__(self, pool: ThreadPoolExecutor, turns: Turns, reader: str, gone: Callable[[], bool]) -> None:
        self.runs, self._end = Event(), Event()
        self.done: Future[None] = pool.submit(self._run, turns, reader, gone)

    def _run(self, turns: Turns, reader: str, gone: Callable[[], bool]) -> None:
        with turns.taken(reader, gone):
            self.runs.set()
            assert self._end.wait(20)

    def end(self) -> None:
        self._end.set()
        self.done.result(20)


Start = Callable[..., Query]


@contextmanager
def asking(turns: Turns) -> Iterator[Start]:
    started: list[Query] = []

    def count() -> int:
        return turns._running.total() + len(turns._queue)

    with ThreadPoolExecutor(16) as pool:

        def start(reader: str, gone: Callable[[], bool] = lambda: False) -> Query:
            there = count()
            started.append(Query(pool, turns, reader, gone))
            # The next one comes after this one.
            with turns._changed:
                assert turns._changed.wait_for(lambda: count() > there, 20)
            return started[-1]

        yield start
        for query in started:
            query._end.set()


def test_a_reader_of_many_charts_leaves_turns_to_others() -> None:
    turns = Turns(at_once=3, of_one=2, queued=9)
    with asking(turns) as start:
        mine = [start("ada") for _ in range(4)]
        for query in mine[:2]:
            assert query.runs.wait(20)
        yours = start("bob")
        assert yours.runs.wait(20)
        assert not any(query.runs.is_set() for query in mine[2:])
        mine[0].end()
        assert mine[2].runs.wait(20)
        assert not mine[3].runs.is_set()


def test_no_more_wait_than_the_web_server_has_threads_for() -> None:
    turns = Turns(at_once=1, of_one=1, queued=1)
    with asking(turns) as start:
        runs = start("ada")
        assert runs.runs.wait(20)
        waits = start("bob")
        with pytest.raises(Busy, match="1 query is waiting already"), turns.taken("eve"):
            pass
        runs.end()
        assert waits.runs.wait(20)


def test_a_query_that_waited_too_long_is_told_so() -> None:
    turns = Turns(at_once=1, of_one=1, queued=1, patience=0.1)
    with asking(turns) as start:
        assert start("ada").runs.wait(20)
        with pytest.raises(Busy, match=r"waited 0 s .* Try again"), turns.taken("bob"):
            pass


def test_a_reader_who_left_takes_no_turn() -> None:
    turns = Turns(at_once=1, of_one=1, queued=2)
    with asking(turns) as start:
        runs = start("ada")
        assert runs.runs.wait(20)
        with pytest.raises(GivenUp), turns.taken("bob", gone=lambda: True):
            pass
        after = start("bob")
        runs.end()
        assert after.runs.wait(20)


@pytest.mark.parametrize("threads", [1, 8, 9, 16, 32])
def test_threads_are_left_for_pages(threads: int) -> None:
    turns = Turns.of_threads(threads)
    assert turns._at_once >= 1
    assert turns._at_once + turns._queued <= max(1, threads - 8)


def test_a_connection_that_was_closed_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            assert not is_closed(ours)
            theirs.send(b"x")
            assert not is_closed(ours)
            assert ours.recv(2) == b"x"
        assert is_closed(ours)
    assert is_closed(ours)
