"""The phone layout of a dashboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from goldsmith_superset.phones import COLUMNS, is_phone, stacked

from goldsmith.yaml_text import parsed

ROOT = Path(__file__).parents[2]
ASSETS = sorted((ROOT / "superset/assets/dashboards").glob("*.yaml"))


@pytest.mark.parametrize("file", ASSETS, ids=lambda file: file.stem)
def test_phone_layout_has_all_charts_in_order_and_full_width(file: Path) -> None:
    position: dict[str, Any] = parsed(file.read_text(encoding="utf-8"))["position"]
    before = json.dumps(position)
    found = stacked(position)
    assert json.dumps(position) == before, "the stored layout does not change"
    rows = [found[name] for name in found["GRID_ID"]["children"] if found[name]["type"] == "ROW"]
    assert charts(found) == charts(position)
    for row in rows:
        parts = [found[name] for name in row["children"]]
        assert sum(part["meta"]["width"] for part in parts) <= COLUMNS
        assert len(parts) == 1 or {part["meta"]["height"] for part in parts} == {136 // 8}, (
            "only tiles share a row"
        )
        for part in parts:
            assert part["parents"][-1] == row["id"]


def charts(tree: dict[str, Any]) -> list[str]:
    rows = [tree[name] for name in tree["GRID_ID"]["children"]]
    return [tree[child]["id"] for row in rows for child in row.get("children", ())]


@pytest.mark.parametrize(
    ("agent", "phone"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", True),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            True,
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", False),
        ("", False),
    ],
)
def test_phone_is_detected_by_its_user_agent(agent: str, phone: bool) -> None:
    assert is_phone(agent) is phone
