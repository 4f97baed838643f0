"""Sample data of a report: a month of flights, fifteen tables, thirty runs, all outcomes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from goldsmith.project.expectations import Otherwise
from goldsmith.project.models import Layer
from goldsmith.publish.report.model import (
    ColumnReport,
    ExpectationReport,
    ExpectationResult,
    GoldTable,
    Outcome,
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

FIRST = datetime(2013, 1, 1, tzinfo=UTC)
GATE_MESSAGE = "origin_to_be_in_set: 3 of 842 rows fail. Nothing was written."

_TABLES: tuple[tuple[str, str, tuple[str, ...], str, int], ...] = (
    ("bronze.departures", "append", (), "Departure records as delivered: a schedule, then actuals.", 1680),
    ("bronze.weather", "append", (), "Hourly weather at the three airports of New York.", 72),
    ("bronze.planes", "append", (), "The aircraft register, as a snapshot each month.", 3322),
    ("bronze.airports", "append", (), "Airports with their coordinates and time zones.", 1458),
    ("bronze.airlines", "append", (), "Carrier codes and names.", 16),
    (
        "silver.departures",
        "merge by flight_date, carrier, flight, origin",
        ("bronze.departures",),
        "One row per scheduled departure, corrected as actuals arrive.",
        1680,
    ),
    (
        "silver.weather",
        "merge by origin, observed_at",
        ("bronze.weather",),
        "A row per airport and hour.",
        72,
    ),
    ("silver.planes", "merge by tailnum", ("bronze.planes",), "One row per aircraft.", 3322),
    ("silver.airports", "merge by faa", ("bronze.airports",), "One row per airport.", 1458),
    ("silver.airlines", "merge by carrier", ("bronze.airlines",), "One row per carrier.", 16),
    (
        "gold.daily_punctuality",
        "overwrite partitions by flight_date",
        ("silver.departures",),
        "Flights, cancellations and delays by day and airport of departure.",
        3,
    ),
    (
        "gold.carrier_month",
        "overwrite partitions by month",
        ("silver.departures", "silver.airlines"),
        "Punctuality of each carrier, month by month.",
        16,
    ),
    (
        "gold.route_punctuality",
        "overwrite",
        ("silver.departures", "silver.airports"),
        "Flights and delays of each route, with the names of its airports.",
        224,
    ),
    (
        "gold.weather_delay",
        "overwrite",
        ("silver.departures", "silver.weather"),
        "Departure delays by bands of wind, visibility and precipitation.",
        48,
    ),
    (
        "gold.aircraft_days",
        "overwrite partitions by flight_date",
        ("silver.departures", "silver.planes"),
        "Legs, minutes in the air and turnarounds of each aircraft, day by day.",
        610,
    ),
)
_MONTHLY = ("planes", "airports", "airlines")


def sample(runs: int = 30) -> ReportData:
    """The report after `runs` daily runs, the last of which a gate stopped."""
    made = FIRST + timedelta(days=runs, hours=7, minutes=12)
    tables = tuple(_table(index, runs) for index in range(len(_TABLES)))
    return ReportData("nyc-flights", "local", made, tables, _gold(runs))


def empty() -> ReportData:
    """The report of a project that has run nothing yet."""
    full = sample(1)
    tables = tuple(
        replace(
            table,
            runs=(),
            row_count=None,
            quarantine=QuarantineReport(),
            expectations=tuple(replace(one, results=(), samples=()) for one in table.expectations),
        )
        for table in full.tables
    )
    return ReportData(full.project, full.profile, full.made_at, tables)


def _table(index: int, runs: int) -> TableReport:
    name, load, upstreams, description, size = _TABLES[index]
    layer: Layer = "bronze" if index < 5 else "silver" if index < 10 else "gold"
    history = tuple(_run(name, layer, size, day, day == runs - 1) for day in range(runs))
    if name == "gold.aircraft_days":
        history = ()
    return TableReport(
        name=name,
        layer=layer,
        pipeline="flights",
        load=load,
        description=description,
        owner="airline-operations",
        columns=_columns(name),
        upstreams=upstreams,
        row_count=sum(run.rows.written for run in history) if history else None,
        runs=history,
        expectations=_expectations(name, history),
        quarantine=_quarantine(name),
    )


def _run(name: str, layer: Layer, size: int, day: int, latest: bool) -> TableRun:
    offsets = {"bronze": 0.4, "silver": 5.0, "gold": 12.0}
    begin = FIRST + timedelta(days=day + 1, hours=6, seconds=offsets[layer] + len(name) % 5)
    span = ReportInterval(FIRST + timedelta(days=day), FIRST + timedelta(days=day + 1))
    run_id = f"{span.start:%Y%m%d}T060000-{(day * 7919 + 4096) % 65536:04x}"
    rows_in = round(size * (1 + 0.15 * math.sin(day * 0.9)))
    seconds = 1.1 + size / 900 + 0.6 * abs(math.sin(day + len(name)))
    outcome: Outcome = "done"
    rows = RowTotals(rows_in, rows_in)
    message = ""
    if name.endswith(_MONTHLY) and day:
        return TableRun(run_id, "nothing_new", begin, 0.08, span, "incremental")
    if name == "silver.departures":
        quarantined, superseded = (4 + day % 3 if day % 6 == 4 else 0), rows_in // 2
        rows = RowTotals(rows_in, rows_in - quarantined - superseded, quarantined, 0, superseded)
        if latest:
            return TableRun(run_id, "gate", begin, seconds, span, "incremental", RowTotals(), GATE_MESSAGE)
        if day == 11:
            return TableRun(
                run_id, "failed", begin, 0.9, span, "incremental", RowTotals(), "GS501 disk is full"
            )
        if quarantined:
            outcome, message = "warned", "tailnum_to_exist_in: 113 of 842 rows fail."
    if name == "silver.weather" and latest:
        rows = RowTotals(72, 70, 0, 2, 0)
        outcome, message = "warned", "wind_speed_to_be_between: 2 rows dropped."
    if layer == "gold" and (latest or day == 11):
        return TableRun(
            run_id, "skipped", None, 0.0, span, "", RowTotals(), "silver.departures did not load."
        )
    return TableRun(
        run_id, outcome, begin, seconds, span, "rebuild" if day == 20 else "incremental", rows, message
    )


def _columns(name: str) -> tuple[ColumnReport, ...]:
    if name != "silver.departures":
        return (ColumnReport("id", "string", "What names the row."), ColumnReport("value", "decimal(9,2)"))
    return (
        ColumnReport("flight_date", "date", "Local date of departure."),
        ColumnReport("carrier", "string", "IATA code of the airline."),
        ColumnReport("flight", "int", "Flight number."),
        ColumnReport("origin", "string", "EWR, JFK or LGA."),
        ColumnReport(
            "scheduled_departure_at", "timestamp", "In UTC. A departure at 24:00 belongs to the next day."
        ),
        ColumnReport("dep_delay", "int", "Minutes; early departures are negative."),
        ColumnReport("arr_delay", "int", "Minutes; empty where the flight was diverted or cancelled."),
    )


def _verdicts(
    history: tuple[TableRun, ...], failed: int, every: int, accepted: bool
) -> tuple[ExpectationResult, ...]:
    found: list[ExpectationResult] = []
    for day, run in enumerate(history):
        bad = failed if failed and (day % every == every - 1 or day == len(history) - 1) else 0
        who = "m.okafor" if bad and accepted and day != len(history) - 1 else None
        why = "Stewart (SWF) took diversions that day." if who else None
        if run.started_at:
            found.append(ExpectationResult(run.run_id, run.started_at, 842, bad, not bad, None, who, why))
    return tuple(found)


def _expectations(name: str, history: tuple[TableRun, ...]) -> tuple[ExpectationReport, ...]:
    row = {
        "flight_date": "2013-01-30",
        "carrier": "UA",
        "flight": 1545,
        "origin": "EWR",
        "dest": "IAH",
        "dep_delay": 2,
        "arr_delay": None,
        "tailnum": "N14228",
    }
    rows = tuple(json.dumps({**row, "origin": origin}) for origin in ("SWF", "HPN", "<b>ISP</b>"))
    declared: tuple[tuple[str, str, Otherwise, str, int, int, tuple[str, ...]], ...] = ()
    if name == "silver.departures":
        declared = (
            ("carrier_to_not_be_null", "expect_column_values_to_not_be_null", "quarantine", "", 0, 9, ()),
            (
                "distance_to_be_between",
                "expect_column_values_to_be_between",
                "quarantine",
                "",
                4,
                6,
                rows[:1],
            ),
            (
                "origin_to_be_in_set",
                "expect_column_values_to_be_in_set",
                "fail",
                "Only the three airports of New York.",
                3,
                13,
                rows,
            ),
            ("no_arrival_without_departure", "condition", "warn", "", 0, 9, ()),
            (
                "tailnum_to_exist_in",
                "expect_column_values_to_exist_in",
                "warn",
                "Aircraft missing from the register.",
                113,
                1,
                rows,
            ),
        )
    elif name == "silver.weather":
        declared = (
            ("wind_speed_to_be_between", "expect_column_values_to_be_between", "drop", "", 2, 14, rows[:1]),
        )
    elif name in ("gold.daily_punctuality", "gold.route_punctuality"):
        declared = (
            ("table_row_count_to_be_between", "expect_table_row_count_to_be_between", "fail", "", 0, 9, ()),
        )
    return tuple(
        ExpectationReport(
            expectation,
            kind,
            otherwise,
            description,
            _verdicts(history, failed, every, otherwise == "fail"),
            samples,
        )
        for expectation, kind, otherwise, description, failed, every, samples in declared
    )


def _quarantine(name: str) -> QuarantineReport:
    if name != "silver.departures":
        return QuarantineReport()
    row = json.dumps(
        {"flight_date": "2013-01-05", "carrier": None, "flight": 461, "origin": "LGA", "distance": 17000}
    )
    broken = QuarantinedRow(
        ("distance_to_be_between", "carrier_to_not_be_null"), row, FIRST, "20130105T060000-8bbc"
    )
    cast = QuarantinedRow(
        ("dep_time: cannot be cast to int",), '{"dep_time": "5:17", "flight": 1141}', FIRST, "r"
    )
    reasons = (
        ("distance_to_be_between", 21),
        ("carrier_to_not_be_null", 7),
        ("dep_time: cannot be cast to int", 2),
    )
    return QuarantineReport(25, reasons, (broken, cast))


def _gold(runs: int) -> tuple[GoldTable, ...]:
    days = [date(2013, 1, 1) + timedelta(days=day) for day in range(runs)]
    daily = [
        Series(
            origin, tuple((day, round(base + 28 * math.sin(day.toordinal() * 0.9 + base))) for day in days)
        )
        for origin, base in (("EWR", 320.0), ("JFK", 300.0), ("LGA", 250.0))
    ]
    delays = [
        Series(
            origin,
            tuple(
                (day, None if day.day == 12 else round(9 + 11 * math.sin(day.toordinal() * 0.37 + n), 4))
                for day in days
            ),
        )
        for n, origin in enumerate(("EWR", "JFK", "LGA"))
    ]
    routes = Series(
        "flights",
        tuple(
            (f"JFK to {dest}", 980.0 - 44 * n)
            for n, dest in enumerate(
                (
                    "LAX",
                    "SFO",
                    "BOS",
                    "MCO",
                    "SJU",
                    "FLL",
                    "BUF",
                    "TPA",
                    "RDU",
                    "CLT",
                    "LAS",
                    "SEA",
                    "SAN",
                    "ATL",
                    "MIA",
                )
            )
        ),
    )
    bands = ("calm", "light", "moderate", "strong", "storm")
    rain = [
        Series(label, tuple((band, round(base + n * step, 1)) for n, band in enumerate(bands)))
        for label, base, step in (("dry", 9.4, 2.3), ("rain", 17.8, 5.2))
    ]
    sampled = tuple(
        (day, origin, 305 + n, 4, 61, 12.4167, None)
        for n, day in enumerate(days[:4])
        for origin in ("EWR", "JFK", "LGA")
    )
    columns = (
        "flight_date",
        "origin",
        "flights",
        "cancelled",
        "delayed_15",
        "mean_dep_delay",
        "p90_arr_delay",
    )
    return (
        GoldTable(
            "gold.daily_punctuality",
            _TABLES[10][3],
            columns,
            sampled,
            runs * 3,
            (
                ReportChart("line", "Flights by origin", "flight date", tuple(daily)),
                ReportChart("line", "Mean arr delay by origin", "flight date", tuple(delays)),
            ),
        ),
        GoldTable(
            "gold.carrier_month",
            _TABLES[11][3],
            ("month", "carrier"),
            ((date(2013, 1, 1), "UA"),),
            16,
            (
                ReportChart(
                    "bar",
                    "Flights by carrier",
                    "carrier",
                    (
                        Series(
                            "flights",
                            (
                                ("United Air Lines Inc.", 4637),
                                ("JetBlue Airways", 4427),
                                ("ExpressJet Airlines Inc.", 4171),
                                ("Delta Air Lines Inc.", 3690),
                                ("American Airlines Inc.", 2794),
                                ("Envoy Air", 2271),
                            ),
                        ),
                    ),
                ),
            ),
        ),
        GoldTable(
            "gold.route_punctuality",
            _TABLES[12][3],
            ("origin", "dest"),
            (("JFK", "LAX"),),
            224,
            (ReportChart("bar", "Flights by route", "route", (routes,)),),
        ),
        GoldTable(
            "gold.weather_delay",
            _TABLES[13][3],
            ("wind", "delay"),
            (("calm", 9.4),),
            48,
            (ReportChart("bar", "Mean delay by wind", "wind", tuple(rain)),),
        ),
    )
