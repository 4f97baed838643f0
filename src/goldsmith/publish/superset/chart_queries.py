"""The queries of Superset charts, which a chart's asset has beside its parameters."""

from __future__ import annotations

from typing import Any

from goldsmith.project.dashboards import Chart

Params = dict[str, Any]

ROWS = 10_000
"""The most rows of a chart without a limit."""


def hidden_metric(declared: Chart) -> str | None:
    """The metric that a chart is sorted by and does not show."""
    name = (declared.sort or "").removeprefix("-")
    shown = (*declared.dimensions, *declared.metrics, declared.time)
    return name if name and name not in shown else None


def order_of(declared: Chart) -> list[tuple[str, bool]]:
    """Columns or metrics to sort by, and whether in ascending order."""
    if not declared.sort:
        return []
    return [(declared.sort.removeprefix("-"), not declared.sort.startswith("-"))]


def query_context(declared: Chart, params: Params) -> Params:
    """The chart's query, as its page would send it."""
    axis = params.get("x_axis")
    dimensions: list[Any] = [*declared.dimensions, *declared.columns]
    if declared.kind == "map":
        dimensions = [declared.latitude, declared.longitude, *declared.dimensions]
    elif axis is not None:
        grain = params.get("time_grain_sqla")
        base: Params = {
            "columnType": "BASE_AXIS",
            "sqlExpression": axis,
            "label": axis,
            "expressionType": "SQL",
        }
        dimensions = [base | ({"timeGrain": grain} if grain else {}), *(d for d in dimensions if d != axis)]
    order: list[Any] = [list(pair) for pair in order_of(declared)]
    if not order and declared.metrics:
        order = [[declared.metrics[0], False]]
    query: Params = {
        "filters": [{"col": declared.time, "op": "TEMPORAL_RANGE", "val": "No filter"}]
        if declared.time
        else [],
        "extras": {"where": f"({declared.filter})"} if declared.filter else {},
        "columns": dimensions,
        "metrics": [*declared.metrics, *([hidden] if (hidden := hidden_metric(declared)) else [])] or None,
        "orderby": order,
        "row_limit": params.get("row_limit", ROWS),
        "order_desc": True,
        "annotation_layers": [],
        "url_params": {},
        "post_processing": [],
    }
    if declared.kind == "trend":
        query["orderby"] = []
    return {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query],
        "form_data": params,
        "result_format": "json",
        "result_type": "full",
    }
