"""Renders the report as one self-contained HTML file. All data is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from goldsmith.project.models import LAYERS
from goldsmith.publish.report import charts, formats, graph, strips, summary
from goldsmith.publish.report.model import Cell, ReportData, TableReport
from goldsmith.publish.report.svg import element

HISTORY = 30
"""The number of runs in a table's history."""
SAMPLES = 3
"""The number of sample rows of an expectation or a quarantine."""
MAX_CELL = 80

_LETTER = 8.2
_BOX_ROOM = 52.0
_NARROWEST, _WIDEST, _LEAST = 208.0, 264.0, 172.0
_ROOM = 1186.0


def render(data: ReportData) -> str:
    """Renders the whole page."""
    every = summary.runs(data.tables)
    runs = every[-strips.LATEST :]
    picture = _picture(data.tables)
    values = {
        "data": data,
        "by_layer": {
            layer: tables for layer in LAYERS if (tables := [t for t in data.tables if t.layer == layer])
        },
        "by_name": {table.name: table for table in data.tables},
        "runs": runs,
        "run_count": len(every),
        "run_labels": "|".join(strips.run_label(run) for run in runs),
        "covered": summary.covered(data.tables),
        "headline": summary.headline(data),
        "overall": summary.worst([table.outcome for table in data.tables]),
        "notices": summary.notices(data),
        "totals": summary.totals(data.tables),
        "failing": summary.failing(data.tables),
        "expectations": [(table, one) for table in data.tables for one in table.expectations],
        "quarantined": [table for table in data.tables if table.quarantine.row_count],
        "picture": picture,
        "edges": draw_edges(picture),
        "seconds": _seconds(data.tables),
    }
    return _environment().get_template("report.html.j2").render(values)


def draw_edges(picture: graph.GraphLayout) -> Markup:
    """The edges between tables as smooth paths, drawn under the boxes."""
    paths = [
        element("path", d=_path_of(edge.points), class_="edge", data_from=edge.source, data_to=edge.target)
        for edge in picture.edges
    ]
    return element(
        "svg",
        *paths,
        width=picture.width,
        height=picture.height,
        viewBox=f"0 0 {picture.width:.1f} {picture.height:.1f}",
        aria_hidden="true",
    )


def sample_table(rows: Sequence[str]) -> Markup:
    """Rows, given as JSON objects, as an HTML table."""
    names, cells = formats.samples(rows[:SAMPLES])
    return cells_table(names, cells)


def cells_table(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Markup:
    """Rows as a scrollable HTML table. Long values are truncated, with the full value as a tooltip."""
    head = element("tr", *(element("th", name) for name in names))
    body = (element("tr", *(_cell(value) for value in row)) for row in rows)
    return element(
        "div",
        element("table", element("thead", head), element("tbody", *body)),
        class_="scroll",
        tabindex="0",
    )


def _cell(value: Cell) -> Markup:
    text = formats.cell(value)
    cut = text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    kind = "null" if value is None else "n" if is_number else None
    return element("td", cut, class_=kind, title=text if cut != text else None)


def _path_of(points: Sequence[tuple[float, float, float]]) -> str:
    _, x, y = points[0]
    steps = [f"M{x:.0f} {y:.1f}"]
    for left, right, level in points[1:]:
        half = (left - x) / 2
        steps.append(f"C{x + half:.0f} {y:.1f} {left - half:.0f} {level:.1f} {left:.0f} {level:.1f}")
        if (left, right, level) != points[-1]:
            steps.append(f"H{right:.0f}")
        x, y = right, level
    return "".join(steps)


def _picture(tables: Sequence[TableReport]) -> graph.GraphLayout:
    """The layout, with narrower boxes if they would not fit a wide page."""
    width = _box_width(tables)
    picture = graph.layout(tables, width)
    if picture.width <= _ROOM:
        return picture
    columns = round((picture.width - 2 * graph.MARGIN + graph.COLUMN_GAP) / (width + graph.COLUMN_GAP))
    return graph.layout(tables, max(_LEAST, width - (picture.width - _ROOM) / columns))


def _box_width(tables: Sequence[TableReport]) -> float:
    longest = max((len(table.name.partition(".")[2]) for table in tables), default=0)
    return min(max(longest * _LETTER + _BOX_ROOM, _NARROWEST), _WIDEST)


def _seconds(tables: Sequence[TableReport]) -> list[tuple[TableReport, float, int]]:
    """(table, seconds of all runs, number of started runs), the slowest first."""
    found = [
        (table, sum(run.seconds for run in table.runs), sum(run.started_at is not None for run in table.runs))
        for table in tables
    ]
    return sorted((one for one in found if one[2]), key=lambda one: -one[1])


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("goldsmith.publish.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        num=formats.number,
        short=formats.short,
        count=formats.count,
        when=formats.timestamp,
        span=formats.interval,
        took=formats.duration,
    )
    environment.globals.update(
        percent=formats.percent,
        draw=charts.draw,
        rows_strip=strips.rows_strip,
        results_strip=strips.results_strip,
        seconds_chart=strips.seconds_chart,
        gantt=strips.gantt,
        icon=strips.icon,
        labels=strips.OUTCOME_LABELS,
        sample_table=sample_table,
        cells_table=cells_table,
        HISTORY=HISTORY,
        SAMPLES=SAMPLES,
    )
    return environment
