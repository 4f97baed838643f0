"""Values that several tables of a run need alike."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from goldsmith.run.context import Shared


def test_a_value_is_computed_once_while_others_wait() -> None:
    shared, together, computed = Shared(), threading.Barrier(4), []

    def ask() -> int:
        together.wait()
        return shared.get("key", lambda: computed.append(1) or len(computed))

    with ThreadPoolExecutor(4) as pool:
        answers = [asked.result() for asked in [pool.submit(ask) for _ in range(4)]]
    assert answers == [1, 1, 1, 1]
    assert shared.get("other", lambda: 7) == 7


def test_a_failure_is_not_kept() -> None:
    shared = Shared()

    def fail() -> int:
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        shared.get("key", fail)
    assert shared.get("key", lambda: 3) == 3
