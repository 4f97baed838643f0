"""Converts a declared chart into a Superset chart: its parameters, and the query of its data endpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from goldsmith.project.dashboards import Chart, Kind
from goldsmith.project.relations import Relation
from goldsmith.publish.superset.assets import VERSION
from goldsmith.publish.superset.chart_queries import (
    ROWS,
    Params,
    hidden_metric,
    order_of,
    query_context,
)
from goldsmith.publish.superset.names import Names

_GRAINS = {"hour": "PT1H", "day": "P1D", "week": "P1W", "month": "P1M", "quarter": "P3M", "year": "P1Y"}
_VIZ: Mapping[Kind, str] = {
    "number": "big_number_total",
    "trend": "big_number",
    "line": "echarts_timeseries_line",
    "area": "echarts_area",
    "bar": "echarts_timeseries_bar",
    "pie": "pie",
    "heatmap": "heatmap_v2",
    "table": "table",
    "map": "deck_scatter",
}
_DECIMALS = re.compile(r"^(,?)(?:\.\d)?([df%])$")
"""D3 number formats with a fixed number of decimals."""
_TILES = "tile:///ground/{z}/{x}/{y}.png"
"""Superset's own map tiles, drawn by `goldsmith_superset.map_tiles`."""
_AMBER = {"r": 217, "g": 119, "b": 6, "a": 0.75}


def chart(dashboard: str, declared: Chart, relation: Relation, names: Names) -> dict[str, Any]:
    """A chart's asset. dashboard: its name; titles are unique in a dashboard."""
    params = {**_params(declared, relation), **declared.params}
    return {
        "slice_name": declared.title,
        "description": declared.description or None,
        "certified_by": None,
        "certification_details": None,
        "viz_type": str(params["viz_type"]),
        "params": params,
        "query_context": json.dumps(query_context(declared, params)),
        "cache_timeout": None,
        "uuid": chart_uuid(names, dashboard, declared.title),
        "version": VERSION,
        "dataset_uuid": names.uuid("dataset", relation.name),
    }


def chart_uuid(names: Names, dashboard: str, title: str) -> str:
    return names.uuid("chart", dashboard, title)


def _params(declared: Chart, relation: Relation) -> Params:
    shared: Params = {"viz_type": _VIZ[declared.kind], "adhoc_filters": _filters(declared)}
    return {**shared, **_BY_KIND[declared.kind](declared, relation)}


def _filters(declared: Chart) -> list[Params]:
    found: list[Params] = []
    if declared.time:
        # Without it a dashboard's time filter would not apply to the chart.
        found.append(
            {
                "clause": "WHERE",
                "expressionType": "SIMPLE",
                "subject": declared.time,
                "operator": "TEMPORAL_RANGE",
                "comparator": "No filter",
            }
        )
    if declared.filter:
        found.append({"clause": "WHERE", "expressionType": "SQL", "sqlExpression": declared.filter})
    return found


def _format(declared: Chart, relation: Relation) -> str:
    """The number format of the first metric that declares one."""
    formats = (relation.metrics[name].format for name in declared.metrics)
    return next((form for form in formats if form), "SMART_NUMBER")


def _axis_format(form: str) -> str:
    """The format for an axis, with as many decimals as its ticks need, so that no two ticks have the same label."""
    return _DECIMALS.sub(lambda found: f"{found[1]}.2~{'%' if found[2] == '%' else 'f'}", form)


def _number(declared: Chart, relation: Relation) -> Params:
    return {
        "metric": declared.metrics[0],
        "y_axis_format": _format(declared, relation),
        "header_font_size": 0.5,
        "subheader_font_size": 0.15,
    }


def _trend(declared: Chart, relation: Relation) -> Params:
    return {
        **_number(declared, relation),
        "x_axis": declared.time,
        "time_grain_sqla": _GRAINS.get(declared.grain or "day"),
        "show_trend_line": True,
        "start_y_axis_at_zero": True,
        "time_format": "smart_date",
    }


