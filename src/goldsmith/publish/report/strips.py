"""Small drawings of runs, one cell for each: rows by run, verdicts by run, seconds by run and by table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from goldsmith.publish.report.charts import HEIGHT, WIDTH, plot, tips
from goldsmith.publish.report.formats import duration, interval, moment, number, short, utc
from goldsmith.publish.report.model import TableReport, TableRun, Verdict
from goldsmith.publish.report.scales import number_ticks
from goldsmith.publish.report.summary import Run
from goldsmith.publish.report.svg import element

LATEST = 60
"""How many runs are drawn."""

SPARKS = 30
"""How many verdicts are drawn."""

_STRIP = 34.0
_SIGN = 11.0
_SPARK = 20.0
_WIDE, _NARROW, _SPARK_CELL = 30.0, 12.0, 4.0
_ROOM = 960.0
_SIGNED = ("warned", "gate", "failed", "skipped")
OUTCOME_WORDS = {
    "done": "done",
    "nothing_new": "nothing new",
    "warned": "warned",
    "gate": "gate stopped",
    "failed": "failed",
    "skipped": "skipped",
    "never": "never run",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A table's span in a run, as shares of the run's."""

    table: str
    run: TableRun
    left: float
    width: float


def run_label(run: Run) -> str:
    """What stands for a run under the pointer: its interval, or when it started."""
    return interval(run.interval) if run.interval else moment(run.started_at)


def rows_strip(table: TableReport, runs: Sequence[Run]) -> Markup:
    """Rows of one table by run: written below, held back or dropped above, a sign where all was not well.

    Heights are relative to the table's own greatest run. A run that the table took no part in stays empty.
    """
    cell = max(_NARROW, min(_WIDE, _ROOM / max(len(runs), 1)))
    found = [run.tables.get(table.name) for run in runs]
    most = max((run.rows.written + _held(run) for run in found if run), default=0) or 1
    parts: list[Markup] = []
    for index, run in enumerate(found):
        if run is not None:
            parts.extend(_cell(run, (index + 0.14) * cell, cell * 0.72, (_STRIP - _SIGN - 1) / most))
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
    return element("div", svg, class_="strip", data_v="|".join(_told(run) for run in found))


def verdict_strip(verdicts: Sequence[Verdict]) -> Markup:
    """The share of failing rows by run; a run in which the expectation did not hold is marked."""
    shown = verdicts[-SPARKS:]
    most = max((_share(verdict) for verdict in shown), default=0.0) or 1.0
    parts: list[Markup] = []
    for index, verdict in enumerate(shown):
        height = max(2.0, _share(verdict) / most * (_SPARK - 2)) if not verdict.ok or verdict.failed else 2.0
        kind = "ok" if verdict.ok and not verdict.failed else "some" if verdict.ok else "bad"
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
    bad = sum(not verdict.ok for verdict in shown)
    label = f"Did not hold in {bad} of the latest {len(shown)} runs"
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


def seconds_chart(runs: Sequence[Run]) -> Markup:
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
    texts = [f"{duration(run.seconds)}, {OUTCOME_WORDS[run.outcome]}" for run in runs]
    shown = tips([run_label(run) for run in runs], [("", texts)])
    upright = [(tick / ticks[-1], f"{short(tick)} s") for tick in ticks]
    return plot(drawing, upright, marks, "Seconds by run", shown)


def _day(run: Run) -> str:
    at = run.interval.start if run.interval else run.started_at
    return f"{utc(at).day} {utc(at):%b}" if at else ""


def gantt(run: Run) -> tuple[Bar, ...]:
    """When each table that had something to do began and how long it took, in the order of their starts."""
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
    written, held = run.rows.written * scale, _held(run) * scale
    parts: list[Markup] = []
    if run.rows.written:
        parts.append(_rect(x, _STRIP - max(written, 1.5), width, max(written, 1.5), "written"))
    if held:
        parts.append(_rect(x, _STRIP - written - max(held, 1.5), width, max(held, 1.5), "held"))
    if not parts and run.outcome in ("done", "nothing_new"):
        parts.append(_rect(x, _STRIP - 1, width, 1, "none"))
    if run.outcome in _SIGNED:
        size = min(width, _SIGN)
        sign = element(
            "use",
            href=f"#i-{run.outcome}",
            x=x + (width - size) / 2,
            y=0.0 if parts else _STRIP - size - 2,
            width=size,
            height=size,
            class_=f"t-{run.outcome}",
        )
        parts.append(sign)
    return parts


def _rect(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    return element("rect", x=x, y=y, width=width, height=height, class_=class_)


def _held(run: TableRun) -> int:
    return run.rows.quarantined + run.rows.dropped


def _told(run: TableRun | None) -> str:
    if run is None:
        return "no record: nothing new, or not in this run"
    told = OUTCOME_WORDS[run.outcome]
    if run.rows.incoming:
        told += f": {number(run.rows.incoming)} in, {number(run.rows.written)} written"
    if run.rows.quarantined:
        told += f", {number(run.rows.quarantined)} quarantined"
    if run.rows.dropped:
        told += f", {number(run.rows.dropped)} dropped"
    return told


def _share(verdict: Verdict) -> float:
    if verdict.checked:
        return verdict.failed / verdict.checked
    return 0.0 if verdict.ok else 1.0


def sign(outcome: str) -> Markup:
    """The icon of an outcome; its word stands beside it or in its title."""
    return element(
        "svg",
        element("use", href=f"#i-{outcome}"),
        class_=f"icon t-{outcome}",
        width="16",
        height="16",
        aria_hidden="true",
    )
