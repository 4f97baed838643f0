"""The memory of permissions."""

from __future__ import annotations

from goldsmith_superset.permissions import Memory


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_result_is_remembered_for_its_time() -> None:
    clock = Clock()
    memory, asked = Memory(10, clock), []

    def find() -> int:
        asked.append(clock.now)
        return len(asked)

    assert [memory.get("key", find), memory.get("key", find)] == [1, 1]
    clock.now = 9.9
    assert memory.get("key", find) == 1
    clock.now = 10
    assert memory.get("key", find) == 2


def test_keys_are_separate() -> None:
    memory = Memory()
    assert memory.get(("user", 1), lambda: False) is False
    assert memory.get(("user", 2), lambda: True) is True
    assert memory.get(("user", 1), lambda: True) is False


def test_a_result_from_before_forget_is_not_remembered() -> None:
    memory = Memory()

    def changed_meanwhile() -> str:
        memory.forget()
        return "old"

    assert memory.get("key", changed_meanwhile) == "old"
    assert memory.get("key", lambda: "new") == "new"
