"""Runs a range of seeds in one or several processes, and prints failures and a summary."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from differential.case import Case
from differential.drawing import draw
from differential.failing import Failed
from support.sessions import BOUNDED, INTERPRETED

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONF: dict[str, str | int | float | bool] = {
    "spark.sql.shuffle.partitions": 1,
    "spark.sql.adaptive.enabled": False,
    "spark.databricks.delta.snapshotPartitions": 1,
    "spark.default.parallelism": 1,
    "spark.sql.codegen.cache.maxEntries": 500,
    "spark.scheduler.mode": "FIFO",
    **BOUNDED,
}
"""The projects are tiny: one task per stage."""


LONG = 150
"""The number of seeds per process from which Java's second compiler pays off."""


@dataclass
class Result:
    """The result of a seed. failed: None on success."""

    seed: int
    seconds: float
    failed: Failed | None = None
    seen: set[str] = field(default_factory=set)


@contextmanager
def session(*, long: bool = False, interpreted: bool = False) -> Iterator[SparkSession]:
    """A Spark session with one core. long: for hundreds of cases, with Java's second compiler.

    interpreted: expressions are interpreted, not compiled.
    """
    from goldsmith.engine.launch.session import make_session
    from goldsmith.project.models import ProfileSpec, SparkSpec
    from goldsmith.settings import Settings

    with tempfile.TemporaryDirectory() as warehouse:
        conf = CONF | INTERPRETED if interpreted else CONF
        profile = ProfileSpec(spark=SparkSpec(master="local[1]", light=not long, conf=conf))
        spark = make_session(
            profile, name="differential", warehouse=warehouse, settings=Settings.from_environment()
        )
        # Spark's logger writes each refused query with its stack.
        for logger in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
            logging.getLogger(logger).disabled = True
        try:
            yield spark
        finally:
            spark.stop()


def run_case(spark: SparkSession, case: Case, root: Path | None = None) -> Result:
    """Plays a case in a separate folder."""
    from differential.final_checks import finish
    from differential.machine import Machine

    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="differential-")) if root is None else root
    machine = Machine(spark, folder, case)
    failed = None
    try:
        machine.play()
        finish(machine)
    except Failed as error:
        failed = error
    except Exception as error:  # noqa: BLE001 - an error of the tester is reported like a failure
        failed = Failed("tester", "", f"{type(error).__name__}: {error}")
        failed.__cause__ = error
    finally:
        machine.forget()
        if root is None:
            shutil.rmtree(folder, ignore_errors=True)
    return Result(case.seed, time.monotonic() - began, failed, machine.seen)


def run_seeds(spark: SparkSession, seeds: Sequence[int]) -> Iterator[Result]:
    """Plays seeds sequentially."""
    for seed in seeds:
        yield run_case(spark, draw(seed))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns exit code 1 if a seed fails."""
    parser = argparse.ArgumentParser(prog="differential", description=__doc__)
    parser.add_argument(
        "--seeds", default="0:40", help="a range A:B without B, or one number, or a list a,b,c"
    )
    parser.add_argument("--jobs", type=int, default=1, help="concurrent processes")
    parser.add_argument("--done", type=Path, help="a file of finished seeds, which are skipped")
    parser.add_argument(
        "--shrink", type=int, default=0, metavar="SECONDS", help="time limit for shrinking each failure"
    )
    parser.add_argument("--into", type=Path, default=Path("failures"), help="the folder for shrunk projects")
    parser.add_argument("--first", action="store_true", help="stop at the first failure")
    parser.add_argument(
        "--interpreted", action="store_true", help="interpret expressions: more seeds an hour"
    )
    parser.add_argument("--verbose", action="store_true", help="a line for every seed, with its time")
    options = parser.parse_args(arguments)
    seeds = _seeds(options.seeds)
    if options.done is not None and options.done.exists():
        ended = {json.loads(line)["seed"] for line in options.done.read_text().splitlines()}
        seeds = [seed for seed in seeds if seed not in ended]
    if options.jobs > 1:
        return _in_processes(options, seeds)
    return _in_this_process(options, seeds)


def _seeds(text: str) -> list[int]:
    if ":" in text:
        first, _, end = text.partition(":")
        return list(range(int(first), int(end)))
    return [int(part) for part in text.split(",")]


def _in_processes(options: argparse.Namespace, seeds: list[int]) -> int:
    """Each process takes every n-th seed."""
    running = []
    for job in range(options.jobs):
        mine = seeds[job :: options.jobs]
        if not mine:
            continue
        command = [sys.executable, "-m", "differential", "--seeds", ",".join(map(str, mine))]
        command += ["--shrink", str(options.shrink), "--into", str(options.into)]
        command += ["--verbose"] if options.verbose else []
        command += ["--interpreted"] if options.interpreted else []
        command += ["--done", str(options.done)] if options.done else []
        running.append(subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}))
    return max((process.wait() for process in running), default=0)


def _in_this_process(options: argparse.Namespace, seeds: list[int]) -> int:
    kinds: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    began = time.monotonic()
    with session(long=len(seeds) > LONG, interpreted=options.interpreted) as spark:
        for result in run_seeds(spark, seeds):
            seen.update(result.seen)
            kinds[result.failed.kind if result.failed else "passed"] += 1
            if result.failed is not None:
                _print(f"seed {result.seed}: {result.failed.short}")
                if options.shrink:
                    from differential.shrink import shrink_to_folder

                    folder = shrink_to_folder(spark, draw(result.seed), options.into, seconds=options.shrink)
                    _print(f"  {folder}")
            elif options.verbose:
                _print(f"seed {result.seed}: passed in {result.seconds:.1f} s")
            if options.done is not None:
                line = {"seed": result.seed, "failed": result.failed.short if result.failed else None}
                with options.done.open("a") as file:
                    file.write(json.dumps(line) + "\n")
            if options.first and result.failed is not None:
                break
        spent = _cpu_seconds()
    seconds = time.monotonic() - began
    _print(
        f"{len(seeds)} seeds in {seconds:.0f} s ({spent:.0f} s of processor time): "
        + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    )
    _print("events: " + ", ".join(f"{what} {count}" for what, count in sorted(seen.items())))
    return int(any(kind != "passed" for kind in kinds))


def _cpu_seconds() -> float:
    """CPU time of this process and its JVM, which is more meaningful than the clock on a busy machine."""
    total, mine = time.process_time(), os.getpid()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == mine:
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
