"""Times the commands that only look, as whole processes, beside a start of Spark.

    python bench/looking.py --rounds 5
    python bench/looking.py --rounds 5 --tables 100

Uses the lake of `make demo`; with --tables a new one, of so many tables with one load each. Prints the median of each
command in seconds and its ratio to a query by Spark.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_GOLDSMITH = str(Path(sys.executable).with_name("goldsmith"))
_BRONZE = """description: Orders as delivered.
source: {{files: t{number}/*.csv, format: csv}}
columns: {{id: int, amount: "decimal(9,2)", ordered_on: date}}
expectations:
  - {{condition: amount >= 0, name: positive, otherwise: quarantine}}
"""
_SILVER = "description: The newest row of each order.\nload: {merge: {key: id, newest_by: ordered_on}}\n"


def many_tables(root: Path, tables: int) -> None:
    """Makes a lake in which every second table reads the one before it, and loads it."""
    pipeline = root / "pipelines" / "many"
    for folder in ("bronze", "silver"):
        (pipeline / folder).mkdir(parents=True)
    (pipeline / "pipeline.yaml").write_text("description: Many tables.\n")
    (root / "goldsmith.yaml").write_text("name: many\nprofiles: {local: {parallel: 4}}\n")
    for number in range(tables // 2):
        landing = root / ".goldsmith/landing" / f"t{number}"
        landing.mkdir(parents=True)
        (landing / "1.csv").write_text("id,amount,ordered_on\n1,2.50,2026-01-05\n2,-1,2026-01-05\n")
        (pipeline / f"bronze/t{number}.yaml").write_text(_BRONZE.format(number=number))
        (pipeline / f"silver/t{number}.yaml").write_text(_SILVER)
        (pipeline / f"silver/t{number}.sql").write_text(
            f"SELECT id, amount, ordered_on FROM bronze.t{number}\n"
        )
    subprocess.run([_GOLDSMITH, "run"], cwd=root, check=True, stdout=subprocess.DEVNULL)


def measure(root: Path, table: str, rounds: int) -> None:
    """Runs the commands in turn, so that other load of the machine meets all of them."""
    spark = ("sql", f"SELECT count(*) FROM {table}")
    looks = (("status",), ("plan",), ("run",), ("quarantine", "list"), ("table", "show", table))
    times: dict[tuple[str, ...], list[float]] = {command: [] for command in (*looks, spark)}
    for _ in range(rounds):
        for command, found in times.items():
            began = time.monotonic()
            subprocess.run([_GOLDSMITH, *command], cwd=root, check=True, stdout=subprocess.DEVNULL)
            found.append(time.monotonic() - began)
    by_spark = statistics.median(times[spark])
    for command, found in times.items():
        median = statistics.median(found)
        print(f"{' '.join(command):45} {median:6.2f} s  {median / by_spark:5.2f} of a query by Spark")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tables", type=int, help="The number of tables of a new lake.")
    arguments = parser.parse_args()
    if arguments.tables is None:
        measure(Path.cwd(), "gold.daily_punctuality", arguments.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as folder:
        many_tables(Path(folder), arguments.tables)
        measure(Path(folder), "silver.t0", arguments.rounds)


if __name__ == "__main__":
    main()
