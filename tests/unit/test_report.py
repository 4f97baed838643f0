"""The report shows the runs, escapes all data, and suggests correct charts."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.publish.report import (
    ChartSpec,
    chart_from,
    formats,
    graph,
    history,
    render,
    scales,
    suggest_chart,
    suggest_charts,
    summary,
)
from goldsmith.publish.report.charts import draw
from goldsmith.publish.report.model import (
    QuarantinedRow,
    QuarantineReport,
    ReportChart,
    ReportData,
    ReportInterval,
    RowTotals,
    Series,
    TableReport,
    TableRun,
)

report_sample = SimpleNamespace(
    **runpy.run_path(str(Path(__file__).parents[1] / "support" / "report_sample.py"))
)
NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)
DAYS = [date(2013, 1, 1) + timedelta(days=day) for day in range(10)]


class _Page(HTMLParser):
    """The text, the tags, the ids and the links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.ids.extend(value for name, value in attrs if name == "id" and value)
        if tag == "a":
            self.links.append(found.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _table(name: str, *runs: TableRun, upstreams: tuple[str, ...] = (), **more: Any) -> TableReport:
    layer: Any = name.partition(".")[0]
    return TableReport(name, layer, "flights", "merge by id", upstreams=upstreams, runs=runs, **more)


def _run(outcome: Any, rows: RowTotals = RowTotals(), run_id: str = "r1", **more: Any) -> TableRun:  # noqa: B008
    return TableRun(run_id, outcome, more.pop("started_at", NOON), rows=rows, **more)


def _report(*tables: TableReport) -> ReportData:
    return ReportData("demo", "local", NOON, tables)


def test_report_is_self_contained() -> None:
    text = render(report_sample.sample())
    outside = [
        url
        for url in re.findall(r"""(?:src|href)=["']([^"']*)""", text)
        if not url.startswith(("#", "data:,"))
    ]
    assert outside == []
    assert "url(" not in text
    assert "@import" not in text


def test_every_link_has_a_target() -> None:
    page = _Page(render(report_sample.sample()))
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_fifteen_tables_and_sixty_runs_stay_below_half_a_megabyte() -> None:
    assert len(render(report_sample.sample(60)).encode()) < 500_000


def test_headline_names_the_stopped_table() -> None:
    page = _Page(render(report_sample.sample()))
    assert "9 of 15 tables are up to date: a gate stopped silver.departures" in page.text
    assert report_sample.GATE_MESSAGE in page.text
    assert "2013-01-01 to 2013-01-30" in page.text


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ((), "The project declares no tables yet."),
        ((_table("bronze.a"), _table("silver.a")), "Nothing has run yet: 2 tables declared."),
        (
            (_table("bronze.a", _run("done")), _table("silver.a", _run("nothing_new"))),
            "All 2 tables are up to date.",
        ),
        (
            (
                _table("bronze.a", _run("failed")),
                _table("silver.a", _run("skipped")),
                _table("gold.a", _run("skipped")),
            ),
            "0 of 3 tables are up to date: bronze.a failed; 2 tables were skipped.",
        ),
        (
            (_table("bronze.a", _run("warned")),),
            "1 of 1 table is up to date: bronze.a was loaded with warnings.",
        ),
    ],
)
def test_headline(tables: tuple[TableReport, ...], sentence: str) -> None:
    assert summary.headline(_report(*tables)) == sentence


def test_report_of_a_project_without_runs() -> None:
    text = _Page(render(report_sample.empty())).text
    for sentence in (
        "Nothing has run yet: 15 tables declared.",
        "Nothing has run yet, so there are no rows to account for.",
        "No rows in quarantine.",
        "No gold table has rows yet.",
        "This table has never run.",
        "Needs attention",
    ):
        assert (sentence in text) == (sentence != "Needs attention"), sentence
    assert "No tables are declared." in _Page(render(_report())).text


