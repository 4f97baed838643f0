"""Measures whether a day of the shop costs the same after twice the days.

    python bench/shop_growth.py --days 7

Loads twice the days of examples/shop one after the other, and compares the last days of the first half with the last days
of the second one: by wall time, and by processor time of Python and Java, which other programs hardly change.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean

from pyspark.sql import SparkSession

from goldsmith.engine.launch.session import make_session
from goldsmith.project.loading import load_project
from goldsmith.run.context import Run
from goldsmith.run.feeding import deliver_day, feed_of
from goldsmith.run.runner import run_tables
from goldsmith.settings import Settings

SHOP = Path(__file__).parents[1] / "examples" / "shop"
FIRST = date(2026, 1, 1)
WARM_UP = 2
_USER_TIME = 11
"""The place of the user time in the numbers of /proc/PID/stat behind the name, before the system's time."""


@dataclass(frozen=True)
class Day:
    """The cost of a day in seconds. rows: those of all loads."""

    wall: float
    processor: float
    rows: int


def load(spark: SparkSession, folder: Path, days: int) -> list[Day]:
    """Delivers and loads days into a new copy of the shop."""
    root = folder / "shop"
    shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns(".goldsmith"))
    found = []
    for number in range(days):
        this = Run.begin(load_project(root))
        deliver_day(this.landing, feed_of(this.project.pipelines["shop"]), FIRST + timedelta(days=number))
        wall, processor = time.monotonic(), processor_time(spark)
        result = run_tables(spark, this, this.project.select(()), parallel=1)
        day = Day(
            time.monotonic() - wall,
            processor_time(spark) - processor,
            sum(outcome.counts.rows_in for outcome in result.outcomes),
        )
        if result.failed:
            sys.exit(
                f"day {number + 1} failed: {[str(item.error) for item in result.outcomes if item.error]}"
            )
        print(
            f"day {number + 1}: {day.wall:.1f} s, {day.processor:.1f} s of processors, {day.rows} rows",
            file=sys.stderr,
        )
        found.append(day)
    return found


def processor_time(spark: SparkSession) -> float:
    """The seconds that this process and its JVM have computed so far."""
    java = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()  # type: ignore[union-attr]
    fields = Path(f"/proc/{java}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    ticks = sum(map(int, fields[_USER_TIME : _USER_TIME + 2]))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=7, help="The days of the first half.")
    parser.add_argument("--last", type=int, default=3, help="The days compared at the end of each half.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as temporary:
        folder = Path(temporary)
        profile = load_project(SHOP).profile()
        spark = make_session(profile, name="bench", warehouse=str(folder / "warehouse"), settings=settings)
        load(spark, folder / "warm-up", WARM_UP)
        days = load(spark, folder / "measured", 2 * arguments.days)
        spark.stop()
    first, second = days[: arguments.days], days[arguments.days :]
    ratios = {}
    for name in ("wall", "processor", "rows"):
        early, late = (
            fmean(getattr(day, name) for day in half[-arguments.last :]) for half in (first, second)
        )
        ratios[name] = late / early
        if not arguments.json:
            print(
                f"{name:>9}: {early:8.1f} at day {arguments.days}, {late:8.1f} at day {2 * arguments.days}, "
                f"ratio {late / early:.2f}"
            )
    if arguments.json:
        print(json.dumps({"days": [asdict(day) for day in days], "ratios": ratios}))


if __name__ == "__main__":
    main()
