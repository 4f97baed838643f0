"""Converts a declared dashboard into a Superset dashboard: layout, filters, cross-filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldsmith.project.dashboards import Chart, Dashboard, Filter
from goldsmith.project.relations import Relation
from goldsmith.publish.superset.assets import VERSION
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
"""Errors fit into number tiles, and charts use the full width of a phone; `goldsmith_superset.phones` stacks them."""


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
    """A native filter. Charts that it cannot filter are excluded from its scope."""
    if control.kind == "time":
        excluded = [at for at, chart in enumerate(charts, start=1) if not chart.time]
        span = control.default[0] if control.default else None
        return {
            **_shared(control, excluded),
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
    excluded = [at for at, chart in enumerate(charts, start=1) if not _has(relations[chart.table], column)]
    chosen = {"filters": [{"col": column, "op": "IN", "val": values}]} if values else {}
    return {
        **_shared(control, excluded),
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


def _shared(control: Filter, excluded: list[int]) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{slug(control.title)}",
        "type": "NATIVE_FILTER",
        "name": control.title,
        "description": "",
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
    }


def _cross(charts: list[Chart], relations: Relations) -> dict[str, Any]:
    """The scope of cross-filters: a click on a value filters the charts whose tables have the same columns."""
    found: dict[str, Any] = {}
    for at, chart in enumerate(charts, start=1):
        if not chart.dimensions:
            continue
        excluded = [
            other
            for other, candidate in enumerate(charts, start=1)
            if other == at or not all(_has(relations[candidate.table], name) for name in chart.dimensions)
        ]
        scope = {"rootPath": ["ROOT_ID"], "excluded": excluded}
        found[str(at)] = {"id": at, "crossFilters": {"scope": scope, "chartsInScope": []}}
    return found


def _colors(colors: Mapping[str, str], charts: list[Chart], relations: Relations) -> dict[str, str]:
    """The colors, for a metric under both its name and its label, because charts use either."""
    found = dict(colors)
    for chart in charts:
        for name in chart.metrics:
            if name in colors:
                found[relations[chart.table].metrics[name].label_for(name)] = colors[name]
    return found


def _has(relation: Relation, column: str) -> bool:
    return relation.columns is None or column in relation.columns
