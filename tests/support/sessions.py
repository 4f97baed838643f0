"""Settings of the tests' Spark sessions."""

from __future__ import annotations

from typing import Any

INTERPRETED: dict[str, str | int | float | bool] = {
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""Spark would compile a class for nearly every expression of a test, which takes longer than its few rows.

Tests of commands, of the cluster and of `make faults` compile them, as for users.
"""


SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
"""The options, as SPARK_SUBMIT_OPTS, of the JVMs of commands and jobs, as in the containers.

Java's second compiler takes two fifths of the processor time of a job that loads a few tables, and does not pay off.
"""

BOUNDED: dict[str, str | int | float | bool] = {
    "spark.databricks.delta.delta.log.cacheSize": 50,
    "spark.buffer.pageSize": "2m",
    # Java's second compiler pays off within minutes.
    "spark.driver.defaultJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=4",
}
"""Bounds what a session keeps in memory that reads thousands of tables.

Delta keeps the plans of each table that it has read for an hour, and Spark a page of memory for each broadcast table of a
kept plan: those of a few tests would fill the heap.
"""


def shared_session(full_counts: bool) -> dict[str, Any]:
    """The arguments of a SparkSpec for a session that hundreds of tests share. full_counts: as under `make faults`."""
    return {
        "master": "local[2]",
        "memory": "3g",
        "light": False,
        "conf": {
            "spark.sql.shuffle.partitions": 2,
            **BOUNDED,
            **({} if full_counts else INTERPRETED),
        },
    }
