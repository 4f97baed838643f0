"""A dashboard of the short form as Superset's own: layout, filters, and what a click narrows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldsmith.project.dashboards import Chart, Dashboard, Filter
from goldsmith.project.relations import Relation
from goldsmith.publish.superset.assets import VERSION
from goldsmith.publish.superset.datasets import label
from goldsmith.publish.superset.layout import position
from goldsmith.publish.superset.names import Names, slug

Relations = Mapping[str, Relation]

_CSS = """\
.dashboard-component-chart-holder .ant-alert { overflow: auto; max-height: 100%; padding: 2px 8px; font-size: 12px;
  line-height: 1.3; }
.dashboard-component-chart-holder .ant-alert-message { margin: 0 !important; font-size: 12px; }
.dashboard-component-chart-holder .ant-alert-icon { display: none; }
@media (max-width: 799px) { .dashboard-content { padding: 0 !important; } .grid-container { margin: 8px !important; } }
"""
"""An error is read in a number's tile too, and a phone's width is for charts; `goldsmith_superset.phones` stacks them."""


def dashboard(declared: Dashboard, relations: Relations, names: Names) -> dict[str, Any]:
    """A dashboard's asset."""
    spec = declared.spec
    charts = [chart for _, chart in declared.charts]
    return {
        "dashboard_title": spec.title,
        "description": spec.description or None,
        "css": _CSS,
        "slug": declared.name,
        "certified_by": spec.owner,
        "certification_details": "Declared in git." if spec.owner else None,
        "published": True,
        "uuid": names.uuid("dashboard", declared.name),
        "position": position(declared, names),
        "metadata": {
            "color_scheme": "supersetColors",
            "label_colors": _colors(spec.colors, charts, relations),
            "filter_bar_orientation": "HORIZONTAL",
            "cross_filters_enabled": True,
            "expanded_slices": {},
            "refresh_frequency": 0,
            "timed_refresh_immune_slices": [],
            "native_filter_configuration": [
                _native(control, charts, relations, names) for control in spec.filters
            ],
            "global_chart_configuration": {"scope": {"rootPath": ["ROOT_ID"], "excluded": []}},
            "chart_configuration": _cross(charts, relations),
        },
        "version": VERSION,
    }


def _native(control: Filter, charts: list[Chart], relations: Relations, names: Names) -> dict[str, Any]:
    """A filter at the side; charts that it cannot narrow are out of its scope."""
    if control.kind == "time":
        left_out = [at for at, chart in enumerate(charts, start=1) if not chart.time]
        span = control.default[0] if control.default else None
        return {
            **_shared(control, left_out),
            "filterType": "filter_time",
            "targets": [{}],
            "controlValues": {"enableEmptyFilter": False},
            "defaultDataMask": {
                "extraFormData": {"time_range": span} if span else {},
                "filterState": {"value": span} if span else {},
                "ownState": {},
            },
        }
    table, _, column = str(control.column).rpartition(".")
    values = list(control.default)
    left_out = [at for at, chart in enumerate(charts, start=1) if not _has(relations[chart.table], column)]
    chosen = {"filters": [{"col": column, "op": "IN", "val": values}]} if values else {}
    return {
        **_shared(control, left_out),
        "filterType": "filter_select",
        "targets": [{"column": {"name": column}, "datasetUuid": names.uuid("dataset", table)}],
        "controlValues": {
            "enableEmptyFilter": False,
            "defaultToFirstItem": False,
            "multiSelect": True,
            "searchAllOptions": False,
            "inverseSelection": False,
        },
        "defaultDataMask": {
            "extraFormData": chosen,
            "filterState": {"value": values} if values else {},
            "ownState": {},
        },
    }


def _shared(control: Filter, left_out: list[int]) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{slug(control.title)}",
        "type": "NATIVE_FILTER",
        "name": control.title,
        "description": "",
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": left_out},
    }


def _cross(charts: list[Chart], relations: Relations) -> dict[str, Any]:
    """What a click on a chart's value narrows: the charts whose tables have the same columns."""
    found: dict[str, Any] = {}
    for at, chart in enumerate(charts, start=1):
        if not chart.dimensions:
            continue
        left_out = [
            other
            for other, beside in enumerate(charts, start=1)
            if other == at or not all(_has(relations[beside.table], name) for name in chart.dimensions)
        ]
        scope = {"rootPath": ["ROOT_ID"], "excluded": left_out}
        found[str(at)] = {"id": at, "crossFilters": {"scope": scope, "chartsInScope": []}}
    return found


def _colors(colors: Mapping[str, str], charts: list[Chart], relations: Relations) -> dict[str, str]:
    """A metric has its color under its name and under its label: charts look for either."""
    found = dict(colors)
    for chart in charts:
        for name in chart.metrics:
            if name in colors:
                found[label(name, relations[chart.table].metrics[name])] = colors[name]
    return found


def _has(relation: Relation, column: str) -> bool:
    return relation.columns is None or column in relation.columns
