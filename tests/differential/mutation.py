"""A mistake to put back into Goldsmith."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One mistake. breaks: the promise that it breaks. file: below src/. old: text that is there once. new: its replacement.

    found_by: pytest's selection, or `seeds A:B` for the differential tester.
    """

    breaks: str
    name: str
    file: str
    old: str
    new: str
    found_by: str
