"""The newest versions of a database's tables: looked up by one reader at a time, and shared by all for some seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from goldsmith_superset.moments import Versions

SHARED = 5.0
"""Seconds for which a look-up is shared."""
AT_ONCE = 0.0
"""The same where a reader asks for what is there now: only a look-up that begins later is shared."""
PATIENCE = 10.0
"""Seconds that a reader waits for another one's look-up."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What a look-up found. versions: None before the first that succeeded. asked: when the look-up began."""

    versions: Versions | None
    asked: float


class Lookup:
    """The look-ups of one database. Threads share it.

    changed: called after a look-up that found other versions than the one before.
    """

    def __init__(
        self,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._changed, self._clock, self._patience = changed, clock, patience
        self._lock = Lock()
        self._found: Found | None = None

    def versions(self, look: Callable[[], Versions], shared: float = SHARED) -> Versions | None:
        """The versions, not older than `shared` seconds; those of the last look-up while the server does not answer.

        look: asks the server. None where no look-up has succeeded yet.
        """
        begun = self._clock()
        known = self._found
        if known is not None and begun - known.asked < shared:
            return known.versions
        if not self._lock.acquire(timeout=self._patience):
            return known.versions if known else None
        try:
            known = self._found
            # The one that this thread waited for is good enough if it began later.
            if known is None or (known.asked < begun and begun - known.asked >= shared):
                self._look(look)
            assert self._found is not None
            return self._found.versions
        finally:
            self._lock.release()

    def _look(self, look: Callable[[], Versions]) -> None:
        before = self._found.versions if self._found else None
        asked = self._clock()
        try:
            versions: Versions | None = look()
        except Exception as error:  # noqa: BLE001 - of the server, of the way to it, of Superset
            # Charts that are kept are shown all the same, and a query says what is wrong.
            _LOG.warning("The tables' versions cannot be looked up: %s", error)
            versions = before
        self._found = Found(versions, asked)
        if versions != before:
            self._changed()
