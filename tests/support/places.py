"""Loads into a warehouse on a full and then read-only disk, and prints each result as a JSON line.

Run it in its own mount namespace, as in `unshare -Urm python places.py FOLDER`: its mounts end with it.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from goldsmith.engine.launch.session import make_session
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.settings import Settings
from support.lake import Lake

NAME = "bronze.notes"
ROWS = 40_000


def main(root: Path) -> None:
    warehouse = root / ".goldsmith/warehouse"
    warehouse.mkdir(parents=True)
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(warehouse))
    profile = ProfileSpec(spark=SparkSpec(master="local[2]", conf={"spark.sql.shuffle.partitions": 2}))
    spark = make_session(profile, name="places", warehouse=str(root), settings=Settings.from_environment())
    lake = Lake(spark, root)
    lake.declare(NAME, "source: {files: notes/*.csv, format: csv}\ncolumns: {id: int, note: string}")
    lake.declare("silver.notes", "load: {merge: {key: id}}", f"SELECT id, note FROM {NAME}")
    chance = random.Random(1)
    lines = [f"{number},{chance.randbytes(60).hex()}" for number in range(ROWS)]
    lake.deliver("notes/a.csv", "\n".join(["id,note", *lines]))
    run_and_report(lake, "full")
    mount("-o", "remount,size=200m", str(warehouse))
    run_and_report(lake, "room")
    mount("-o", "remount,ro", str(warehouse))
    lake.deliver("notes/b.csv", f"id,note\n{ROWS},last\n")
    run_and_report(lake, "read-only")
    mount("-o", "remount,rw", str(warehouse))
    run_and_report(lake, "writable")
    run_and_report(lake, "again")
    spark.stop()


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def run_and_report(lake: Lake, moment: str) -> None:
    """Runs all tables and prints the status, error, row count and distinct keys of each."""
    result = lake.run()
    report: dict[str, object] = {"moment": moment, "record": [str(error) for error in result.errors]}
    for outcome in result.outcomes:
        found = outcome.error
        rows = lake.table(outcome.table).select("id") if lake.version(outcome.table) >= 0 else None
        report[outcome.table] = {
            "status": outcome.status,
            "code": found.code if found else None,
            "message": str(found) if found else None,
            "hint": found.hint if found else None,
            "rows": rows.count() if rows is not None else 0,
            "keys": rows.distinct().count() if rows is not None else 0,
        }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
