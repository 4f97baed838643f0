"""The phone layout of dashboards: each chart in its own row, with the full width.

Superset keeps the columns of a row at any window width. A phone's browser receives the layout in one column; the stored
layout does not change.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

Tree = dict[str, Any]

COLUMNS = 12
TILE = 20
"""The maximum height of a number tile, in Superset's units."""
_PHONE = re.compile(r"\bMobi|\bAndroid\b|\biPhone\b")
_DASHBOARD = re.compile(r"^/api/v1/dashboard/[^/]+$")


def is_phone(agent: str) -> bool:
    """Whether a user agent is a phone's."""
    return bool(_PHONE.search(agent))


def stacked(tree: Tree) -> Tree:
    """The layout with each component in its own full-width row, in the same order.

    Two number tiles share a row: each is readable in half of a phone's width.
    """
    found: Tree = {key: dict(part) if isinstance(part, dict) else part for key, part in tree.items()}
    for part in list(found.values()):
        if isinstance(part, dict) and part.get("type") in ("GRID", "TAB"):
            part["children"] = [line for child in part["children"] for line in _lines(found, child)]
    return found


def _lines(tree: Tree, name: str) -> list[str]:
    row = tree[name]
    children = list(row.get("children", ()))
    if row.get("type") != "ROW" or not children or any(tree[child]["type"] == "COLUMN" for child in children):
        return [name]
    size = 2 if len(children) % 2 == 0 and all(_is_tile(tree[child]) for child in children) else 1
    groups = [children[at : at + size] for at in range(0, len(children), size)]
    lines = []
    for at, group in enumerate(groups):
        line = name if at == 0 else f"{name}-{at}"
        parents = [*row.get("parents", ()), line]
        tree[line] = {**row, "id": line, "children": group}
        for child in group:
            part = tree[child]
            tree[child] = {
                **part,
                "parents": parents,
                "meta": {**part.get("meta", {}), "width": COLUMNS // size},
            }
        lines.append(line)
    return lines


def _is_tile(part: Tree) -> bool:
    """Whether a component is a number tile."""
    return part.get("type") == "CHART" and part.get("meta", {}).get("height", TILE + 1) <= TILE


def install(app: Any) -> None:
    """Makes the application return stacked layouts to phones."""
    from flask import request

    def stack_for_phones(response: Any) -> Any:
        if (
            request.method == "GET"
            and response.status_code == HTTPStatus.OK
            and _DASHBOARD.match(request.path)
            and is_phone(request.headers.get("User-Agent", ""))
        ):
            body = response.get_json(silent=True)
            position = (body or {}).get("result", {}).get("position_json")
            if position:
                body["result"]["position_json"] = json.dumps(stacked(json.loads(position)))
                response.set_data(json.dumps(body))
        # An intermediate cache must not serve a phone's layout to others.
        if _DASHBOARD.match(request.path):
            response.headers.add("Vary", "User-Agent")
        return response

    app.after_request(stack_for_phones)
