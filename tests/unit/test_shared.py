"""Values shared by several tables of a run."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from goldsmith.run.context import Shared


def test_value_is_computed_once_for_concurrent_callers() -> None:
    shared, together, computed = Shared(), threading.Barrier(4), []

    def request() -> int:
        together.wait()
        return shared.get("key", lambda: computed.append(1) or len(computed))

    with ThreadPoolExecutor(4) as pool:
        values = [future.result() for future in [pool.submit(request) for _ in range(4)]]
    assert values == [1, 1, 1, 1]
    assert shared.get("other", lambda: 7) == 7


def test_failure_is_not_cached() -> None:
    shared = Shared()

    def fail() -> int:
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        shared.get("key", fail)
    assert shared.get("key", lambda: 3) == 3
