"""Runs a long command and prints its progress."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PAUSE = 10.0
"""Seconds between two progress checks."""
REPEAT = 30.0
"""Seconds after which the same progress is printed again."""
WIDTH = 100

_STEP = re.compile(r"^#\d+ \[(?P<stage>[^\]]*?) ?(?P<step>\d+/\d+)\] (?P<what>.+)$")
"""A step of a build in BuildKit's plain output."""


@dataclass(frozen=True)
class Ended:
    """The result of a command. seconds: its duration. output: its last lines, if captured."""

    code: int
    seconds: float
    output: tuple[str, ...] = ()


def watched(words: Sequence[str], doing: Callable[[], str], *, pause: float = PAUSE) -> Ended:
    """Runs a command and shows its output. doing: returns the current progress; empty prints nothing."""
    began = time.monotonic()
    process = subprocess.Popen(words)
    _watch(process, doing, began, pause)
    return Ended(process.returncode, time.monotonic() - began)


def built(words: Sequence[str], *, pause: float = PAUSE) -> Ended:
    """Runs a build with BuildKit's plain output, and prints its current step instead of the output."""
    began = time.monotonic()
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    lines: deque[str] = deque(maxlen=2000)
    steps: deque[str] = deque(maxlen=1)
    reader = threading.Thread(target=_read, args=(process, lines, steps), daemon=True)
    reader.start()
    _watch(process, lambda: steps[-1] if steps else "", began, pause)
    reader.join()
    return Ended(process.returncode, time.monotonic() - began, tuple(lines))


def step_of(line: str) -> str | None:
    """The step that starts with a line of a build's output; None for other lines."""
    found = _STEP.match(line)
    return f"step {found['step']}: {found['what']}" if found else None


def _read(process: subprocess.Popen[str], lines: deque[str], steps: deque[str]) -> None:
    assert process.stdout is not None
    for raw in process.stdout:
        line = raw.rstrip()
        lines.append(line)
        step = step_of(line)
        if step is not None:
            steps.append(step)


def _watch(process: subprocess.Popen[str], doing: Callable[[], str], began: float, pause: float) -> None:
    shown, at = "", began
    try:
        while True:
            try:
                process.wait(timeout=pause)
            except subprocess.TimeoutExpired:
                now, activity = time.monotonic(), doing()
                if activity and (activity != shown or now - at >= REPEAT):
                    shown, at = activity, now
                    print(_cut(f"  {now - began:.0f} s: {activity}"), flush=True)
            else:
                return
    except BaseException:
        # An interrupt also stops the command, so that nothing continues in the background.
        process.terminate()
        process.wait()
        raise


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
