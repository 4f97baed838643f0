"""A chart that several readers open at the same time is queried once; the others wait for the cached result."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Condition
from typing import Any

from goldsmith_superset.query_queue import SPARE, threads

_CHECK_SECONDS = 1.0
"""Seconds between two checks whether the user is still connected."""


class Flights:
    """Lets threads wait for the first one with the same key. Thread-safe. waiting: the number of waiting threads."""

    def __init__(self) -> None:
        self._ended = Condition()
        self._leading: set[Hashable] = set()
        self.waiting = 0

    @contextmanager
    def joined(self, key: Hashable, gone: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Runs the block after the one that runs with the same key, if there is one.

        Those that waited run concurrently: the first one left a result for them, or failed as they will. gone: whether
        the user has left the page, which ends the wait.
        """
        with self._ended:
            leads = key not in self._leading
            if leads:
                self._leading.add(key)
            else:
                self.waiting += 1
                try:
                    while key in self._leading and not gone():
                        self._ended.wait(_CHECK_SECONDS)
                finally:
                    self.waiting -= 1
        try:
            yield
        finally:
            if leads:
                with self._ended:
                    self._leading.discard(key)
                    self._ended.notify_all()


def install() -> None:
    """Patches the look-up of a chart's data. Refuses a chart that is not cached if too many wait for queries."""
    from superset.common.query_context_processor import QueryContextProcessor
    from superset.extensions import cache_manager

    from goldsmith_superset.door import busy
    from goldsmith_superset.request import reader_left

    flights, places = Flights(), BoundedSemaphore(max(1, threads() - SPARE))
    get: Callable[..., dict[str, Any]] = QueryContextProcessor.get_df_payload

    def get_df_payload(self: Any, query_obj: Any, force_cached: bool | None = False) -> dict[str, Any]:
        # Validation changes the query, and with it the key.
        query_obj.validate()
        key = self.query_cache_key(query_obj)
        if key is None or self._query_context.force or cache_manager.data_cache.has(key):
            return get(self, query_obj, force_cached)
        if not places.acquire(blocking=False):
            raise busy()
        try:
            with flights.joined(key, reader_left):
                return get(self, query_obj, force_cached)
        finally:
            places.release()

    QueryContextProcessor.get_df_payload = get_df_payload
