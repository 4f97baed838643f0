"""Converts declared charts into queries of the report. Maps, heat maps and tables are drawn only in Superset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from goldsmith.project.dashboards import Chart, Grain
from goldsmith.project.pipelines import Project
from goldsmith.project.relations import Relation, relations
from goldsmith.project.sql.text import quoted
from goldsmith.publish.report.model import Cell, ReportChart
from goldsmith.publish.report.series import Point, finite, label, largest, words, x_of
from goldsmith.publish.report.suggest import MAX_BARS

DRAWN = frozenset({"number", "trend", "line", "area", "bar", "pie"})
"""The kinds of charts that the report draws."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of a chart. order: the aggregate that orders them. limit: their maximum number.

    is_reversed: whether the first bar of the order is the last one drawn.
    """

    order: str
    is_descending: bool
    limit: int
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class ChartQuery:
    """A chart's query in Spark SQL: group by x and the splits, and compute the measures.

    x: None for a single number. splits: the expressions of the series. measures: (label, aggregate). bars: None for
    lines, which are ordered by x, and for numbers. format: the declared number format, in D3's notation.
    """

    kind: Literal["line", "bar", "number"]
    title: str
    description: str
    x: str | None
    x_label: str
    splits: tuple[str, ...]
    measures: tuple[tuple[str, str], ...]
    where: str | None
    bars: Bars | None
    format: str


@dataclass(frozen=True, slots=True)
class TableCharts:
    """The declared charts of a table. omitted: the titles of those that only Superset draws."""

    drawn: tuple[ChartQuery, ...]
    omitted: tuple[str, ...]


def declared_charts(project: Project) -> dict[str, TableCharts]:
    """The charts of gold tables, by table name, without tables for which charts are suggested.

    These are tables that no chart reads, of pipelines without a dashboard.
    """
    found: dict[str, TableCharts] = {}
    known = relations(project)
    with_dashboards = {dashboard.pipeline for dashboard in project.dashboards.values()}
    charts = [chart for dashboard in project.dashboards.values() for _, chart in dashboard.charts]
    for name, table in project.tables.items():
        own = [chart for chart in charts if chart.table == name]
        if table.layer == "gold" and (own or table.pipeline in with_dashboards):
            drawn = tuple(chart_query(chart, known[name]) for chart in own if chart.kind in DRAWN)
            found[name] = TableCharts(drawn, tuple(c.title for c in own if c.kind not in DRAWN))
    return found


def chart_query(chart: Chart, relation: Relation) -> ChartQuery:
    """The query of a declared chart of a kind in DRAWN."""
    by_time = chart.time is not None and chart.kind not in ("number", "pie")
    by_time = by_time and not (chart.kind == "bar" and chart.grain is None)
    dimensions = [quoted(name) for name in chart.dimensions]
    x: str | None
    if by_time:
        x, x_label = _truncated(chart.time or "", chart.grain or "day"), chart.time or ""
    elif chart.kind == "number":
        x, x_label, dimensions = None, "", []
    else:
        x, x_label, dimensions = dimensions[0], chart.dimensions[0], dimensions[1:]
    metrics = [relation.metrics[name] for name in chart.metrics]
    kind: Literal["line", "bar", "number"] = "line" if by_time else "number" if x is None else "bar"
    measures = tuple(
        (metric.label_for(name), metric.expression)
        for name, metric in zip(chart.metrics, metrics, strict=True)
    )
    return ChartQuery(
        kind=kind,
        title=chart.title,
        description=chart.description,
        x=x,
        x_label=words(x_label),
        splits=tuple(dimensions),
        measures=measures,
        where=chart.filter,
        bars=_bars(chart, relation) if kind == "bar" else None,
        format=next((metric.format for metric in metrics if metric.format), ""),
    )


def _truncated(column: str, grain: Grain) -> str:
    start = f"date_trunc('{grain}', {quoted(column)})"
    # An axis of dates has no hours.
    return start if grain == "hour" else f"CAST({start} AS date)"


def _bars(chart: Chart, relation: Relation) -> Bars:
    limit = min(chart.limit or MAX_BARS, MAX_BARS)
    if chart.sort is None:
        return Bars(relation.metrics[chart.metrics[0]].expression, True, limit, False)
    name = chart.sort.removeprefix("-")
    metric = relation.metrics.get(name)
    order = metric.expression if metric else f"min({quoted(name)})"
    # Superset draws the first of horizontal bars at the bottom.
    return Bars(order, chart.sort.startswith("-"), limit, chart.horizontal)


def chart_of(query: ChartQuery, rows: Sequence[Sequence[Cell]]) -> ReportChart:
    """The chart with its values. rows: x unless it is None, then the splits, then the measures.

    Only the largest series are kept if there are too many to distinguish; the title shows the number.
    """
    lines: dict[str, list[Point]] = {}
    first = 0 if query.x is None else 1
    values_at = first + len(query.splits)
    for row in rows:
        at = x_of(row[0]) if first else query.title
        split = ", ".join(label(cell) for cell in row[first:values_at])
        for (name, _), value in zip(query.measures, row[values_at:], strict=True):
            parts = [split] if query.splits else []
            if len(query.measures) > 1 or not parts:
                parts.append(name)
            lines.setdefault(", ".join(parts), []).append((at, finite(value)))
    series, suffix = largest(lines)
    return ReportChart(
        query.kind,
        query.title + suffix,
        query.x_label,
        series,
        description=query.description,
        format=query.format,
    )
