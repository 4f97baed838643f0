"""Looks up the newest versions of a database's tables, one thread at a time, and shares the result for some seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from goldsmith_superset.versions import Versions

SHARED = 5.0
"""How long a result is shared, in seconds."""
AT_ONCE = 0.0
"""The same for a forced refresh: only a look-up that starts later is shared."""
PATIENCE = 10.0
"""How long a thread waits for the look-up of another one, in seconds."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LookupResult:
    """The result of a look-up. versions: None before the first success. started: the time of its start."""

    versions: Versions | None
    started: float


class VersionLookup:
    """The look-ups of one database. Thread-safe.

    changed: called after a look-up with different versions than the previous one.
    """

    def __init__(
        self,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._changed, self._clock, self._patience = changed, clock, patience
        self._lock = Lock()
        self._found: LookupResult | None = None

    def versions(self, look: Callable[[], Versions], shared: float = SHARED) -> Versions | None:
        """The versions, at most `shared` seconds old; those of the last look-up while the server does not respond.

        look: queries the server. None before the first successful look-up.
        """
        begun = self._clock()
        known = self._found
        if known is not None and begun - known.started < shared:
            return known.versions
        if not self._lock.acquire(timeout=self._patience):
            return known.versions if known else None
        try:
            known = self._found
            # The look-up that this thread waited for is sufficient if it started later.
            if known is None or (known.started < begun and begun - known.started >= shared):
                self._look(look)
            assert self._found is not None
            return self._found.versions
        finally:
            self._lock.release()

    def _look(self, look: Callable[[], Versions]) -> None:
        before = self._found.versions if self._found else None
        started = self._clock()
        try:
            versions: Versions | None = look()
        except Exception as error:  # noqa: BLE001 - of the server, the network, or Superset
            # Cached charts are shown nevertheless, and a query reports the error.
            _LOG.warning("The look-up of the table versions failed: %s", error)
            versions = before
        self._found = LookupResult(versions, started)
        if versions != before:
            self._changed()
