"""Draws charts of a table's content. Lines scale with the page; their labels are HTML text outside the drawing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from markupsafe import Markup

from goldsmith.publish.report import scales
from goldsmith.publish.report.formats import declared_number, short, timestamp
from goldsmith.publish.report.model import ReportChart, Series
from goldsmith.publish.report.svg import element, join

WIDTH, HEIGHT = 1000.0, 240.0
COLOURS = 8
MARKS = 6
FIRST, LAST = 0.012, 0.94
"""Axis labels before FIRST or after LAST are aligned with that end. Half a label fits left of the axis."""

X = date | datetime | str | float


def draw(chart: ReportChart) -> Markup:
    """The chart as a figure; a chart without points shows a message."""
    points = [point for series in chart.series for point in series.points if point[1] is not None]
    if not points:
        body = element("p", chart.problem or "No values to draw.", class_="empty")
    elif chart.kind == "bar":
        body = _bars(chart)
    elif chart.kind == "number":
        body = join(element("p", _value(y, chart), class_="number") for _, y in points)
    else:
        body = _lines(chart)
    legend = _legend(chart.series) if len(chart.series) > 1 else Markup("")
    caption = element("figcaption", chart.title, title=chart.description or None)
    return element(
        "figure", caption, legend, body, class_="chart number" if chart.kind == "number" else "chart"
    )


def plot(
    drawing: Sequence[Markup],
    ys: Sequence[tuple[float, str]],
    xs: Sequence[tuple[float, str]],
    label: str,
    tips: Mapping[str, str],
) -> Markup:
    """A scalable drawing of WIDTH by HEIGHT, with its axes.

    ys, xs: (relative position from the bottom or the left, label). tips: attributes with the tooltip values for the
    page's script.
    """
    grid = [
        element(
            "path",
            d=f"M0 {HEIGHT * (1 - at):.1f}H{WIDTH:.0f}",
            class_="grid",
            vector_effect="non-scaling-stroke",
        )
        for at, _ in ys
    ]
    svg = element(
        "svg",
        *grid,
        *drawing,
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )
    upright = join(element("span", text, style=f"bottom:{at * 100:.1f}%") for at, text in ys)
    along = join(element("span", text, style=f"left:{at * 100:.1f}%", class_=_edge(at)) for at, text in xs)
    area = element("div", svg, class_="area", **tips)
    return element(
        "div", element("div", upright, class_="ys"), area, element("div", along, class_="xs"), class_="plot"
    )


def tips(
    labels: Sequence[str], values: Sequence[tuple[str, Sequence[str]]], positions: Sequence[float] = ()
) -> dict[str, str]:
    """Attributes for tooltips: labels of x, texts by series, relative positions of x (empty: evenly spaced)."""
    found = {"data_x": _json(labels), "data_s": _json(values)}
    if positions:
        found["data_at"] = _json([round(position * 1000) for position in positions])
    return found


def _edge(at: float) -> str | None:
    if at < FIRST:
        return "first"
    return "last" if at > LAST else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _lines(chart: ReportChart) -> Markup:
    values = [y for series in chart.series for _, y in series.points if y is not None]
    ticks = scales.number_ticks(min(values), max(values))
    low, span = ticks[0], ticks[-1] - ticks[0]
    xs = list(dict.fromkeys(x for series in chart.series for x, _ in series.points))
    positions, marks = _positions(xs)
    drawing: list[Markup] = []
    texts: list[tuple[str, list[str]]] = []
    order = sorted(range(len(xs)), key=lambda index: positions[index])
    for index, series in enumerate(chart.series):
        found = dict(series.points)
        ys = [found.get(xs[at]) for at in order]
        points = [
            (positions[at], None if y is None else (y - low) / span)
            for at, y in zip(order, ys, strict=True)
            if y is not None or xs[at] in found
        ]
        drawing.append(_path(points, f"line s{index % COLOURS}"))
        texts.append((series.label, [_value(y, chart) for y in ys]))
    upright = [((tick - low) / span, _tick(tick, chart)) for tick in ticks]
    label = f"{chart.title}: {', '.join(series.label for series in chart.series)} over {chart.x_label}"
    shown = tips([_text(xs[at]) for at in order], texts, [positions[at] for at in order])
    return plot(drawing, upright, marks, label, shown)


def _positions(xs: Sequence[X]) -> tuple[list[float], list[tuple[float, str]]]:
    """The relative position of each x from left to right, and the marks of the axis.

    Times and numbers have proportional distances; other values are evenly spaced.
    """
    times = [scales.as_time(x) for x in xs if isinstance(x, date)]
    numbers = [float(x) for x in xs if not isinstance(x, (date, str))]
    if len(times) == len(xs):
        low, high = min(times), max(times)
        span = (high - low).total_seconds() or 1.0
        least = timedelta(minutes=1) if any(isinstance(x, datetime) for x in xs) else timedelta(days=1)
        ticks_at = scales.time_ticks(low, high, least=least)
        marks = [((at - low).total_seconds() / span, text) for at, text in ticks_at]
        return [(at - low).total_seconds() / span for at in times], marks
    if len(numbers) == len(xs):
        first, most = min(numbers), max(numbers)
        width = (most - first) or 1.0
        ticks = [tick for tick in scales.number_ticks(first, most) if first <= tick <= most]
        return [(x - first) / width for x in numbers], [((t - first) / width, short(t)) for t in ticks]
    last = max(len(xs) - 1, 1)
    every = max(1, -(-len(xs) // MARKS))
    return (
        [index / last for index in range(len(xs))],
        [(index / last, _text(x)) for index, x in enumerate(xs) if index % every == 0],
    )


def _text(x: X) -> str:
    if isinstance(x, datetime):
        return timestamp(x).removesuffix(" 00:00")
    if isinstance(x, date):
        return x.isoformat()
    return x if isinstance(x, str) else declared_number(x, "")


def _value(value: float | None, chart: ReportChart) -> str:
    return declared_number(value, chart.format)


def _tick(value: float, chart: ReportChart) -> str:
    return f"{short(value * 100)}%" if chart.format.endswith("%") else short(value)


def _path(points: Sequence[tuple[float, float | None]], class_: str) -> Markup:
    steps: list[str] = []
    drawn = False
    for x, y in points:
        if y is None:
            drawn = False
            continue
        steps.append(f"{'L' if drawn else 'M'}{x * WIDTH:.0f} {HEIGHT * (1 - y):.1f}")
        if not drawn:
            steps.append("h0")
        drawn = True
    return element("path", d="".join(steps), class_=class_, vector_effect="non-scaling-stroke")


def _bars(chart: ReportChart) -> Markup:
    names = list(dict.fromkeys(_text(x) for series in chart.series for x, _ in series.points))
    by_series = [{_text(x): y for x, y in series.points} for series in chart.series]
    values = [abs(y) for found in by_series for y in found.values() if y is not None]
    most = max(values) or 1.0
    rows: list[Markup] = []
    for name in names:
        bars: list[Markup] = []
        for index, found in enumerate(by_series):
            y = found.get(name)
            bar = element("i", style=f"width:{abs(y or 0.0) / most * 100:.1f}%", class_=f"s{index % COLOURS}")
            bars.append(element("span", bar, element("b", _value(y, chart)), class_="bar"))
        rows.append(element("div", element("span", name, class_="name", title=name), element("div", *bars)))
    return element("div", *rows, class_="bars")


def _legend(series: Sequence[Series]) -> Markup:
    keys = (
        element("li", element("i", class_=f"key s{index % COLOURS}"), one.label)
        for index, one in enumerate(series)
    )
    return element("ul", *keys, class_="legend")
