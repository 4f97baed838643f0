"""Mistakes to put back into Goldsmith one at a time: each must be found by a test or by seeds.

`python -m differential.mutating` applies them; see there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One mistake. file: below src/. old: text that is there once. new: what takes its place.

    found_by: pytest's selection, or `seeds A:B` for the differential tester.
    """

    name: str
    file: str
    old: str
    new: str
    found_by: str


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="removed rows are not applied by a merge",
        file="goldsmith/run/slices.py",
        old="    if changes.removed is not None:\n        then =",
        new="    if False:\n        then =",
        found_by="tests/spark/test_merge_properties.py",
    ),
    Mutation(
        name="a changed lookup does not rebuild",
        file="goldsmith/run/planning.py",
        old='    if lookups:\n        return whole("rebuild"',
        new='    if False:\n        return whole("rebuild"',
        found_by="seeds 0:200",
    ),
)
