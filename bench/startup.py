"""Measures the time from a job's start to its first commit, for Spark's defaults and for Goldsmith's start.

    python bench/startup.py --rounds 5

Each variant loads one bronze table of a new project in its own process; the variants alternate. The time is measured from
the start of the process to the table's first commit, and to the end of the process. README.md describes the variants.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from goldsmith.cli.starter import make_pipeline
from goldsmith.engine.launch.archive import archive_of
from goldsmith.engine.launch.jars import installed, spark_jars
from goldsmith.settings import Settings

ROOT = Path(__file__).parents[1]
TABLE = "bronze.orders"
PLAIN = """
profiles:
  local:
    spark: {master: "MASTER", light: false, conf: {spark.ui.enabled: true}}
"""
TRIMMED = """
profiles:
  local:
    spark: {master: "MASTER"}
"""


@dataclass(frozen=True)
class Variant:
    """A variant of starting a job. profiles: of its project. archived: with the class archive."""

    name: str
    profiles: str
    command: Callable[[str], Sequence[str]]
    archived: bool


@dataclass(frozen=True)
class Took:
    """Seconds to the first commit, and to the end."""

    row: float
    end: float


def variants() -> tuple[Variant, ...]:
    """The compared variants, with Spark's defaults first."""
    submit = str(spark_jars().parent / "bin" / "spark-submit")
    jars = ",".join(map(str, installed(Settings.from_environment(), "delta")))
    job = str(ROOT / "jobs" / "run.py")
    goldsmith = (sys.executable, "-m", "goldsmith.cli.main")
    return (
        Variant(
            "spark-submit --jars",
            PLAIN,
            lambda master: (submit, "--master", master, "--jars", jars, job, TABLE),
            archived=False,
        ),
        Variant(
            "goldsmith job submit",
            TRIMMED,
            lambda _: (*goldsmith, "job", "submit", job, TABLE),
            archived=True,
        ),
        Variant("goldsmith run", TRIMMED, lambda _: (*goldsmith, "run", TABLE), archived=False),
        Variant("goldsmith run, fast start", TRIMMED, lambda _: (*goldsmith, "run", TABLE), archived=True),
    )


def once(variant: Variant, master: str, cache: Path) -> Took:
    """Runs one start. Raises RuntimeError if the job fails or makes no commit."""
    with tempfile.TemporaryDirectory(prefix="goldsmith-startup-") as work:
        root = Path(work)
        make_pipeline(root, "orders")
        (root / "goldsmith.yaml").write_text("name: startup\n" + variant.profiles.replace("MASTER", master))
        environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "GOLDSMITH_PROJECT": work}
        if not variant.archived:
            environment = {**environment, **_without_archive(cache)}
        began = time.time()
        done = subprocess.run(
            variant.command(master), cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        ended = time.time()
        commit = root / ".goldsmith/warehouse/bronze/orders/_delta_log" / f"{0:020d}.json"
        if done.returncode != 0 or not commit.is_file():
            raise RuntimeError(f"{variant.name} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return Took(commit.stat().st_mtime - began, ended - began)


def _without_archive(cache: Path) -> Mapping[str, str]:
    """A cache with only the jars."""
    jars = cache / "jars"
    if not jars.exists():
        jars.symlink_to(Settings.from_environment().cache / "jars")
    return {"GOLDSMITH_CACHE": str(cache)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Seconds from a job's start to its first committed row.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--master", default="local[2]")
    asked = parser.parse_args()
    if not archive_of(Settings.from_environment()).is_file():
        sys.exit("There is no class archive. Create it with `goldsmith spark install --fast-start`.")
    cache = Path(tempfile.mkdtemp(prefix="goldsmith-cache-"))
    compared = variants()
    took: dict[str, list[Took]] = {variant.name: [] for variant in compared}
    try:
        for number in range(asked.rounds):
            for variant in compared:
                found = once(variant, asked.master, cache)
                took[variant.name].append(found)
                print(f"{number + 1} {variant.name:<28} {found.row:6.1f} {found.end:6.1f}", flush=True)
    finally:
        shutil.rmtree(cache)
    whole = median(each.row for each in took[compared[0].name])
    print(f"\nmedians of {asked.rounds}, {asked.master}{'':<11} row    end  share")
    for name, starts in took.items():
        row, end = median(each.row for each in starts), median(each.end for each in starts)
        print(f"  {name:<28} {row:6.1f} {end:6.1f} {row / whole:6.2f}")


if __name__ == "__main__":
    main()
