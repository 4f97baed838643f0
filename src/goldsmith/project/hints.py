"""Hints for misspelled names: the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable

_LISTED = 12


def _distance(left: str, right: str) -> int:
    """The restricted Damerau-Levenshtein distance of two words."""
    before: list[int] = []
    last = list(range(len(right) + 1))
    for row, one in enumerate(left, start=1):
        now = [row]
        for col, other in enumerate(right, start=1):
            cost = min(last[col] + 1, now[col - 1] + 1, last[col - 1] + (one != other))
            if row > 1 and col > 1 and one == right[col - 2] and left[row - 2] == other:
                cost = min(cost, before[col - 2] + 1)
            now.append(cost)
        before, last = last, now
    return last[-1]


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was most likely meant, ignoring case; None if none is near.

    Near means at most one edit for three letters (at least one), or that one word is a prefix of the other.
    """
    lowered = word.lower()
    best: tuple[int, str] | None = None
    for candidate in sorted(candidates):
        other = candidate.lower()
        allowed = max(1, max(len(lowered), len(other)) // 3)
        if abs(len(lowered) - len(other)) <= allowed:
            edits = _distance(lowered, other)
        elif min(len(lowered), len(other)) > _PREFIX and (
            other.startswith(lowered) or lowered.startswith(other)
        ):
            edits = allowed
        else:
            continue
        if edits <= allowed and (best is None or edits < best[0]):
            best = (edits, candidate)
    return best[1] if best else None


_PREFIX = 3


def after_colon(message: str) -> str:
    """A message as the rest of a sentence after a colon."""
    return message[0].lower() + message[1:] + ("" if message.endswith(".") else ".")


def hint_for(word: str, candidates: Iterable[str]) -> str:
    """A hint for an unknown `word`: the nearest of `candidates`, or their list."""
    known = sorted(set(candidates))
    match = nearest(word, known)
    if match is not None:
        return f"Did you mean `{match}`?"
    if not known:
        return "None is declared."
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"Known: {', '.join(known[:_LISTED])}{more}."
