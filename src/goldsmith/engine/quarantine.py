"""The quarantine of a table: rows held back, with their reasons, in `quarantine.<layer>_<table>`.

Rows are written before the table's own commit, under the coming counter and the run's id, and count only
when the table's log holds that commit. An entry that leaves (released, judged again, its source removed)
is first marked by an entry of its own; `settle` then removes what does not count. Where runs are not kept
apart by a lock, another run's entries may still become a commit: they are left alone until its counter is
taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Literal

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.failures import is_conflict
from goldsmith.engine.log import NO_TABLE, HistoryGone, TableLog
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


Claim = Literal["taken", "void", "open"]
"""What became of the commit that entries belong to: it is in the table's log, never will be, or still may be."""


@dataclass(frozen=True)
class Held:
    """What a run wrote: how many rows, as the write counted them, and the quarantine's version with them."""

    rows: int
    version: int


@dataclass(frozen=True)
class Settled:
    """until: the quarantine's version up to which every entry counts; None where there is no quarantine.

    open: there are later entries of which it cannot be said yet.
    """

    until: int | None
    open: bool = False

    def with_own(self, held: Held, marks: int) -> int:
        """The version that the commit of these rows can vouch for: its own, where nothing else came before it."""
        before = self.until if self.until is not None else NO_TABLE
        return held.version if not self.open and not marks and held.version == before + 1 else before


@dataclass(frozen=True)
class _Written:
    """One write of entries. marks: how many of them are marks."""

    run_id: str
    counter: int
    marks: int
    version: int


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
    ) -> Held:
        """Writes the judged rows whose outcome is `quarantine`, and marks for entries that leave.

        takes_back: ids of these, or EVERYTHING.
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
        return Held(mine.metrics["numOutputRows"] - len(takes_back), mine.version)

    def _frame(self) -> DataFrame:
        return self.spark.read.format("delta").load(self.path)

    def entries(self, until: int) -> DataFrame:
        """The entries that count, once settled: marks left out. until: the counter of the table's last commit."""
        return self._frame().where(F.col("takes_back").isNull() & (F.col("counter") <= until))

    def remove_void(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Removes the entries of commits that a RESTORE of the table took back."""
        if self.version() == NO_TABLE:
            return
        void = reduce(or_, [F.col("counter").between(low, high) for low, high in ranges], F.lit(False))
        if not self._frame().where(void).isEmpty():
            self._delete(void, [])

    def settle(self, since: int, claim: Callable[[str, int], Claim]) -> Settled:
        """Removes the entries of commits that will never be, and applies the marks of those that are.

        since: the version up to which everything is settled. claim: what became of a run's commit, by its counter.
        """
        newest = self.version()
        if newest == NO_TABLE:
            return Settled(None)
        claims = [(written, claim(written.run_id, written.counter)) for written in self._since(since, newest)]
        void = [written for written, said in claims if said == "void"]
        marking = [written for written, said in claims if said == "taken" and written.marks]
        still = [written.version for written, said in claims if said == "open"]
        if void or marking:
            leaving = reduce(or_, [*map(_of, void), *(self._left_by(written) for written in marking)])
            self._delete(leaving, [*void, *marking])
        return Settled(min(still) - 1 if still else newest, bool(still))

    def _since(self, version: int, newest: int) -> list[_Written]:
        """What was written after a version and is not settled, oldest first. A log that is gone was settled long ago."""
        commits = []
        for number in range(newest, version, -1):
            try:
                commits.append(self.log.commit(number))
            except HistoryGone:
                break
        found: list[_Written] = []
        for commit in reversed(commits):
            told = json.loads(commit.user_metadata or "{}")
            if "run_id" in told:
                found.append(_Written(told["run_id"], told["counter"], told["marks"], commit.version))
            done = {(run_id, counter) for run_id, counter in told.get("settled", ())}
            found = [written for written in found if (written.run_id, written.counter) not in done]
        return found

    def _left_by(self, written: _Written) -> Column:
        """The entries that a taken commit's marks remove, and the marks."""
        own = _of(written) & F.col("takes_back").isNotNull()
        marks = [row.takes_back for row in self._frame().where(own).select("takes_back").collect()]
        if EVERYTHING in marks:
            return own | (F.col("counter") < written.counter)
        return own | F.col("id").isin(marks)

    def forget(self, entries: Entries) -> None:
        """Removes what a run wrote and will not commit."""
        if self.version() != NO_TABLE:
            gone = _Written(entries.run_id, entries.counter, 0, NO_TABLE)
            self._delete(_of(gone), [gone])

    def _delete(self, condition: Column, settled: Sequence[_Written]) -> None:
        told = json.dumps({"settled": [(written.run_id, written.counter) for written in settled]})
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.spark.conf.set(_USER_METADATA, told)
                DeltaTable.forPath(self.spark, self.path).delete(condition)
            except Exception as error:
                if not is_conflict(error) or attempt == _ATTEMPTS:
                    raise
            else:
                return
            finally:
                self.spark.conf.unset(_USER_METADATA)


def _of(written: _Written) -> Column:
    """The entries of one run's commit."""
    return (F.col("run_id") == written.run_id) & (F.col("counter") == written.counter)


_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_ATTEMPTS = 10


def quarantine_path(warehouse: str, table: str) -> str:
    """`silver.departures` -> `<warehouse>/quarantine/silver_departures`."""
    return f"{warehouse}/quarantine/{table.replace('.', '_')}"
