"""Tells what a job says to people from what Spark's JVM says on the side. Without Airflow."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

_BEGINS = re.compile(
    r"^(\d\d/\d\d/\d\d \d\d:\d\d:\d\d (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S* (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b"
    r"|WARNING: |Picked up |Setting default log level|To adjust logging level|Using Spark's default log4j"
    r"|Using Spark's repl log4j|:: |log4j:|SLF4J|OpenJDK .* warning|Exception in thread|Warning: )"
)
_GOES_ON = re.compile(
    r"^(\s+at |\s*\.\.\. \d+ more|Caused by: |\s*Suppressed: |(java|javax|scala|org|com|io|py4j)\.[\w.$]+[:(])"
)

MOST = 5000
"""How many of the last lines are kept."""


class Chatter:
    """The JVM's lines, kept for the end. dropped: how many earlier ones are gone."""

    def __init__(self) -> None:
        self._kept: deque[str] = deque(maxlen=MOST)
        self._count = 0

    @property
    def dropped(self) -> int:
        return self._count - len(self._kept)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def sift(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines for people, as they come; the others are kept."""
        inside = False
        for raw in lines:
            line = raw.rstrip()
            inside = bool(_BEGINS.match(line) or (inside and _GOES_ON.match(line)))
            if inside:
                self._kept.append(line)
                self._count += 1
            else:
                yield line
