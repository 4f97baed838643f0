"""Times the commands that only look, as whole processes, beside a start of Spark.

    python bench/looking.py --rounds 5

Needs the lake of `make demo`. Prints the median of each command in seconds and its ratio to a query by Spark.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

_GOLDSMITH = str(Path(sys.executable).with_name("goldsmith"))
_COMMANDS = (
    ("status",),
    ("plan",),
    ("run",),
    ("quarantine", "list"),
    ("table", "show", "gold.daily_punctuality"),
)
_SPARK = ("sql", "SELECT count(*) FROM gold.daily_punctuality")


def main() -> None:
    """Runs the commands in turn, so that other load of the machine meets all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds: int = parser.parse_args().rounds
    times: dict[tuple[str, ...], list[float]] = {command: [] for command in (*_COMMANDS, _SPARK)}
    for _ in range(rounds):
        for command, found in times.items():
            began = time.monotonic()
            subprocess.run([_GOLDSMITH, *command], check=True, capture_output=True)
            found.append(time.monotonic() - began)
    spark = statistics.median(times[_SPARK])
    for command, found in times.items():
        median = statistics.median(found)
        print(f"{' '.join(command):45} {median:6.2f} s  {median / spark:5.2f} of a query by Spark")


if __name__ == "__main__":
    main()
