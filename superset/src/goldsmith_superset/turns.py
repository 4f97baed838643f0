"""Turns at the Thrift Server: so many queries at once, fewer of one reader, and a short queue for the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

SPARE = 8
"""Threads of the web server that no query takes: pages, log-ins and /health are always answered."""
AT_ONCE = 8
OF_ONE_READER = 4
PATIENCE = 60.0
"""Seconds for which a query waits for its turn."""
_LOOK = 1.0
"""Seconds between two looks at whether the reader is still there."""


class Busy(Exception):  # noqa: N818 - a state of the server, which passes
    """Too many queries run and wait. The message is for the reader."""


class GivenUp(Exception):  # noqa: N818 - what the reader did
    """The reader has left the page before the query's turn came."""


class Turns:
    """Who may query now. Threads share it.

    at_once: queries that run. of_one: queries of one reader that run. queued: queries that wait; a further one is
    refused at once. patience: seconds that one waits.
    """

    def __init__(
        self, *, queued: int, at_once: int = AT_ONCE, of_one: int = OF_ONE_READER, patience: float = PATIENCE
    ) -> None:
        self._at_once, self._of_one, self._queued, self._patience = at_once, of_one, queued, patience
        self._changed = Condition()
        self._running: Counter[str] = Counter()
        self._queue: list[tuple[str, object]] = []

    @classmethod
    def of_threads(cls, threads: int) -> Turns:
        """The turns of a web server with so many threads: each query that runs or waits takes one."""
        at_once = max(1, min(AT_ONCE, threads - SPARE))
        return cls(at_once=at_once, queued=max(0, threads - SPARE - at_once))

    @contextmanager
    def taken(self, reader: str, gone: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Waits for a turn and keeps it for as long as the block runs.

        gone: whether the reader has left. Raises Busy and GivenUp.
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
                    those = "1 query is" if waiting == 1 else f"{waiting} queries are"
                    raise Busy(f"{those} waiting already. Try again in a minute.")
                while self._next() is not mine:
                    if gone():
                        raise GivenUp
                    left = until - time.monotonic()
                    if left <= 0:
                        raise Busy(
                            f"The query waited {self._patience:.0f} s for its turn. Try again in a minute."
                        )
                    self._changed.wait(min(left, _LOOK))
                self._running[reader] += 1
            finally:
                self._queue.remove(mine)
                self._changed.notify_all()

    def _next(self) -> tuple[str, object] | None:
        """The query that is to run now: the first one of a reader who does not run the most already."""
        if self._running.total() >= self._at_once:
            return None
        return next((each for each in self._queue if self._running[each[0]] < self._of_one), None)
