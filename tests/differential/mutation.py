"""A mutation of Goldsmith's source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One mutation. breaks: the promise that it breaks. file: below src/.

    old: the text to replace, which occurs once. new: its replacement. found_by: pytest's selection, or `seeds A:B` for
    the differential tester.
    """

    breaks: str
    name: str
    file: str
    old: str
    new: str
    found_by: str
