"""Measures the time from a job's submission to its first commit in the containers, for Spark's defaults and the image.

    make up && .venv/bin/python bench/cluster_startup.py --rounds 5

Each start rebuilds one table of the flights, in one commit, so the flights must be loaded: wait until Airflow's first
scheduled run has ended. The variants alternate on an otherwise idle cluster. The time is measured in the job's container,
from the start of spark-submit to the commit. README.md describes the variants.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from statistics import median

from lake import ROOT, query

TABLE = "bronze.airlines"
JOB = f"jobs/run.py {TABLE} --rebuild {TABLE}"
OWN = "-XX:SharedArchiveFile=/opt/java/lib/server/classes.jsa"
"""Java's default class archive, which every JVM uses: the last option takes effect."""
JARS = "$(ls /opt/spark/jars/*.jar | grep -E 'delta|aws|logstore' | paste -sd,)"
PLAIN = (
    f"spark-submit --jars {JARS} --driver-java-options {OWN} --conf spark.executor.extraJavaOptions={OWN}"
    " --conf spark.executor.defaultJavaOptions= --conf spark.ui.enabled=true --conf spark.executor.cores=1"
    f" --conf spark.executor.memory=768m {JOB}"
)
VARIANTS = {
    "Spark defaults": (
        "env",
        "SPARK_SUBMIT_OPTS=",
        "SPARK_LAUNCHER_OPTS=",
        "bash",
        "-c",
        f"date +%s.%N; exec {PLAIN}",
    ),
    "image": ("bash", "-c", f"date +%s.%N; exec spark/entrypoint.sh submit {JOB}"),
}


def committed() -> float:
    """The time of the table's newest commit, in seconds since 1970."""
    [(_, at, *_)] = query(f"DESCRIBE HISTORY {TABLE} LIMIT 1")
    return datetime.fromisoformat(str(at)).replace(tzinfo=UTC).timestamp()


def once(name: str) -> float:
    """Seconds of one start. Raises RuntimeError if the job fails."""
    words = [
        sys.executable,
        "tools/compose.py",
        "--progress",
        "quiet",
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "jobs",
    ]
    done = subprocess.run([*words, *VARIANTS[name]], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            f"{name} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    began = float(next(line for line in done.stdout.splitlines() if line[:1].isdigit()))
    return committed() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    took: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for number in range(asked.rounds):
        for name, seconds in took.items():
            seconds.append(once(name))
            print(f"{number + 1} {name:<16} {seconds[-1]:6.1f}", flush=True)
    whole = median(took["Spark defaults"])
    print(f"\nmedians of {asked.rounds}")
    for name, seconds in took.items():
        print(f"  {name:<16} {median(seconds):6.1f} s {median(seconds) / whole:6.2f}")


if __name__ == "__main__":
    main()
