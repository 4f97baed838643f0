"""The layout of a dashboard: rows of twelve columns, headings, and texts."""

from __future__ import annotations

from typing import Any

from goldsmith.project.dashboards import COLUMNS_OF_A_ROW, Dashboard, Kind, Row
from goldsmith.publish.superset.charts import chart_uuid
from goldsmith.publish.superset.names import Names

_PIXELS = 8
"""Superset's unit of height."""
_HEIGHTS: dict[Kind, int] = {"number": 136, "trend": 180, "map": 520}
_HEIGHT = 340
_TEXT = 56


def position(dashboard: Dashboard, names: Names) -> dict[str, Any]:
    """Superset's component tree. Charts are numbered from 1 in their order; the import renumbers them."""
    tree: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": dashboard.spec.title}},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "parents": ["ROOT_ID"], "children": []},
    }
    grid: list[str] = tree["GRID_ID"]["children"]
    number = 0
    for at, row in enumerate(dashboard.spec.rows, start=1):
        if row.heading:
            grid.append(_add(tree, f"HEADER-{at}", "HEADER", ("ROOT_ID", "GRID_ID"), _heading(row)))
        if row.text:
            line = _add(tree, f"ROW-text-{at}", "ROW", ("ROOT_ID", "GRID_ID"), _plain())
            grid.append(line)
            meta = {"code": row.text, "width": COLUMNS_OF_A_ROW, "height": _TEXT // _PIXELS}
            tree[line]["children"].append(
                _add(tree, f"MARKDOWN-{at}", "MARKDOWN", ("ROOT_ID", "GRID_ID", line), meta)
            )
        if not row.charts:
            continue
        line = _add(tree, f"ROW-{at}", "ROW", ("ROOT_ID", "GRID_ID"), _plain())
        grid.append(line)
        height = row.height or max(_HEIGHTS.get(chart.kind, _HEIGHT) for chart in row.charts)
        for chart, width in zip(row.charts, widths(row), strict=True):
            number += 1
            meta = {
                "uuid": chart_uuid(names, dashboard.name, chart.title),
                "chartId": number,
                "sliceName": chart.title,
                "width": width,
                "height": height // _PIXELS,
            }
            tree[line]["children"].append(
                _add(tree, f"CHART-{number}", "CHART", ("ROOT_ID", "GRID_ID", line), meta)
            )
    return tree


def widths(row: Row) -> list[int]:
    """The width of each chart: as declared, else an equal share of the rest, with the remainder for the first ones."""
    given = sum(chart.width or 0 for chart in row.charts)
    open_ones = [at for at, chart in enumerate(row.charts) if chart.width is None]
    found = [chart.width or 0 for chart in row.charts]
    for index, at in enumerate(open_ones):
        share, more = divmod(COLUMNS_OF_A_ROW - given, len(open_ones))
        found[at] = share + (index < more)
    return found


def _add(tree: dict[str, Any], name: str, kind: str, parents: tuple[str, ...], meta: dict[str, Any]) -> str:
    tree[name] = {"id": name, "type": kind, "parents": list(parents), "children": [], "meta": meta}
    return name


def _plain() -> dict[str, Any]:
    return {"background": "BACKGROUND_TRANSPARENT"}


def _heading(row: Row) -> dict[str, Any]:
    return {**_plain(), "text": row.heading, "headerSize": "MEDIUM_HEADER"}
