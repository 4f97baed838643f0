"""Models of dashboard declarations: rows of charts over gold tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from goldsmith.errors import Where
from goldsmith.project.documents import Document
from goldsmith.project.strict_model import Names, Strict

Kind = Literal["number", "trend", "line", "area", "bar", "pie", "heatmap", "table", "map"]
Grain = Literal["hour", "day", "week", "month", "quarter", "year"]
COLUMNS_OF_A_ROW = 12


@dataclass(frozen=True)
class Shape:
    """The keys of a kind of chart. metrics: the least and the greatest number of them (None: no limit)."""

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
"""Kinds of charts, each with its keys beside title, table, metrics, filter and size."""

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
"""The keys that only some kinds of charts have."""


class Chart(Strict):
    """A chart over one table."""

    title: str = Field(min_length=1)
    kind: Kind
    table: str = Field(description="A table of gold or ops: gold.daily_punctuality.")
    metrics: Names = Field((), description="Metrics that the table declares.")
    dimensions: Names = Field((), description="Columns that split the metrics.")
    time: str | None = Field(None, description="The column of dates or times. Time filters apply to it.")
    grain: Grain | None = Field(None, description="The unit that times are grouped by.")
    filter: str | None = Field(None, description="A condition on the table's rows.")
    columns: Names = Field((), description="The columns of a `table` that shows rows.")
    latitude: str | None = Field(None, description="The column of a `map` that holds latitudes in degrees.")
    longitude: str | None = Field(None, description="The column of a `map` that holds longitudes in degrees.")
    sort: str | None = Field(
        None,
        description="A metric or a dimension to sort by, in ascending order; in descending order with `-` before it.",
    )
    limit: int | None = Field(
        None, ge=1, le=50_000, description="The greatest number of rows, bars or lines."
    )
    stacked: bool = False
    horizontal: bool = False
    description: str = Field("", description="Shown at the chart's title.")
    width: int | None = Field(
        None,
        ge=1,
        le=12,
        description="Width in the twelve columns of a row. By default the charts of a row share it equally.",
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="Parameters that are passed to Superset's chart unchanged."
    )


class Row(Strict):
    """A row of charts, with an optional heading and text above it."""

    heading: str = ""
    text: str = Field("", description="Markdown.")
    height: int | None = Field(
        None, ge=80, le=2000, description="Height in pixels. By default it depends on the kinds of charts."
    )
    charts: tuple[Chart, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"charts": value} if isinstance(value, list) else value


class Filter(Strict):
    """A dashboard filter; it applies to every chart whose table has its column."""

    title: str = Field(min_length=1)
    kind: Literal["values", "time"] = "values"
    column: str | None = Field(None, description="A column with its table: gold.daily_punctuality.origin.")
    default: Names = Field(
        (), description="Values selected initially; for `time` one range, as in `Last month`."
    )


def _not_empty(value: object) -> object:
    if value == []:
        raise ValueError("a dashboard needs at least one row of charts")
    return value


class DashboardSpec(Strict):
    """One dashboard: `dashboards/<name>.yaml` of a pipeline."""

    title: str = Field(min_length=1)
    description: str = ""
    owner: str | None = None
    filters: tuple[Filter, ...] = ()
    colors: dict[str, Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]] = Field(
        default_factory=dict,
        description="Colors of values and metrics, the same in every chart: #059669.",
    )
    rows: Annotated[tuple[Row, ...], BeforeValidator(_not_empty)]


@dataclass(frozen=True)
class Dashboard:
    """A dashboard that was read. name: the name of its file and the last part of its URL in Superset."""

    name: str
    pipeline: str
    spec: DashboardSpec
    document: Document = field(repr=False, compare=False)

    @property
    def charts(self) -> tuple[tuple[tuple[str | int, ...], Chart], ...]:
        """Each chart with its path of keys in the file."""
        return tuple(
            (("rows", at, "charts", index), chart)
            for at, row in enumerate(self.spec.rows)
            for index, chart in enumerate(row.charts)
        )

    @property
    def file(self) -> Path:
        return self.document.file

    def where(self, *path: str | int) -> Where:
        """The location of a key in the dashboard's file."""
        return self.document.where(path)
