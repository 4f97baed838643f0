"""A Spark driver that commits to tables on S3 on request: one JSON line in, one line out per commit.

{"do": "append", "table": PATH, "name": NAME, "commits": N}   appends of 20 rows
{"do": "mix", ...}                                            appends, merges and optimizes in turn
It prints `ready`, then `ack NAME NUMBER` after each commit and `end` after each line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from goldsmith.engine.conditions import is_conflict
from goldsmith.engine.launch.session import make_session
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.settings import Settings

ROWS = 20


def report(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def append(spark: SparkSession, table: str, name: str, number: int) -> None:
    rows = spark.range(ROWS).selectExpr(f"'{name}' AS name", f"{number} AS number", "id", "0 AS touched")
    rows.coalesce(1).write.format("delta").mode("append").save(table)


def merge(spark: SparkSession, table: str, name: str, number: int) -> None:
    """Inserts the rows of a number, and updates those of number 0."""
    source = spark.range(ROWS * 2).selectExpr(
        f"'{name}' AS name", f"IF(id < {ROWS}, 0, {number}) AS number", f"id % {ROWS} AS id", "1 AS touched"
    )
    target = DeltaTable.forPath(spark, table).alias("t")
    on = "t.name = s.name AND t.number = s.number AND t.id = s.id"
    (
        target.merge(source.alias("s"), on)
        .whenMatchedUpdate(set={"touched": "t.touched + 1"})
        .whenNotMatchedInsertAll()
        .execute()
    )


def again(commit: Any, *arguments: Any) -> None:
    """Repeats a commit after conflicts until it succeeds."""
    while True:
        try:
            commit(*arguments)
        except Exception as error:
            if not is_conflict(error):
                raise
        else:
            return


def main(endpoint: str, conf_dir: str) -> None:
    conf: dict[str, str | int | float | bool] = {"spark.sql.shuffle.partitions": 1}
    if endpoint:
        conf["spark.hadoop.fs.s3a.bucket.lossy.endpoint"] = endpoint
    profile = ProfileSpec(
        landing="s3a://lake/landing",
        warehouse="s3a://lake/warehouse",
        spark=SparkSpec(master="local[1]", memory="1g", conf_dir=conf_dir, conf=conf),
    )
    spark = make_session(
        profile, name="driver", warehouse=str(Path.cwd()), settings=Settings.from_environment()
    )
    report("ready")
    for line in sys.stdin:
        request = json.loads(line)
        for number in range(request["commits"]):
            here = (spark, request["table"], request["name"], number)
            again(merge if request["do"] == "mix" and number % 3 == 1 else append, *here)
            report("ack", request["name"], number)
            if request["do"] == "mix" and number % 4 == 3:
                again(lambda: DeltaTable.forPath(spark, request["table"]).optimize().executeCompaction())  # noqa: B023
        report("end")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
