"""Separates a job's own output from the log of Spark's JVM. Without Airflow."""

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

MAX_LINES = 5000
"""The number of JVM log lines that are kept, the last ones."""


class JobLog:
    """The log of a job. Iterating yields the JVM's lines. dropped: the number of earlier JVM lines not kept.

    application: Spark's id of the job, once the job has printed it. on_application: called with it.
    """

    def __init__(self, on_application: Callable[[str], None] | None = None) -> None:
        self.application: str | None = None
        self._on_application = on_application
        self._jvm_lines: deque[str] = deque(maxlen=MAX_LINES)
        self._count = 0

    @property
    def dropped(self) -> int:
        return self._count - len(self._jvm_lines)

    def __iter__(self) -> Iterator[str]:
        return iter(self._jvm_lines)

    def __len__(self) -> int:
        return len(self._jvm_lines)

    def own_lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Yields the job's own lines as they arrive, and keeps the JVM's."""
        inside = False
        for raw in lines:
            line = raw.rstrip()
            inside = bool(_BEGINS.match(line) or (inside and _GOES_ON.match(line)))
            if inside:
                self._jvm_lines.append(line)
                self._count += 1
            else:
                self._detect_application(line)
                yield line

    def _detect_application(self, line: str) -> None:
        found = _APPLICATION.match(line)
        if found is not None:
            self.application = found[1]
            if self._on_application is not None:
                self._on_application(found[1])
