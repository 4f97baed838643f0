"""Something that happens in the middle of a load: at its n-th call into Spark the process dies, or another acts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from py4j.java_gateway import JavaMember


class Died(BaseException):
    """Ends a run like a kill: nothing catches it on the way."""


@contextmanager
def at_call(number: int | None, act: Callable[[], None], *, after: bool = False) -> Iterator[None]:
    """Within the body `act` runs before (or after) the body's n-th call of a method of Java's, once."""
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


def die() -> None:
    raise Died
