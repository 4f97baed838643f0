"""Runs a sample project, so that the JVM has loaded the classes of a run before it writes their archive.

Run as `python -m goldsmith.cli.training FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark import SparkContext

from goldsmith.cli.starter import make_pipeline
from goldsmith.engine.launch.session import make_session
from goldsmith.project.loading import load_project
from goldsmith.run.context import Run
from goldsmith.run.maintaining import maintain
from goldsmith.run.runner import run_tables
from goldsmith.run.sql_query import run_query
from goldsmith.settings import Settings


def main(folder: Path) -> None:
    """Loads twice, queries and maintains; returns when the JVM has ended. Raises RuntimeError if a load fails."""
    make_pipeline(folder, "orders")
    project = load_project(folder)
    profile = project.profile()
    spark = make_session(
        profile, name="training", warehouse=profile.warehouse, settings=Settings.from_environment()
    )
    names = project.select(())
    for _ in range(2):
        result = run_tables(spark, Run.begin(project), names, parallel=2)
        if result.failed:
            raise RuntimeError(str(result.failed[0].error))
        landing = folder / ".goldsmith" / "landing"
        for path in [path for path in landing.rglob("*.csv") if not path.name.startswith("again_")]:
            (path.parent / f"again_{path.name}").write_bytes(path.read_bytes())
    run = Run.begin(project)
    run_query(spark, run, "SELECT count(*) FROM ops.table_runs", limit=1)
    maintain(spark, run, names, ops=True, dry_run=False, parallel=2)
    gateway = SparkContext._gateway
    spark.stop()
    assert gateway is not None
    # The JVM exits when its standard input is closed, and then writes the archive.
    gateway.proc.stdin.close()
    gateway.proc.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
