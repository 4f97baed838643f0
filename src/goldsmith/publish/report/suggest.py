"""Suggests charts for a table without declared charts, from its column types and some of its rows.

Counts may be added up. Means, shares and percentiles may not, so they are drawn only if each point is one row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from goldsmith.project.types import family, is_temporal
from goldsmith.publish.report.model import Cell, ReportChart
from goldsmith.publish.report.series import MAX_LINES, Point, finite, label, largest, words, x_of

MAX_BARS = 20
MAX_MEASURES = 3

_NOT_A_MEASURE = re.compile(r"(^|_)(id|key|code|year|month|day|hour|minute|lat|lon|latitude|longitude|rank)$")
_NOT_A_SUM = re.compile(
    r"(^|_)(mean|avg|average|median|mode|p\d+|pct|percent|percentage|rate|ratio|share|min|max|std|stddev"
    r"|first|last|score|price|speed|distance|temp|temperature|age|per)(_|$)"
)


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """The definition of a chart: group by x and series, and aggregate each measure.

    aggregate: `sum` adds up a measure; `only` means that a group has one row (in SQL, `any_value`). limit: the number
    of bars, the largest by the first measure; None for lines, in the order of x.
    """

    kind: Literal["line", "bar"]
    title: str
    x: str
    series: str | None
    measures: tuple[str, ...]
    aggregate: Literal["sum", "only"]
    limit: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row for `chart_from`: x, the series column if any, the measures."""
        return (self.x, *((self.series,) if self.series else ()), *self.measures)


def suggest_chart(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]]) -> ChartSpec | None:
    """The most useful chart of a table; None if no column can be drawn.

    columns: (name, Spark SQL type). rows: consecutive rows ordered by the first time column. They show whether a time
    or a name occurs in several rows.
    """
    found = suggest_charts(columns, rows, limit=1)
    return found[0] if found else None


def suggest_charts(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]], limit: int = 2
) -> tuple[ChartSpec, ...]:
    """Up to `limit` charts over the same x: counts first, then means and the like."""
    measures = [
        name for name, kind in columns if family(kind) == "number" and not _NOT_A_MEASURE.search(name)
    ]
    if not measures:
        return ()
    times = [name for name, kind in columns if is_temporal(kind)]
    names = [name for name, kind in columns if family(kind) in ("text", "boolean")]
    table = _Sample(tuple(name for name, _ in columns), rows)
    specs: list[ChartSpec] = []
    for x in times:
        if not rows or table.distinct(x) > 1:
            specs = _lines(x, measures, names, table)
            break
    if not specs:
        specs = _bars(names, measures, table)
    return tuple(specs[:limit])


def chart_from(spec: ChartSpec, rows: Sequence[Sequence[Cell]]) -> ReportChart:
    """The chart of a definition and its fetched rows, which have the columns `spec.columns`.

    Only the largest series are kept if there are too many to distinguish; the title shows the number. Rows without an
    x are ignored.
    """
    lines: dict[str, list[Point]] = {}
    first = 2 if spec.series else 1
    for row in rows:
        if row[0] is None:
            continue
        for measure, value in zip(spec.measures, row[first:], strict=True):
            name = label(row[1]) if spec.series else words(measure)
            lines.setdefault(name, []).append((x_of(row[0]), finite(value)))
    series, suffix = largest(lines)
    return ReportChart(spec.kind, spec.title + suffix, words(spec.x), series)


class _Sample:
    """Sample rows with statistics of their columns."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self._index = {name: position for position, name in enumerate(names)}
        self._rows = rows

    def values(self, name: str) -> list[Cell]:
        return [row[self._index[name]] for row in self._rows]

    def distinct(self, *names: str) -> int:
        return len(set(zip(*(self.values(name) for name in names), strict=True)))

    def is_unique(self, *names: str) -> bool:
        return bool(self._rows) and self.distinct(*names) == len(self._rows)

    def size(self, name: str) -> float:
        """The largest absolute value of a measure."""
        numbers = [
            abs(float(v)) for v in self.values(name) if v is not None and not isinstance(v, (str, date))
        ]
        return max(numbers, default=0.0)


def _lines(x: str, measures: Sequence[str], names: Sequence[str], table: _Sample) -> list[ChartSpec]:
    sums = [name for name in measures if not _NOT_A_SUM.search(name)]
    others = [name for name in measures if name not in sums]
    if table.is_unique(x):
        together = _comparable(measures, table)
        apart = [name for name in measures if name not in together]
        groups = [together, *([_comparable(apart, table)] if apart else [])]
        return [_line(x, None, group, "only") for group in groups]
    splits = [name for name in names if 1 < table.distinct(name) <= MAX_LINES]
    for split in splits:
        if table.is_unique(x, split):
            best = [*sums[:1], *others[:1], *sums[1:], *others[1:]]
            return [_line(x, split, (name,), "only") for name in best]
    return [_line(x, splits[0] if splits else None, (name,), "sum") for name in sums]


def _line(
    x: str, series: str | None, measures: tuple[str, ...], aggregate: Literal["sum", "only"]
) -> ChartSpec:
    title = _title(measures) + (f" by {words(series)}" if series else "")
    return ChartSpec("line", title, x, series, measures, aggregate)


def _bars(names: Sequence[str], measures: Sequence[str], table: _Sample) -> list[ChartSpec]:
    sums = [name for name in measures if not _NOT_A_SUM.search(name)]
    for x in names:
        distinct = table.distinct(x)
        if distinct == 1:
            continue
        single = table.is_unique(x)
        possible = measures if single else sums
        aggregate: Literal["sum", "only"] = "only" if single else "sum"
        bar = ChartSpec("bar", "", x, None, (), aggregate, MAX_BARS)
        return [replace(bar, title=f"{_title((name,))} by {words(x)}", measures=(name,)) for name in possible]
    return []


def _comparable(measures: Sequence[str], table: _Sample) -> tuple[str, ...]:
    """The first measure and those that can share its axis: the same kind, and within a factor of ten."""
    first = measures[0]
    kind, size = bool(_NOT_A_SUM.search(first)), table.size(first)
    comparable = [
        name
        for name in measures
        if bool(_NOT_A_SUM.search(name)) == kind and size / 10 <= table.size(name) <= size * 10
    ]
    return tuple(comparable[:MAX_MEASURES])


def _title(measures: Sequence[str]) -> str:
    text = ", ".join(words(name) for name in measures)
    return text[:1].upper() + text[1:]
