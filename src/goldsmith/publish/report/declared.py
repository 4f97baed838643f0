"""Converts declared charts into queries of the report. Maps, heat maps and tables are drawn only in Superset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from goldsmith.project.dashboards import Chart, Grain
from goldsmith.project.relations import Relation, relations
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import Project
from goldsmith.publish.report.model import Cell, ReportChart, Series
from goldsmith.publish.report.suggest import MAX_BARS, MAX_LINES, finite, label, words

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


def declared_charts(project: Project, table: str) -> tuple[ChartQuery, ...] | None:
    """The charts of a table that the report draws; None if the table's pipeline has no dashboard."""
    pipeline = project.tables[table].pipeline
    dashboards = [each for each in project.dashboards.values() if each.pipeline == pipeline]
    if not dashboards:
        return None
    relation = relations(project)[table]
    charts = (chart for dashboard in dashboards for _, chart in dashboard.charts)
    return tuple(
        chart_query(chart, relation) for chart in charts if chart.table == table and chart.kind in DRAWN
    )


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
        (metric.label or words(name).capitalize(), metric.expression)
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
    lines: dict[str, list[tuple[date | str | float, float | None]]] = {}
    first = 0 if query.x is None else 1
    values_at = first + len(query.splits)
    for row in rows:
        at = _x(row[0]) if first else query.title
        split = ", ".join(label(cell) for cell in row[first:values_at])
        for (name, _), value in zip(query.measures, row[values_at:], strict=True):
            parts = [split] if query.splits else []
            if len(query.measures) > 1 or not parts:
                parts.append(name)
            lines.setdefault(", ".join(parts), []).append((at, finite(value)))
    kept = _largest(lines) if query.kind != "number" else list(lines)
    title = query.title if len(kept) == len(lines) else f"{query.title} ({len(kept)} of {len(lines)})"
    series = tuple(Series(name, tuple(points)) for name, points in lines.items() if name in kept)
    return ReportChart(
        query.kind, title, query.x_label, series, description=query.description, format=query.format
    )


def _largest(lines: dict[str, list[tuple[date | str | float, float | None]]]) -> list[str]:
    return sorted(lines, key=lambda name: -sum(abs(y or 0.0) for _, y in lines[name]))[:MAX_LINES]


def _x(value: Cell) -> date | str | float:
    if value is None or isinstance(value, (str, bool)):
        return label(value)
    return value if isinstance(value, date) else float(value)


def omitted_charts(project: Project, table: str) -> tuple[str, ...]:
    """The titles of a table's charts that only Superset draws."""
    charts: Iterable[Chart] = (chart for each in project.dashboards.values() for _, chart in each.charts)
    return tuple(chart.title for chart in charts if chart.table == table and chart.kind not in DRAWN)
