"""Tells what a job says to people from what Spark's JVM says on the side. Without Airflow."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

_BEGINS = re.compile(
    r"^(\d\d/\d\d/\d\d \d\d:\d\d:\d\d (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S* (TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b"
    r"|WARNING: |Picked up |Setting default log level|To adjust logging level|Using Spark's default log4j"
    r"|Using Spark's repl log4j|:: |log4j:|SLF4J|OpenJDK .* warning|Exception in thread|Warning: )"
)
_GOES_ON = re.compile(
    r"^(\s+at |\s*\.\.\. \d+ more|Caused by: |\s*Suppressed: |(java|javax|scala|org|com|io|py4j)\.[\w.$]+[:(])"
)

_APPLICATION = re.compile(r"^Spark application (\S+) on ")
"""The line in which a job names its application."""

MOST = 5000
"""How many of the last lines are kept."""


class Chatter:
    """The JVM's lines, kept for the end. dropped: how many earlier ones are gone.

    application: Spark's id of the job, as soon as the job names it. named: called with it.
    """

    def __init__(self, named: Callable[[str], None] | None = None) -> None:
        self.application: str | None = None
        self._named = named
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
                self._notice(line)
                yield line

    def _notice(self, line: str) -> None:
        found = _APPLICATION.match(line)
        if found is not None:
            self.application = found[1]
            if self._named is not None:
                self._named(found[1])
