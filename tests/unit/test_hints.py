"""Did you mean."""

from __future__ import annotations

import pytest

from goldsmith.project.hints import hint_for, nearest

NAMES = ("carrier", "carrier_name", "dep_delay", "arr_delay", "origin", "dest")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("carier", "carrier"),
        ("Carrier", "carrier"),
        ("carrierr", "carrier"),
        ("acrrier", "carrier"),
        ("dep_dealy", "dep_delay"),
        ("carrier_nam", "carrier_name"),
        ("orig", "origin"),
        ("tailnum", None),
        ("x", None),
    ],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, NAMES) == meant


def test_tie_is_resolved_alphabetically() -> None:
    assert nearest("ay", ["by", "ax", "az"]) == "ax"


def test_hints() -> None:
    assert hint_for("orgin", NAMES) == "Did you mean `origin`?"
    assert hint_for("tailnum", ["b", "a"]) == "Known: a, b."
    assert hint_for("tailnum", []) == "None is declared."
    assert hint_for("zzz", [f"column_{i:02}" for i in range(15)]).endswith("column_11 and 3 more.")
