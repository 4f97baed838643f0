"""The quarantine of a table: rows held back, with their reasons, in `quarantine.<layer>_<table>`.

Rows are written before the table's own commit, under the coming counter and the run's id, and count only
when the table's log holds that commit. An entry that leaves (released, judged again, its source removed)
is first marked by an entry of its own; `settle` then removes what does not count.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.log import NO_TABLE, TableLog
from goldsmith.engine.rows import frame_of
from goldsmith.engine.shape import row_as_json
from goldsmith.quality.judge import OUTCOME, REASONS

EVERYTHING = "*"
"""A mark for all entries before the coming commit."""


@dataclass(frozen=True)
class Entries:
    """What a run writes into a quarantine: under which run and counter."""

    run_id: str
    counter: int
    at: datetime


class Quarantine:
    """One table's quarantine. path: of its Delta table, which is made when the first row is held back.

    Its columns: id, run_id, counter (the commit of the table that the entry belongs to), held_at,
    reasons (array of expectation names), row (the whole row as JSON), takes_back (the entry a mark removes).
    """

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark = spark
        self.path = path
        self.log = TableLog(spark, path)

    def version(self) -> int:
        return self.log.version()

    def hold(
        self, judged: DataFrame, columns: list[str], entries: Entries, *, takes_back: Sequence[str] = ()
    ) -> int:
        """Writes the judged rows whose outcome is `quarantine`, and marks for entries that leave.

        takes_back: ids of these, or EVERYTHING. Returns how many rows were held, as the write counted them.
        """
        rows = judged.where(F.col(OUTCOME) == "quarantine").select(
            F.expr("uuid()").alias("id"),
            F.col(REASONS).alias("reasons"),
            row_as_json(columns).alias("row"),
            F.lit(None).cast("string").alias("takes_back"),
        )
        if takes_back:
            marks = frame_of(self.spark, [(mark,) for mark in takes_back], {"takes_back": "string"}).select(
                F.expr("uuid()").alias("id"),
                F.lit(None).cast("array<string>").alias("reasons"),
                F.lit(None).cast("string").alias("row"),
                "takes_back",
            )
            rows = rows.unionByName(marks)
        rows = rows.select(
            "id",
            F.lit(entries.run_id).alias("run_id"),
            F.lit(entries.counter).cast("bigint").alias("counter"),
            F.lit(entries.at.isoformat()).cast("timestamp").alias("held_at"),
            "reasons",
            "row",
            "takes_back",
        )
        before = self.version()
        told = json.dumps({"run_id": entries.run_id, "counter": entries.counter, "marks": len(takes_back)})
        rows.write.format("delta").mode("append").option("userMetadata", told).save(self.path)
        mine = next(
            commit for commit in self.log.commits(before, self.version()) if commit.user_metadata == told
        )
        return mine.metrics["numOutputRows"] - len(takes_back)

    def _frame(self) -> DataFrame:
        return self.spark.read.format("delta").load(self.path)

    def entries(self) -> DataFrame:
        """The entries that count, once settled: marks left out."""
        return self._frame().where(F.col("takes_back").isNull())

    def needs_settling(self, base: int) -> bool:
        """True where something was written since `base`, the version that its table's last commit names, or
        where that commit's marks have not been applied: its run died right after it."""
        newest = self.version()
        if newest == NO_TABLE:
            return False
        told = self.log.commit(newest).user_metadata
        if told is not None and '"settled"' in told:
            return False
        return newest != base or bool(json.loads(told or "{}").get("marks"))

    def remove_void(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Removes the entries of commits that a RESTORE of the table took back."""
        if self.version() == NO_TABLE:
            return
        void = reduce(or_, [F.col("counter").between(low, high) for low, high in ranges], F.lit(False))
        if not self._frame().where(void).isEmpty():
            self._delete(void)

    def settle(self, *, since: int, run_id: str | None, counter: int) -> None:
        """Removes the entries of commits that were never taken, and applies the marks of the one that was.

        since: the quarantine's version before which everything is known to count. run_id, counter: the
        table's last commit; entries written since then count only when they are its own.
        """
        newest = self.version()
        if newest == NO_TABLE:
            return
        written: set[tuple[str, int]] = set()
        for commit in self.log.commits(since, newest):
            told = json.loads(commit.user_metadata) if commit.user_metadata else {}
            if "run_id" in told:
                written.add((told["run_id"], told["counter"]))
        void = written - {(run_id, counter)}
        frame = self._frame()
        taken = (F.col("run_id") == run_id) & (F.col("counter") == counter) if run_id else F.lit(False)
        marks = [
            row.takes_back
            for row in frame.where(taken & F.col("takes_back").isNotNull()).select("takes_back").collect()
        ]
        leaving: Column = F.col("takes_back").isNotNull() & taken
        if EVERYTHING in marks:
            leaving = leaving | (F.col("counter") < counter)
        named = [mark for mark in marks if mark != EVERYTHING]
        if named:
            leaving = leaving | F.col("id").isin(named)
        for run, number in void:
            leaving = leaving | ((F.col("run_id") == run) & (F.col("counter") == number))
        if marks or void:
            self._delete(leaving)

    def forget(self, entries: Entries) -> None:
        """Removes what a run wrote and will not commit."""
        if self.version() != NO_TABLE:
            self._delete((F.col("run_id") == entries.run_id) & (F.col("counter") == entries.counter))

    def _delete(self, condition: Column) -> None:
        key = "spark.databricks.delta.commitInfo.userMetadata"
        self.spark.conf.set(key, json.dumps({"settled": True}))
        try:
            DeltaTable.forPath(self.spark, self.path).delete(condition)
        finally:
            self.spark.conf.unset(key)


def settled(base: int) -> str:
    """What a commit says that was planned from version `base`, of which every entry counts."""
    return json.dumps({"base": base, "settled": True})


def quarantine_path(warehouse: str, table: str) -> str:
    """`silver.departures` -> `<warehouse>/quarantine/silver_departures`."""
    return f"{warehouse}/quarantine/{table.replace('.', '_')}"
