"""Dashboards on a phone: every chart in a row of its own, as wide as the screen.

Superset keeps the columns of a row however narrow the window is. A browser that says it is a phone's is given the
layout of a dashboard in one column; what is stored stays as it is.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

Tree = dict[str, Any]

COLUMNS = 12
TILE = 20
"""The height, in Superset's units, up to which a chart is a single figure."""
_PHONE = re.compile(r"\bMobi|\bAndroid\b|\biPhone\b")
_DASHBOARD = re.compile(r"^/api/v1/dashboard/[^/]+$")


def is_phone(agent: str) -> bool:
    """Whether a browser's name is a phone's."""
    return bool(_PHONE.search(agent))


def stacked(tree: Tree) -> Tree:
    """The layout with each row that holds several parts as several rows, in the same order, of the full width.

    Two number tiles stay side by side: each is readable in half of a phone's width.
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
    """Whether a part is as low as a single figure."""
    return part.get("type") == "CHART" and part.get("meta", {}).get("height", TILE + 1) <= TILE


def install(app: Any) -> None:
    """Has the application answer phones with stacked layouts."""
    from flask import request

    def answered(response: Any) -> Any:
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
        # A cache between must not give a phone's layout to others.
        if _DASHBOARD.match(request.path):
            response.headers.add("Vary", "User-Agent")
        return response

    app.after_request(answered)
