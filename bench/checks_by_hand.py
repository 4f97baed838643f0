"""The checks of the plain PySpark pipeline: the expectations of `pipelines/flights` as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """A condition on rows, or on the whole batch as an aggregate. NULL counts as met."""

    name: str
    holds: str
    otherwise: Literal["warn", "quarantine", "fail"] = "fail"
    batch: bool = False

    @property
    def failures(self) -> str:
        """An aggregate: the number of failing rows; 1 or 0 for a batch."""
        if self.batch:
            return f"CASE WHEN {self.holds} THEN 0 ELSE 1 END"
        return f"count_if(NOT coalesce({self.holds}, true))"


def _present(column: str) -> Check:
    return Check(f"{column}_present", f"{column} IS NOT NULL", "quarantine")


def _one_row_for_each(*columns: str) -> Check:
    return Check("one_row_per_key", f"count(*) = count(DISTINCT {', '.join(columns)})", batch=True)


BRONZE_CHECKS: dict[str, tuple[Check, ...]] = {
    "departures": (
        Check(
            "departure_clock_agrees_with_delay",
            "pmod(CAST(dep_delay AS BIGINT) + (sched_dep_time div 100) * 60 + sched_dep_time % 100"
            " - (dep_time div 100) * 60 - dep_time % 100, 1440) = 0",
            "warn",
        ),
        Check("departure_has_clock_and_delay", "(dep_time IS NULL) = (dep_delay IS NULL)", "warn"),
    ),
}

SILVER_CHECKS: dict[str, tuple[Check, ...]] = {
    "planes": (
        _present("tailnum"),
        Check("seats", "seats BETWEEN 1 AND 900", "quarantine"),
        Check("engines", "engines BETWEEN 1 AND 8", "quarantine"),
        Check("year_built", "year_built IS NOT NULL", "warn"),
    ),
    "airports": (
        _present("faa"),
        Check("latitude", "latitude BETWEEN -90 AND 90", "quarantine"),
        Check("longitude", "longitude BETWEEN -180 AND 180", "quarantine"),
        Check("time_zone", "time_zone RLIKE '^[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+$'", "quarantine"),
        Check("time_zone_known", "time_zone IS NOT NULL", "warn"),
    ),
    "airlines": (
        _present("carrier"),
        Check("carrier_code", "carrier RLIKE '^[0-9A-Z]{2}$'", "quarantine"),
        Check("name_known", "name IS NOT NULL", "warn"),
    ),
    "weather": (
        _present("origin"),
        _present("observed_at"),
        Check("wind_speed", "wind_speed_mph BETWEEN 0 AND 150", "quarantine"),
        Check("humidity", "humidity_pct BETWEEN 0 AND 100", "quarantine"),
        Check("visibility", "visibility_mi BETWEEN 0 AND 10", "warn"),
        Check("dew_point_at_most_temperature", "dew_point_f <= temperature_f", "warn"),
    ),
    "departures": (
        _present("flight_date"),
        _present("carrier"),
        _present("flight"),
        _present("origin"),
        _present("dest"),
        _present("scheduled_departure_at"),
        _present("has_actuals"),
        Check("distance", "distance BETWEEN 1 AND 6000", "quarantine"),
        Check("dep_delay", "dep_delay BETWEEN -120 AND 2880", "quarantine"),
        Check("arr_delay", "arr_delay BETWEEN -180 AND 2880", "quarantine"),
        Check("known_origin", "origin IN ('EWR', 'JFK', 'LGA')"),
        Check("no_arrival_without_departure", "arr_delay IS NULL OR departed_at IS NOT NULL", "warn"),
        Check("departed_has_arrival_delay", "departed_at IS NULL OR arr_delay IS NOT NULL", "warn"),
        Check("known_plane", "tailnum IS NULL OR _in_planes IS NOT NULL", "warn"),
        Check("known_dest", "dest IS NULL OR _in_airports IS NOT NULL", "warn"),
    ),
}

GOLD_CHECKS: dict[str, tuple[Check, ...]] = {
    "daily_punctuality": (
        _one_row_for_each("flight_date", "origin"),
        Check("known_origin", "origin IN ('EWR', 'JFK', 'LGA')"),
        Check("flights_of_a_day", "flights BETWEEN 1 AND 1000"),
        Check("cancelled_at_most_flights", "flights >= cancelled"),
        Check("no_flight_is_cancelled_and_delayed", "cancelled + delayed_15 <= flights"),
        Check("mean_dep_delay", "avg(mean_dep_delay) BETWEEN -15 AND 120", "warn", batch=True),
    ),
    "aircraft_days": (
        _one_row_for_each("flight_date", "tailnum"),
        Check("legs_of_a_day", "legs BETWEEN 1 AND 12"),
        Check("turnarounds_lie_between_legs", "turnarounds = legs - 1"),
        Check("time_in_air", "minutes_in_air BETWEEN 1 AND 1440", "warn"),
        Check("turnaround", "shortest_turnaround BETWEEN 60 AND 2880", "warn"),
    ),
    "carrier_month": (
        _one_row_for_each("month", "carrier"),
        Check("share", "on_time_share BETWEEN 0 AND 1"),
        Check("cancelled_at_most_flights", "flights >= cancelled"),
        Check("carrier_known", "carrier_name IS NOT NULL", "warn"),
        Check("month_is_its_first_day", "dayofmonth(month) = 1"),
    ),
    "route_punctuality": (
        _one_row_for_each("origin", "dest"),
        Check("row_count", "count(*) BETWEEN 1 AND 1000", "warn", batch=True),
        Check("cancelled_at_most_flights", "flights >= cancelled"),
        Check("gate_to_gate", "mean_gate_to_gate BETWEEN 20 AND 900", "warn"),
        Check("destination_known", "dest_name IS NOT NULL", "warn"),
    ),
    "weather_delay": (
        _one_row_for_each("wind", "visibility", "precipitation"),
        Check("row_count", "count(*) BETWEEN 1 AND 80", "warn", batch=True),
        Check("share", "cancelled_share BETWEEN 0 AND 1"),
        Check("wind_band", "wind RLIKE '(mph|unknown)'"),
    ),
}