def test_data_is_escaped() -> None:
    evil = "<script>alert(1)</script>\"'&</style>{{ 7 * 7 }}"
    quarantine = QuarantineReport(
        1, ((evil, 1),), (QuarantinedRow((evil,), f'{{"{"x"}": "<img src=x>"}}', NOON, evil),)
    )
    table = replace(
        _table("silver.a", _run("failed", message=evil, mode=evil), quarantine=quarantine),
        description=evil,
        owner=evil,
        load=evil,
        upstreams=(evil,),
    )
    plain = render(
        _report(
            replace(table, description="", owner="", load="", upstreams=(), quarantine=QuarantineReport())
        )
    )
    text = render(replace(_report(table), project=evil, profile=evil))
    page, calm = _Page(text), _Page(plain)
    assert page.tags.count("script") == calm.tags.count("script") == 1
    assert page.tags.count("style") == 1
    assert "img" not in page.tags
    assert "{{ 7 * 7 }}" in text
    assert "<img src=x>" in page.text


def test_unaccounted_rows_are_reported() -> None:
    table = _table("silver.a", _run("done", RowTotals(100, 90, 5, 1, 1)))
    assert table.total.unaccounted == 3
    text = _Page(render(_report(table))).text
    assert "3 missing" in text
    assert "3 rows of run r1 not accounted for." in text


def test_runs_are_combined_across_tables_and_ordered_by_time() -> None:
    later = NOON + timedelta(days=1)
    one = _table(
        "bronze.a", _run("done", run_id="z", seconds=4.0), _run("done", run_id="a", started_at=later)
    )
    two = _table("silver.a", _run("failed", run_id="z", started_at=NOON + timedelta(seconds=5), seconds=2.0))
    first, second = summary.runs((one, two))
    assert (first.run_id, second.run_id) == ("z", "a")
    assert first.seconds == 7.0
    assert first.outcome == "failed"


def test_load_with_most_rows_rejected_is_a_warning() -> None:
    rows = RowTotals(10, 0, 10, 0, 0)
    load = history.LoadRecord(
        "bronze.a", "p", "r1", "done", "incremental", "1 new file", None, NOON, NOON, 1.0, rows, ""
    )
    found = history._loaded([load], [])
    assert found.outcome == "warned"
    assert found.message.startswith("10 of 10 rows quarantined (100 %).")
    assert history._loaded([replace(load, rows=RowTotals(10, 9, 1, 0, 0))], []).outcome == "done"


def test_boxes_are_right_of_their_upstreams_and_do_not_overlap() -> None:
    tables = report_sample.sample().tables
    chained = (*tables, _table("silver.delays", upstreams=("silver.departures", "bronze.weather")))
    picture = graph.layout(chained, 200.0)
    boxes = {box.name: box for box in picture.boxes}
    assert set(boxes) == {table.name for table in chained}
    for table in chained:
        for upstream in table.upstreams:
            assert boxes[upstream].x + 200.0 < boxes[table.name].x
    for one in picture.boxes:
        for other in picture.boxes:
            assert one is other or one.x != other.x or abs(one.y - other.y) >= graph.BOX_HEIGHT
    assert len(picture.edges) == sum(len(table.upstreams) for table in chained)


def test_cyclic_tables_are_drawn() -> None:
    circle = (_table("gold.a", upstreams=("gold.b",)), _table("gold.b", upstreams=("gold.a", "gold.gone")))
    assert len(graph.layout(circle, 200.0).boxes) == 2


def test_daily_table_with_several_rows_per_day_is_split() -> None:
    columns = [
        ("flight_date", "date"),
        ("origin", "string"),
        ("flights", "bigint"),
        ("mean_arr_delay", "double"),
    ]
    rows = [(day, origin, 300, 7.5) for day in DAYS for origin in ("EWR", "JFK", "LGA")]
    flights, delays = suggest_charts(columns, rows)
    assert (flights.kind, flights.x, flights.series, flights.measures) == (
        "line",
        "flight_date",
        "origin",
        ("flights",),
    )
    assert (delays.series, delays.measures, delays.aggregate) == ("origin", ("mean_arr_delay",), "only")
    assert suggest_chart(columns, rows) == flights


