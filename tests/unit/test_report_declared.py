"""Declared charts in the report: their queries, values and formats."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from goldsmith.project.dashboards import Chart
from goldsmith.project.models import Column, Metric
from goldsmith.project.relations import Relation
from goldsmith.publish.report.charts import draw
from goldsmith.publish.report.declared import DRAWN, Bars, chart_of, chart_query
from goldsmith.publish.report.formats import declared_number
from goldsmith.publish.report.model import ReportChart

RELATION = Relation(
    "gold.sales",
    "",
    {"day": Column(type="date"), "shop": Column(type="string"), "kind": Column(type="string")},
    {
        "orders": Metric(expression="SUM(n)", format=",d"),
        "share_late": Metric(expression="SUM(late) / SUM(n)", label="Late", format=".1%"),
        "rank": Metric(expression="MIN(r)"),
    },
    "sales",
)
DAYS = (date(2024, 1, 1), date(2024, 1, 2))


def chart(kind: str, **keys: Any) -> Chart:
    return Chart.model_validate(
        {"title": "Orders", "kind": kind, "table": "gold.sales", "metrics": "orders", **keys}
    )


def test_line_has_one_series_per_dimension_value() -> None:
    query = chart_query(chart("line", time="day", grain="week", dimensions="shop"), RELATION)
    assert (query.kind, query.x, query.splits) == (
        "line",
        "CAST(date_trunc('week', `day`) AS date)",
        ("`shop`",),
    )
    assert query.measures == (("Orders", "SUM(n)"),)
    assert query.bars is None
    drawn = chart_of(query, [(day, shop, n) for n, day in enumerate(DAYS, 1) for shop in ("A", None)])
    assert [(series.label, series.points) for series in drawn.series] == [
        ("A", ((DAYS[0], 1.0), (DAYS[1], 2.0))),
        ("none", ((DAYS[0], 1.0), (DAYS[1], 2.0))),
    ]


@pytest.mark.parametrize(
    ("keys", "bars"),
    [
        ({}, Bars("SUM(n)", True, 20, False)),
        ({"sort": "share_late", "horizontal": True}, Bars("SUM(late) / SUM(n)", False, 20, True)),
        ({"sort": "-rank", "limit": 5}, Bars("MIN(r)", True, 5, False)),
        ({"sort": "shop", "limit": 500}, Bars("min(`shop`)", False, 20, False)),
    ],
)
def test_bars_are_ordered_as_declared(keys: dict[str, Any], bars: Bars) -> None:
    query = chart_query(chart("bar", dimensions=["shop", "kind"], time="day", **keys), RELATION)
    assert (query.kind, query.x, query.splits, query.bars) == ("bar", "`shop`", ("`kind`",), bars)


def test_bar_with_a_grain_is_drawn_over_time() -> None:
    query = chart_query(chart("bar", time="day", grain="day", dimensions="shop"), RELATION)
    assert (query.kind, query.x, query.splits) == (
        "line",
        "CAST(date_trunc('day', `day`) AS date)",
        ("`shop`",),
    )


def test_several_metrics_are_several_series() -> None:
    query = chart_query(chart("area", time="day", metrics=["orders", "share_late"]), RELATION)
    drawn = chart_of(query, [(DAYS[0], 4, 0.25)])
    assert [series.label for series in drawn.series] == ["Orders", "Late"]


def test_number_is_drawn_in_its_format() -> None:
    query = chart_query(chart("number", metrics="share_late", time="day", filter="shop = 'A'"), RELATION)
    assert (query.kind, query.x, query.where) == ("number", None, "shop = 'A'")
    assert ">12.3%<" in draw(chart_of(query, [(0.1234,)]))
    assert "No values to draw." in draw(chart_of(query, [(None,)]))


def test_pie_is_drawn_as_bars() -> None:
    query = chart_query(chart("pie", dimensions="shop"), RELATION)
    assert (query.kind, query.x, query.splits) == ("bar", "`shop`", ())
    drawn = draw(chart_of(query, [("A", 2), ("B", 1)]))
    assert 'class="chart"' in drawn, "the class `bar` is a row of bars"


def test_failed_chart_shows_its_reason() -> None:
    failed = ReportChart("bar", "Orders", "shop", (), problem="The divisor is <0>.")
    assert "The divisor is &lt;0&gt;." in draw(failed)


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (1234.5, ",d", "1,234"),
        (1234.56, ",.1f", "1,234.6"),
        (1234.5, "d", "1234"),
        (0.5, ".1%", "50.0%"),
        (1234.5, "", "1,234.5"),
        (1234.5, "SMART_NUMBER", "1,234.5"),
        (None, ".1%", "\N{EN DASH}"),
    ],
)
def test_numbers_follow_the_declared_format(value: float | None, form: str, text: str) -> None:
    assert declared_number(value, form) == text


def test_maps_heat_maps_and_tables_are_not_drawn() -> None:
    from goldsmith.project.dashboards import KINDS

    assert set(KINDS) - DRAWN == {"heatmap", "map", "table"}
