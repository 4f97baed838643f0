"""Interrupts within a load: at its n-th call into Spark, a kill or a concurrent change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from py4j.java_gateway import JavaMember


class Killed(BaseException):
    """Ends a run like a kill: no handler catches it."""


@contextmanager
def at_call(number: int | None, act: Callable[[], None], *, after: bool = False) -> Iterator[None]:
    """Runs `act` once, before (or after) the body's n-th call of a Java method."""
    if number is None:
        yield
        return
    inner, mine, left = JavaMember.__call__, threading.get_ident(), [number]

    def call(self: JavaMember, *arguments: Any) -> Any:
        if threading.get_ident() != mine or left[0] <= 0:
            return inner(self, *arguments)
        left[0] -= 1
        if left[0]:
            return inner(self, *arguments)
        if not after:
            act()
            return inner(self, *arguments)
        result = inner(self, *arguments)
        act()
        return result

    JavaMember.__call__ = call
    try:
        yield
    finally:
        JavaMember.__call__ = inner


def kill() -> None:
    raise Killed