def _series(declared: Chart, relation: Relation) -> Params:
    """Lines, areas and bars along a time axis, or bars along an axis of values."""
    by_time = bool(declared.time) and not (declared.kind == "bar" and declared.grain is None)
    axis = declared.time if by_time else declared.dimensions[0]
    groups = list(declared.dimensions if by_time else declared.dimensions[1:])
    many = len(groups) + len(declared.metrics) > 1
    params: Params = {
        "x_axis": axis,
        "metrics": list(declared.metrics),
        "groupby": groups,
        "row_limit": ROWS,
        "order_desc": True,
        "show_legend": many,
        "legendOrientation": "top",
        "rich_tooltip": True,
        "tooltipTimeFormat": "smart_date",
        "y_axis_format": _axis_format(_format(declared, relation)),
        "truncateYAxis": False,
        "y_axis_bounds": [0, None],
    }
    if by_time:
        params["time_grain_sqla"] = _GRAINS.get(declared.grain or "day")
        params["x_axis_time_format"] = "smart_date"
        if groups and declared.limit:
            params["limit"] = declared.limit
    else:
        params["row_limit"] = declared.limit or ROWS
        params["xAxisForceCategorical"] = True
    if declared.sort and not by_time:
        name = declared.sort.removeprefix("-")
        params["x_axis_sort"] = name
        params["x_axis_sort_asc"] = not declared.sort.startswith("-")
        if hidden_metric(declared):
            # Superset queries a hidden sort metric only if this parameter names it too.
            params["timeseries_limit_metric"] = name
    if declared.kind == "line":
        params |= {"markerEnabled": True, "markerSize": 4, "connectNulls": False}
    if declared.kind == "area":
        params |= {"stack": "Stack", "opacity": 0.5}
    if declared.kind == "bar":
        params |= {"orientation": "horizontal" if declared.horizontal else "vertical"}
        if declared.stacked:
            params["stack"] = "Stack"
        if not by_time and not many:
            params["show_value"] = True
            # Each bar shows its value.
            params["y_axis_format"] = _format(declared, relation)
    return params


def _pie(declared: Chart, relation: Relation) -> Params:
    return {
        "metric": declared.metrics[0],
        "groupby": list(declared.dimensions),
        "row_limit": declared.limit or 100,
        "number_format": _format(declared, relation),
        "donut": True,
        "innerRadius": 45,
        "label_type": "key_percent",
        "show_legend": False,
        "sort_by_metric": True,
    }


def _heatmap(declared: Chart, relation: Relation) -> Params:
    across, down = declared.dimensions
    return {
        "x_axis": across,
        "groupby": down,
        "metric": declared.metrics[0],
        "row_limit": declared.limit or ROWS,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_asc",
        "normalize_across": "heatmap",
        "linear_color_scheme": "schemeOranges",
        "show_legend": False,
        "show_values": True,
        "show_percentage": False,
        "xscale_interval": 1,
        "yscale_interval": 1,
        "left_margin": "auto",
        "bottom_margin": "auto",
        "value_bounds": [None, None],
        "y_axis_format": _format(declared, relation),
    }


def _table(declared: Chart, _relation: Relation) -> Params:
    raw = bool(declared.columns)
    params: Params = {
        "query_mode": "raw" if raw else "aggregate",
        "all_columns": list(declared.columns),
        "groupby": list(declared.dimensions),
        "metrics": list(declared.metrics),
        "row_limit": declared.limit or 1000,
        "order_desc": not declared.sort or declared.sort.startswith("-"),
        "table_timestamp_format": "smart_date",
        "show_cell_bars": False,
        "include_search": False,
        "allow_rearrange_columns": True,
    }
    if raw:
        params["order_by_cols"] = [json.dumps(list(pair)) for pair in order_of(declared)]
    elif declared.sort:
        params["timeseries_limit_metric"] = declared.sort.removeprefix("-")
    return params


def _map(declared: Chart, _relation: Relation) -> Params:
    return {
        "spatial": {"type": "latlong", "latCol": declared.latitude, "lonCol": declared.longitude},
        "size": declared.metrics[0],
        "point_radius_fixed": {"type": "metric", "value": declared.metrics[0]},
        "point_unit": "square_km",
        "min_radius": 3,
        "max_radius": 28,
        "multiplier": 5,
        "legend_position": None,
        "tooltip_contents": [{"item_type": "column", "column_name": name} for name in declared.dimensions],
        "color_scheme_type": "fixed_color",
        "color_picker": _AMBER,
        "mapbox_style": _TILES,
        "autozoom": True,
        "row_limit": declared.limit or 5000,
        "time_range": "No filter",
    }


_BY_KIND: Mapping[Kind, Callable[[Chart, Relation], Params]] = {
    "number": _number,
    "trend": _trend,
    "line": _series,
    "area": _series,
    "bar": _series,
    "pie": _pie,
    "heatmap": _heatmap,
    "table": _table,
    "map": _map,
}