def test_means_are_not_summed() -> None:
    columns = [("flight_date", "date"), ("tailnum", "string"), ("mean_delay", "double"), ("legs", "int")]
    rows = [(day, f"N{tail}", 3.5, 4) for day in DAYS for tail in range(40)]
    spec = suggest_chart(columns, rows)
    assert spec is not None
    assert (spec.measures, spec.aggregate, spec.series) == (("legs",), "sum", None)
    assert suggest_chart(columns[:3], [row[:3] for row in rows]) is None


def test_measures_of_similar_size_share_an_axis() -> None:
    columns = [("day", "timestamp"), ("orders", "int"), ("returns", "int"), ("revenue", "decimal(12,2)")]
    rows = [(NOON + timedelta(days=n), 100 + n, 20 + n, 90_000 + n) for n in range(10)]
    spec = suggest_chart(columns, rows)
    assert spec is not None
    assert (spec.x, spec.series, spec.measures) == ("day", None, ("orders", "returns"))


def test_table_without_time_column_gets_bars() -> None:
    columns = [("carrier", "string"), ("year", "int"), ("flights", "bigint"), ("p90_delay", "double")]
    rows = [(name, 2013, 10, 3.0) for name in ("UA", "B6", "UA", "DL")]
    spec = suggest_chart(columns, rows)
    assert spec is not None
    assert (spec.kind, spec.x, spec.measures, spec.aggregate, spec.limit) == (
        "bar",
        "carrier",
        ("flights",),
        "sum",
        20,
    )


@pytest.mark.parametrize("columns", [[], [("name", "string")], [("plane_id", "int"), ("at", "timestamp")]])
def test_table_without_measures_has_no_chart(columns: list[tuple[str, str]]) -> None:
    assert suggest_chart(columns, []) is None


def test_fetched_rows_become_series() -> None:
    columns = [("flight_date", "date"), ("origin", "string"), ("flights", "bigint")]
    rows = [(day, origin, n) for day in DAYS for n, origin in enumerate(("EWR", None))]
    spec = suggest_chart(columns, rows)
    assert spec is not None
    assert spec.columns == ("flight_date", "origin", "flights")
    chart = chart_from(spec, [*rows, (None, "EWR", 5), (DAYS[0], "JFK", None)])
    assert [series.label for series in chart.series] == ["EWR", "none", "JFK"]
    assert len(chart.series[0].points) == len(DAYS)


def test_number_of_lines_is_limited_and_shown_in_the_title() -> None:
    columns = [("day", "date"), ("origin", "string"), ("flights", "int")]
    spec = suggest_chart(columns, [(day, origin, 1) for day in DAYS for origin in "AB"])
    assert spec is not None
    chart = chart_from(spec, [(day, str(n), n) for day in DAYS for n in range(12)])
    assert len(chart.series) == 8
    assert chart.title.endswith("(8 of 12)")
    assert "11" in {series.label for series in chart.series}


@pytest.mark.parametrize("kind", ["line", "bar"])
@pytest.mark.parametrize(
    "points",
    [
        (),
        ((DAYS[0], None),),
        ((DAYS[0], 5.0),),
        ((DAYS[0], 0.0), (DAYS[1], 0.0)),
        ((DAYS[0], -3.0), (DAYS[1], None), (DAYS[2], 1e12)),
        (("a", 1.0), ("b", 2.0)),
        ((1.0, 1.0), (1.0, 2.0), (5.0, 0.001)),
        ((NOON, 1.0), (datetime(2013, 1, 1, 13), 2.0)),
    ],
)
def test_any_points_can_be_drawn(kind: Any, points: tuple[tuple[Any, float | None], ...]) -> None:
    text = draw(ReportChart(kind, "Title", "x", (Series("one", points),)))
    assert "nan" not in text.lower().replace("name", "")
    assert "inf" not in text
    assert ("No values to draw." in text) == (not any(y is not None for _, y in points))


