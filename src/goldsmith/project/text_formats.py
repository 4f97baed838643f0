"""How values are written in delivered files: patterns of dates, marks in numbers, time zones, texts that mean NULL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = re.compile(r"'(?:[^']|'')*'")
_LETTERS = {
    "y": 9, "M": 4, "L": 4, "d": 2, "D": 3, "H": 2, "h": 2, "k": 2, "K": 2, "m": 2, "s": 2, "S": 6, "a": 1,
    "X": 5, "x": 5, "Z": 5, "z": 4, "O": 4, "V": 2,
}  # fmt: skip
"""The letters of Spark's patterns that it can parse, each with the greatest number of repetitions."""

_TIMES, _ZONES = frozenset("HhkKmsSa"), frozenset("XxZzOV")
_TWELVE = frozenset("hK")
EXAMPLE = "As in `day: {type: date, format: dd/MM/yyyy}`."


@dataclass(frozen=True)
class TextFormat:
    """How a column's values are written in delivered files. The fields are keys of a column: see docs/declarations.md."""

    format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    timezone: str | None = None
    nulls: tuple[str, ...] = ()

    @property
    def has_zone(self) -> bool:
        """Whether the pattern contains a time zone."""
        return not _ZONES.isdisjoint(_letters(self.format or ""))


def _letters(pattern: str) -> str:
    """A pattern without its quoted text."""
    return _QUOTED.sub("", pattern)


def pattern_mistakes(pattern: str, kind: str) -> Iterator[str]:
    """What is wrong with a pattern for a column of the type `kind`: date, timestamp or timestamp_ntz."""
    plain = _letters(pattern)
    if "'" in plain:
        yield "has a quote without an end"
        return
    if not plain.strip():
        yield "has no letters"
        return
    for found in re.finditer(r"([A-Za-z])\1*", plain):
        letter, count = found[1], len(found[0])
        if letter in "Ee":
            yield "has a day of the week, which Spark does not parse"
        elif letter not in _LETTERS:
            yield f"has the letter `{letter}`, which Spark does not parse"
        elif count > _LETTERS[letter]:
            yield f"has `{found[0]}`: `{letter}` occurs at most {_LETTERS[letter]} times in a row"
    used = set(plain)
    if "y" not in used or not ({"M", "d"} <= used or {"L", "d"} <= used or "D" in used):
        yield "does not determine a day: it needs year, month and day (`yyyy`, `MM`, `dd`)"
    if used & _TWELVE and "a" not in used:
        yield "has an hour of twelve without `a`: use `HH`, or add `a` for AM and PM"
    if kind == "date" and used & (_TIMES | _ZONES):
        yield "has a time, which the type `date` cannot keep: use the type `timestamp`"
    if kind == "timestamp_ntz" and used & _ZONES:
        yield "has a time zone, which the type `timestamp_ntz` cannot keep: use the type `timestamp`"
