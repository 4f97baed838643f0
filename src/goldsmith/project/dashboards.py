"""Dashboards as a person writes them: rows of charts over gold, as immutable models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from goldsmith.errors import Where
from goldsmith.project.documents import Document
from goldsmith.project.strict import Names, Strict

Kind = Literal["number", "trend", "line", "area", "bar", "pie", "heatmap", "table", "map"]
Grain = Literal["hour", "day", "week", "month", "quarter", "year"]
COLUMNS_OF_A_ROW = 12


@dataclass(frozen=True)
class Shape:
    """What a kind of chart is made of. metrics: how many at least and at most (None: any number)."""

    metrics: tuple[int, int | None]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


_SORTED = ("sort", "limit")
KINDS: Mapping[Kind, Shape] = {
    "number": Shape((1, 1), takes=("time",)),
    "trend": Shape((1, 1), needs=("time",), takes=("grain",)),
    "line": Shape((1, None), needs=("time",), takes=("grain", "dimensions", "limit")),
    "area": Shape((1, None), needs=("time",), takes=("grain", "dimensions", "limit")),
    "bar": Shape((1, None), takes=("time", "grain", "dimensions", "stacked", "horizontal", *_SORTED)),
    "pie": Shape((1, 1), needs=("dimensions",), takes=("time", "limit")),
    "heatmap": Shape((1, 1), needs=("dimensions",), takes=("time", "limit")),
    "table": Shape((0, None), takes=("time", "dimensions", "columns", *_SORTED)),
    "map": Shape((1, 1), needs=("latitude", "longitude", "dimensions"), takes=("time", "limit")),
}
"""The kinds of charts and the keys that each of them has beside title, table, metrics, filter and size."""

SHAPED = (
    "time",
    "grain",
    "dimensions",
    "columns",
    "latitude",
    "longitude",
    "stacked",
    "horizontal",
    *_SORTED,
)
"""The keys that only some kinds have."""


class Chart(Strict):
    """One chart: what it shows of one table."""

    title: str = Field(min_length=1)
    kind: Kind
    table: str = Field(description="A table of gold or ops: gold.daily_punctuality.")
    metrics: Names = Field((), description="Metrics that the table declares.")
    dimensions: Names = Field((), description="Columns that split the metrics.")
    time: str | None = Field(None, description="The column of dates or times; filters of time go by it.")
    grain: Grain | None = Field(None, description="The span that one point of time stands for.")
    filter: str | None = Field(None, description="A condition on the table's rows.")
    columns: Names = Field((), description="A `table` of rows as they stand: its columns.")
    latitude: str | None = Field(None, description="A `map`'s column of degrees north.")
    longitude: str | None = Field(None, description="A `map`'s column of degrees east.")
    sort: str | None = Field(
        None,
        description="A metric or a dimension to sort by, the least first; with `-` before it the greatest.",
    )
    limit: int | None = Field(None, ge=1, le=50_000, description="At most so many rows, bars or lines.")
    stacked: bool = False
    horizontal: bool = False
    description: str = Field("", description="Shown at the chart's title.")
    width: int | None = Field(
        None, ge=1, le=12, description="Of the twelve columns of a row; shared equally where absent."
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="Parameters of Superset's chart that are set as they stand."
    )


class Row(Strict):
    """Charts side by side, under a heading and a text where they are given."""

    heading: str = ""
    text: str = Field("", description="Markdown.")
    height: int | None = Field(
        None, ge=80, le=2000, description="Pixels; by the kinds of charts where absent."
    )
    charts: tuple[Chart, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"charts": value} if isinstance(value, list) else value


class Filter(Strict):
    """A control at the dashboard's side that narrows every chart whose table has its column."""

    title: str = Field(min_length=1)
    kind: Literal["values", "time"] = "values"
    column: str | None = Field(None, description="A column with its table: gold.daily_punctuality.origin.")
    default: Names = Field((), description="Values chosen at first; for `time` one span, as in `Last month`.")


def _not_empty(value: object) -> object:
    if value == []:
        raise ValueError("a dashboard shows at least one row of charts")
    return value


class DashboardSpec(Strict):
    """One dashboard: `dashboards/<name>.yaml` of a pipeline."""

    title: str = Field(min_length=1)
    description: str = ""
    owner: str | None = None
    filters: tuple[Filter, ...] = ()
    colors: dict[str, Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]] = Field(
        default_factory=dict,
        description="Values and metrics that have one color in every chart: #059669.",
    )
    rows: Annotated[tuple[Row, ...], BeforeValidator(_not_empty)]


@dataclass(frozen=True)
class Dashboard:
    """A dashboard as it was read. name: of its file, and the last part of its address in Superset."""

    name: str
    pipeline: str
    spec: DashboardSpec
    document: Document = field(repr=False, compare=False)

    @property
    def charts(self) -> tuple[tuple[tuple[str | int, ...], Chart], ...]:
        """Each chart with the path of keys that leads to it."""
        return tuple(
            (("rows", at, "charts", index), chart)
            for at, row in enumerate(self.spec.rows)
            for index, chart in enumerate(row.charts)
        )

    @property
    def file(self) -> Path:
        return self.document.file

    def where(self, *path: str | int) -> Where:
        """The place of a key in the dashboard's file."""
        return self.document.where(path)