@pytest.mark.parametrize(
    ("low", "high"), [(0, 0), (3, 3), (-5, -5), (0.001, 0.002), (-40, 900), (980, 1010), (1e9, 3e9), (0, 1)]
)
def test_ticks_span_the_values_with_few_round_steps(low: float, high: float) -> None:
    ticks = scales.number_ticks(low, high)
    assert ticks[0] <= low <= high <= ticks[-1]
    assert 2 <= len(ticks) <= 8


@pytest.mark.parametrize("days", [0, 0.01, 0.5, 1, 6, 30, 90, 365, 4000])
def test_time_ticks_are_inside_their_span(days: float) -> None:
    ticks = scales.time_ticks(NOON, NOON + timedelta(days=days))
    assert all(NOON <= at <= NOON + timedelta(days=days) for at, _ in ticks)
    assert len(ticks) <= 8
    assert days < 1 or len(ticks) >= 1


def test_formats_of_numbers_and_times() -> None:
    assert [formats.number(v) for v in (None, 0, 12345, 1.5, -2.0)] == ["–", "0", "12,345", "1.5", "-2"]  # noqa: RUF001
    assert [formats.short(v) for v in (9999, 12345, 2_500_000, 0.25)] == ["9,999", "12.3k", "2.5M", "0.25"]
    assert [formats.percent(*v) for v in ((0, 9), (1, 10**6), (10**6 - 1, 10**6), (1, 3), (3, 3))] == [
        "0%", "<0.01%", ">99.99%", "33.33%", "100%",
    ]  # fmt: skip
    assert [formats.duration(v) for v in (0.421, 59.94, 245, 7380)] == [
        "0.42 s",
        "59.9 s",
        "4 min 05 s",
        "2 h 03 min",
    ]
    day = datetime(2013, 1, 5)
    assert formats.interval(ReportInterval(day, day + timedelta(days=1))) == "2013-01-05"
    assert (
        formats.interval(ReportInterval(day, day + timedelta(hours=1)))
        == "2013-01-05 00:00 to 2013-01-05 01:00"
    )


def test_sample_rows_of_different_shapes_share_one_table() -> None:
    names, cells = formats.samples(['{"a": 1, "b": {"c": 2}}', '{"b": null, "d": true}', "not json"])
    assert names == ("a", "b", "d", "row")
    assert cells[0] == (1, '{"c": 2}', None, None)
    assert cells[2][3] == "not json"


def test_axis_of_dates_has_no_hours() -> None:
    chart = ReportChart("line", "Flights", "day", (Series("flights", ((DAYS[0], 1.0), (DAYS[1], 2.0))),))
    assert ">1 Jan<" in draw(chart)
    assert ":00<" not in draw(chart)


def test_non_finite_values_leave_gaps_and_booleans_are_names() -> None:
    line = ChartSpec("line", "Delay", "day", None, ("delay",), "only")
    [series] = chart_from(line, [(DAYS[0], float("nan")), (DAYS[1], float("inf")), (DAYS[2], 3)]).series
    assert [y for _, y in series.points] == [None, None, 3.0]
    bars = ChartSpec("bar", "Flights", "cancelled", None, ("flights",), "sum", 20)
    [series] = chart_from(bars, [(True, 1), (False, 9)]).series
    assert [x for x, _ in series.points] == ["true", "false"]


def test_warning_is_shown_until_the_next_load() -> None:
    runs = (
        TableRun("r1", "warned", NOON, message="seats_to_be_between: 3 of 9 rows fail", rows=RowTotals(9, 9)),
        TableRun("r2", "nothing_new", NOON + timedelta(days=1)),
    )
    planes = TableReport("silver.planes", "silver", "flights", "merge on tailnum", runs=runs)
    text = " ".join(_Page(render(ReportData("flights", "local", NOON, (planes,)))).words)
    assert "Since its load of 2013-01-01 12:00: seats_to_be_between: 3 of 9 rows fail" in text
    assert "Nothing new in the last run. Last load 2013-01-01 12:00" in text
