"""Small charts with one cell per run: rows, expectation results, seconds; and the latest run's timeline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from goldsmith.publish.report.charts import HEIGHT, WIDTH, plot, tips
from goldsmith.publish.report.formats import duration, interval, number, short, timestamp, utc
from goldsmith.publish.report.model import ExpectationResult, TableReport, TableRun
from goldsmith.publish.report.scales import number_ticks
from goldsmith.publish.report.summary import RunReport
from goldsmith.publish.report.svg import element

LATEST = 60
"""The number of runs shown."""

MAX_RESULTS = 30
"""The number of expectation results shown."""

_STRIP = 34.0
_ICON = 11.0
_SPARK = 20.0
_WIDE, _NARROW, _SPARK_CELL = 30.0, 12.0, 4.0
_ROOM = 960.0
_WITH_ICON = ("warned", "gate", "failed", "skipped")
OUTCOME_LABELS = {
    "done": "done",
    "nothing_new": "nothing new",
    "warned": "warned",
    "gate": "stopped by a gate",
    "failed": "failed",
    "skipped": "skipped",
    "never": "never run",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A table's time span in a run, relative to the run's."""

    table: str
    run: TableRun
    left: float
    width: float


def run_label(run: RunReport) -> str:
    """The label of a run in tooltips: its interval, or its start."""
    return interval(run.interval) if run.interval else timestamp(run.started_at)


def rows_strip(table: TableReport, runs: Sequence[RunReport]) -> Markup:
    """Rows of one table by run: written below, quarantined or dropped above, with an icon unless it succeeded.

    Heights are relative to the table's largest run. A run without the table is empty.
    """
    cell = max(_NARROW, min(_WIDE, _ROOM / max(len(runs), 1)))
    found = [run.tables.get(table.name) for run in runs]
    most = max((run.rows.written + _rejected(run) for run in found if run), default=0) or 1
    parts: list[Markup] = []
    for index, run in enumerate(found):
        if run is not None:
            parts.extend(_cell(run, (index + 0.14) * cell, cell * 0.72, (_STRIP - _ICON - 1) / most))
    width = cell * len(runs)
    svg = element(
        "svg",
        *parts,
        width=width,
        height=_STRIP,
        viewBox=f"0 0 {width:.1f} {_STRIP:.0f}",
        role="img",
        aria_label=f"Rows of {table.name} by run",
    )
    return element("div", svg, class_="strip", data_v="|".join(_tooltip(run) for run in found))


def results_strip(results: Sequence[ExpectationResult]) -> Markup:
    """The share of failing rows by run; runs in which the expectation was not met are marked."""
    shown = results[-MAX_RESULTS:]
    most = max((_share(result) for result in shown), default=0.0) or 1.0
    parts: list[Markup] = []
    for index, result in enumerate(shown):
        height = max(2.0, _share(result) / most * (_SPARK - 2)) if not result.ok or result.failed else 2.0
        kind = "ok" if result.ok and not result.failed else "some" if result.ok else "bad"
        parts.append(
            element(
                "rect",
                x=index * _SPARK_CELL,
                y=_SPARK - height,
                width=_SPARK_CELL - 1,
                height=height,
                class_=kind,
            )
        )
    width = max(len(shown), 1) * _SPARK_CELL
    bad = sum(not result.ok for result in shown)
    label = f"Not met in {bad} of the latest {len(shown)} runs"
    return element(
        "svg",
        element("title", label),
        *parts,
        width=width,
        height=_SPARK,
        viewBox=f"0 0 {width:.0f} {_SPARK:.0f}",
        role="img",
        class_="spark",
    )


def seconds_chart(runs: Sequence[RunReport]) -> Markup:
    """Seconds from start to end, run by run."""
    ticks = number_ticks(0.0, max((run.seconds for run in runs), default=1.0), 4)
    cell = WIDTH / max(len(runs), 1)
    drawing = [
        element(
            "rect",
            x=index * cell + cell * 0.1,
            y=HEIGHT * (1 - run.seconds / ticks[-1]),
            width=cell * 0.8,
            height=HEIGHT * run.seconds / ticks[-1],
            class_=f"o-{run.outcome}",
        )
        for index, run in enumerate(runs)
    ]
    every = math.ceil(len(runs) / 6) or 1
    marks = [((index + 0.5) / len(runs), _day(run)) for index, run in enumerate(runs) if index % every == 0]
    texts = [f"{duration(run.seconds)}, {OUTCOME_LABELS[run.outcome]}" for run in runs]
    shown = tips([run_label(run) for run in runs], [("", texts)])
    upright = [(tick / ticks[-1], f"{short(tick)} s") for tick in ticks]
    return plot(drawing, upright, marks, "Seconds by run", shown)


def _day(run: RunReport) -> str:
    at = run.interval.start if run.interval else run.started_at
    return f"{utc(at).day} {utc(at):%b}" if at else ""


def gantt(run: RunReport) -> tuple[Bar, ...]:
    """Start and duration of each table that loaded, ordered by start."""
    begin, whole = run.started_at, run.seconds or 1.0
    if begin is None:
        return ()
    started = [
        (name, one, (utc(one.started_at) - begin).total_seconds() / whole)
        for name, one in run.tables.items()
        if one.started_at and one.outcome != "nothing_new"
    ]
    bars = [Bar(name, one, left, one.seconds / whole) for name, one, left in started]
    return tuple(sorted(bars, key=lambda bar: bar.left))


def _cell(run: TableRun, x: float, width: float, scale: float) -> list[Markup]:
    written, rejected = run.rows.written * scale, _rejected(run) * scale
    parts: list[Markup] = []
    if run.rows.written:
        parts.append(_rect(x, _STRIP - max(written, 1.5), width, max(written, 1.5), "written"))
    if rejected:
        parts.append(_rect(x, _STRIP - written - max(rejected, 1.5), width, max(rejected, 1.5), "rejected"))
    if not parts and run.outcome in ("done", "nothing_new"):
        parts.append(_rect(x, _STRIP - 1, width, 1, "none"))
    if run.outcome in _WITH_ICON:
        size = min(width, _ICON)
        icon = element(
            "use",
            href=f"#i-{run.outcome}",
            x=x + (width - size) / 2,
            y=0.0 if parts else _STRIP - size - 2,
            width=size,
            height=size,
            class_=f"t-{run.outcome}",
        )
        parts.append(icon)
    return parts


def _rect(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    return element("rect", x=x, y=y, width=width, height=height, class_=class_)


def _rejected(run: TableRun) -> int:
    return run.rows.quarantined + run.rows.dropped


def _tooltip(run: TableRun | None) -> str:
    if run is None:
        return "no record: nothing new, or not in this run"
    text = OUTCOME_LABELS[run.outcome]
    if run.rows.rows_in:
        text += f": {number(run.rows.rows_in)} in, {number(run.rows.written)} written"
    if run.rows.quarantined:
        text += f", {number(run.rows.quarantined)} quarantined"
    if run.rows.dropped:
        text += f", {number(run.rows.dropped)} dropped"
    return text


def _share(result: ExpectationResult) -> float:
    if result.checked:
        return result.failed / result.checked
    return 0.0 if result.ok else 1.0


def icon(outcome: str) -> Markup:
    """The icon of an outcome. Its label is next to it or in its title."""
    return element(
        "svg",
        element("use", href=f"#i-{outcome}"),
        class_=f"icon t-{outcome}",
        width="16",
        height="16",
        aria_hidden="true",
    )
