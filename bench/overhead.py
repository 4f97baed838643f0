"""Compares Goldsmith with the same pipeline in plain PySpark: seconds per day, growth, memory.

    python bench/overhead.py --days 30

Three variants load the same days of flights, each into its own warehouse, in one process and one JVM: plain PySpark,
Goldsmith sequentially, Goldsmith with four tables in parallel. README.md describes the comparison.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from pyspark.sql import SparkSession

import by_hand
from goldsmith.engine.ingest.landing_disk import DiskLanding
from goldsmith.engine.launch.session import make_session
from goldsmith.errors import GoldsmithError
from goldsmith.project.loading import load_project
from goldsmith.project.pipelines import Project
from goldsmith.run.context import DataInterval, Run
from goldsmith.run.feeding import Deliver, deliver_day, feed_of
from goldsmith.run.outcome import RunResult
from goldsmith.run.runner import run_tables
from goldsmith.settings import Settings

ROOT = Path(__file__).parents[1]
FIRST = date(2013, 1, 1)
PIPELINE = "flights"
VARIANTS = ("plain PySpark", "Goldsmith, sequential", "Goldsmith, four in parallel")
PARALLEL = {VARIANTS[1]: 1, VARIANTS[2]: 4}
EARLY, LATE = slice(1, 4), slice(-3, None)
"""The days whose medians show the growth per day: the second to the fourth, and the last three."""

LEAST_FOR_GROWTH = 8


@dataclass(frozen=True)
class Measured:
    """The loads of one variant: wall seconds and Spark jobs per day."""

    seconds: tuple[float, ...]
    jobs: tuple[int, ...]

    @property
    def growth(self) -> float | None:
        """Median seconds of the last three days over those of days 2 to 4; None for too few days."""
        if len(self.seconds) < LEAST_FOR_GROWTH:
            return None
        return median(self.seconds[LATE]) / median(self.seconds[EARLY])


@dataclass(frozen=True)
class Peak:
    """Peak resident memory in MB of a process that loaded some days with one variant."""

    jvm: int
    python: int


@dataclass(frozen=True)
class Place:
    """The folder of one series of days: delivered files, and a warehouse for each variant."""

    folder: Path

    @property
    def landing(self) -> DiskLanding:
        return DiskLanding(self.folder / "landing")

    def warehouse(self, variant: str) -> Path:
        return self.folder / variant.replace(",", "").replace(" ", "_")


def main() -> int:
    """Prints the comparison; returns 1 if a silver or gold row differs between the variants."""
    asked = _arguments()
    if asked.memory_of:
        print(json.dumps(asdict(_peak_here(asked.memory_of, asked.days, Path(asked.folder)))))
        return 0
    if asked.folder is not None:
        Path(asked.folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-", dir=asked.folder) as name:
        folder = Path(name)
        peaks = {}
        if asked.memory_days:
            peaks = {variant: _peak_of(variant, asked.memory_days, folder / "memory") for variant in VARIANTS}
        project = load_project(ROOT)
        spark = _session(project, folder)
        try:
            if asked.warm_up:
                _log(f"warming up on {asked.warm_up} days")
                _measure(spark, project, Place(folder / "warm-up"), VARIANTS, asked.warm_up)
            place = Place(folder / "measured")
            measured = _measure(spark, project, place, VARIANTS, asked.days)
            differing = _differing(spark, project, place)
        finally:
            spark.stop()
    result = _result(measured, peaks, differing)
    print(json.dumps(result, indent=2) if asked.json else _as_markdown(result))
    return 1 if differing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare Goldsmith with the same pipeline in plain PySpark.")
    parser.add_argument("--days", type=_days, default=30, help="number of measured days (30)")
    parser.add_argument("--warm-up", type=int, default=3, help="warm-up days, loaded by all variants (3)")
    parser.add_argument(
        "--memory-days", type=int, default=5, help="days of the memory measurement; 0 for none (5)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a Markdown table")
    parser.add_argument("--folder", help="folder of the temporary warehouses (the system's)")
    parser.add_argument("--memory-of", choices=VARIANTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def _days(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 365:
        raise argparse.ArgumentTypeError("the flights have 365 days")
    return number


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _session(project: Project, folder: Path) -> SparkSession:
    settings = Settings.from_environment()
    return make_session(project.profile(), name="bench", warehouse=str(folder / "unused"), settings=settings)


def _measure(
    spark: SparkSession, project: Project, place: Place, variants: Sequence[str], days: int
) -> dict[str, Measured]:
    """Alternates the variants day by day, so that other load on the machine affects all of them equally."""
    deliver: Deliver = feed_of(project.pipelines[PIPELINE])
    seconds: dict[str, list[float]] = {variant: [] for variant in variants}
    jobs: dict[str, list[int]] = {variant: [] for variant in variants}
    loads = {variant: _load_of(spark, project, place, variant) for variant in variants}
    for number in range(days):
        day = FIRST + timedelta(number)
        deliver_day(place.landing, deliver, day)
        for variant, load in loads.items():
            jobs_before, began = _jobs(spark), time.monotonic()
            load(day)
            seconds[variant].append(time.monotonic() - began)
            jobs[variant].append(_jobs(spark) - jobs_before)
        _log(f"{day}  " + "  ".join(f"{variant}: {seconds[variant][-1]:.1f} s" for variant in variants))
    return {variant: Measured(tuple(seconds[variant]), tuple(jobs[variant])) for variant in variants}


def _load_of(spark: SparkSession, project: Project, place: Place, variant: str) -> Callable[[date], None]:
    """Loads one day with a variant. Raises the first error of a table."""
    warehouse = place.warehouse(variant)
    if variant not in PARALLEL:
        return lambda _day: by_hand.load_day(spark, place.landing.root, warehouse)
    names = project.select((PIPELINE,))

    def load(day: date) -> None:
        run = Run.begin(project, interval=DataInterval.of(day, None))
        run = replace(run, warehouse=str(warehouse), landing=place.landing)
        for error in _errors(run_tables(spark, run, names, parallel=PARALLEL[variant])):
            raise error

    return load


def _errors(result: RunResult) -> list[GoldsmithError]:
    return [*(outcome.error for outcome in result.outcomes if outcome.error), *result.errors]


def _jobs(spark: SparkSession) -> int:
    """The number of jobs that this JVM has started."""
    context: Any = spark.sparkContext._jsc
    return int(context.sc().dagScheduler().numTotalJobs())


def _differing(spark: SparkSession, project: Project, place: Place) -> list[str]:
    """The silver and gold tables whose rows differ between the warehouses."""

    def read(variant: str, table: str) -> Any:
        return spark.read.format("delta").load(f"{place.warehouse(variant)}/{table.replace('.', '/')}")

    found = []
    for name in project.select(("silver", "gold")):
        first = read(VARIANTS[0], name)
        for variant in VARIANTS[1:]:
            other = read(variant, name).select(*first.columns)
            if not (first.exceptAll(other).isEmpty() and other.exceptAll(first).isEmpty()):
                found.append(f"{name} ({VARIANTS[0]}: {first.count()} rows, {variant}: {other.count()})")
    return found


def _peak_of(variant: str, days: int, folder: Path) -> Peak:
    """Measures a variant in its own process, because a peak cannot be reset."""
    _log(f"memory: {variant}, {days} days")
    call = [sys.executable, str(Path(__file__).resolve()), "--memory-of", variant, "--days", str(days)]
    told = subprocess.run(
        [*call, "--folder", str(folder / variant)], stdout=subprocess.PIPE, text=True, check=True
    )
    return Peak(**json.loads(told.stdout))


def _peak_here(variant: str, days: int, folder: Path) -> Peak:
    project = load_project(ROOT)
    spark = _session(project, folder)
    try:
        _measure(spark, project, Place(folder), (variant,), days)
        gateway: Any = spark.sparkContext._gateway
        # spark-submit replaces itself with the JVM and keeps its process id.
        return Peak(_high_water(str(gateway.proc.pid)), _high_water("self"))
    finally:
        spark.stop()


def _high_water(process: str) -> int:
    """VmHWM of a process in MB; Linux only."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def _result(
    measured: Mapping[str, Measured], peaks: Mapping[str, Peak], differing: Sequence[str]
) -> dict[str, Any]:
    base = median(measured[VARIANTS[0]].seconds)
    variants = {
        variant: {
            "median_seconds": median(of.seconds),
            "ratio": median(of.seconds) / base,
            "growth": of.growth,
            "median_jobs": median(of.jobs),
            "peak_mb": asdict(peaks[variant]) if variant in peaks else None,
            "seconds": of.seconds,
            "jobs": of.jobs,
        }
        for variant, of in measured.items()
    }
    days = len(measured[VARIANTS[0]].seconds)
    return {"days": days, "variants": variants, "equal": not differing, "differing": list(differing)}


def _as_markdown(result: Mapping[str, Any]) -> str:
    lines = [
        "| variant | median s per day | ratio to plain PySpark | last 3 days over days 2-4 | Spark jobs per day"
        " | peak JVM + Python, MB |",
        "|---|---|---|---|---|---|",
    ]
    for variant, of in result["variants"].items():
        growth = f"{of['growth']:.2f}" if of["growth"] is not None else "-"
        peak = f"{of['peak_mb']['jvm']} + {of['peak_mb']['python']}" if of["peak_mb"] else "-"
        lines.append(
            f"| {variant} | {of['median_seconds']:.2f} | {of['ratio']:.2f} | {growth} | {of['median_jobs']:.0f} | {peak} |"
        )
    lines += ["", f"{result['days']} days."]
    if result["equal"]:
        lines.append("Every silver and gold table has the same rows in all variants.")
    else:
        lines.append(
            "The comparison is void, for these tables differ: " + "; ".join(result["differing"]) + "."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
