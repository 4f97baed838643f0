"""A queue for queries to the Thrift Server, with limits of running queries in total and per user."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

SPARE = 8
"""Threads of the web server reserved for requests that do not wait for a query."""
AT_ONCE = 8
OF_ONE_READER = 4
PATIENCE = 60.0
"""The maximum time of a query in the queue, in seconds."""
_CHECK_SECONDS = 1.0
"""Seconds between two checks whether the user is still connected."""


class Busy(Exception):  # noqa: N818 - a temporary state of the server
    """The queue is full, or a query waited too long. The message is for the user."""


class ReaderLeft(Exception):  # noqa: N818 - an action of the user
    """The user left the page before the query started."""


def threads() -> int:
    """The number of threads of the web server."""
    return int(os.environ.get("SUPERSET_THREADS") or 32)


class QueryQueue:
    """Limits concurrent queries. Thread-safe.

    at_once: the maximum of running queries. of_one: the same per user. queued: the maximum of waiting queries; a further
    one is refused immediately. patience: the maximum waiting time, in seconds.
    """

    def __init__(
        self, *, queued: int, at_once: int = AT_ONCE, of_one: int = OF_ONE_READER, patience: float = PATIENCE
    ) -> None:
        self._at_once, self._of_one, self._queued, self._patience = at_once, of_one, queued, patience
        self._changed = Condition()
        self._running: Counter[str] = Counter()
        self._queue: list[tuple[str, object]] = []

    @classmethod
    def of_threads(cls, threads: int) -> QueryQueue:
        """A queue for a web server with a number of threads: each running or waiting query uses one."""
        at_once = max(1, min(AT_ONCE, threads - SPARE))
        return cls(at_once=at_once, queued=max(0, threads - SPARE - at_once))

    @contextmanager
    def slot(self, reader: str, gone: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Waits for a slot and holds it while the block runs.

        gone: whether the user has left the page. Raises Busy and ReaderLeft.
        """
        self._wait(reader, gone)
        try:
            yield
        finally:
            with self._changed:
                self._running[reader] -= 1
                self._changed.notify_all()

    def _wait(self, reader: str, gone: Callable[[], bool]) -> None:
        mine = (reader, object())
        until = time.monotonic() + self._patience
        with self._changed:
            self._queue.append(mine)
            self._changed.notify_all()
            try:
                if self._next() is not mine and len(self._queue) > self._queued:
                    waiting = len(self._queue) - 1
                    queued = "1 query is" if waiting == 1 else f"{waiting} queries are"
                    raise Busy(f"{queued} waiting already. Try again in a minute.")
                while self._next() is not mine:
                    if gone():
                        raise ReaderLeft
                    left = until - time.monotonic()
                    if left <= 0:
                        raise Busy(
                            f"The query waited {self._patience:.0f} s in the queue. Try again in a minute."
                        )
                    self._changed.wait(min(left, _CHECK_SECONDS))
                self._running[reader] += 1
            finally:
                self._queue.remove(mine)
                self._changed.notify_all()

    def _next(self) -> tuple[str, object] | None:
        """The next query to run: the first one of a user below the limit."""
        if self._running.total() >= self._at_once:
            return None
        return next((each for each in self._queue if self._running[each[0]] < self._of_one), None)
