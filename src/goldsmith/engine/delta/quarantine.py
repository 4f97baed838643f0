"""The quarantine of a table: quarantined rows with their reasons, in `quarantine.<layer>_<table>`.

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
from typing import Literal, TypeVar

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from goldsmith.engine.columns import EXACT_TIMES
from goldsmith.engine.delta.entered import AS_ENTERED, BAD, ENTERED, ENTERED_AS, Entering
from goldsmith.engine.delta.log import NO_TABLE, HistoryGone, TableLog
from goldsmith.engine.delta.writing import admit
from goldsmith.engine.failures import is_conflict
from goldsmith.engine.rows import frame_of
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.quality.judge import OUTCOME, REASONS

T = TypeVar("T")

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
    """until: the quarantine's version up to which every entry counts; None if there is no quarantine.

    open: there are later entries of which it cannot be said yet.
    """

    until: int | None
    open: bool = False

    def with_own(self, held: Held, marks: int) -> int:
        """The version that the commit of these rows can vouch for: its own, where nothing else came before it."""
        before = self.until if self.until is not None else NO_TABLE
        return held.version if not self.open and not marks and held.version == before + 1 else before


@dataclass(frozen=True)
class EntriesWritten:
    """One write of entries. marks: how many of them are marks."""

    run_id: str
    counter: int
    marks: int
    version: int


class Quarantine:
    """One table's quarantine. path: of its Delta table, which the first quarantined row creates.

    Its columns: id, run_id, counter (the commit of the table that the entry belongs to), held_at, reasons
    (array of expectation names), row (the row as JSON, for people), takes_back (the entry a mark removes), and
    ENTERED and ENTERED_AS, the row as it entered. Goldsmith reads a row's values from these two only; entries of
    its first releases lack them.
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

        columns: those of the row. takes_back: ids of entries, or EVERYTHING.
        """
        rows = judged.where(F.col(OUTCOME) == "quarantine")
        entering = _entering(rows, columns)
        held = [F.col(REASONS).alias("reasons"), _for_people(columns).alias("row")]
        held.append(F.lit(entering.text).alias(ENTERED_AS))
        if entering.struct is not None:
            held.append(entering.struct.alias(ENTERED))
        return self._write(rows.select(*held), entries, takes_back)

    def mark(self, entries: Entries, takes_back: Sequence[str]) -> None:
        """Writes marks alone, for entries that leave."""
        self._write(None, entries, takes_back)

    def _write(self, rows: DataFrame | None, entries: Entries, takes_back: Sequence[str]) -> Held:
        if takes_back:
            marks = frame_of(self.spark, [(mark,) for mark in takes_back], {"takes_back": "string"})
            rows = marks if rows is None else rows.unionByName(marks, allowMissingColumns=True)
        assert rows is not None
        missing = [
            F.lit(None).cast(kind).alias(name) for name, kind in _ALWAYS.items() if name not in rows.columns
        ]
        rows = rows.select(
            F.expr("uuid()").alias("id"),
            F.lit(entries.run_id).alias("run_id"),
            F.lit(entries.counter).cast("bigint").alias("counter"),
            F.lit(entries.at.isoformat()).cast("timestamp").alias("held_at"),
            *rows.columns,
            *missing,
        )
        told = json.dumps({"run_id": entries.run_id, "counter": entries.counter, "marks": len(takes_back)})
        writer = rows.write.format("delta").mode("append").option("userMetadata", told)
        writer = writer.option("mergeSchema", "true")

        def append() -> int:
            before = self.version()
            if before == NO_TABLE:
                # Statistics of a row's values would answer no query, and not every value can be in them.
                writer.option("delta.dataSkippingNumIndexedCols", _INDEXED).save(self.path)
                return before
            admit(self.log, rows.schema)
            writer.save(self.path)
            return before

        before = _retried(append)
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
        claims = [(written, claim(written.run_id, written.counter)) for written in unsettled(self.log, since)]
        void = [written for written, said in claims if said == "void"]
        marking = [written for written, said in claims if said == "taken" and written.marks]
        still = [written.version for written, said in claims if said == "open"]
        if void or marking:
            leaving = reduce(or_, [*map(_of, void), *(self._left_by(written) for written in marking)])
            self._delete(leaving, [*void, *marking])
        return Settled(min(still) - 1 if still else newest, bool(still))

    def _left_by(self, written: EntriesWritten) -> Column:
        """The entries that a taken commit's marks remove, and the marks."""
        own = _of(written) & F.col("takes_back").isNotNull()
        marks = [row.takes_back for row in self._frame().where(own).select("takes_back").collect()]
        if EVERYTHING in marks:
            return own | (F.col("counter") < written.counter)
        # As text: each literal that Python makes is a call into the JVM.
        return own | F.expr(f"id IN ({', '.join(map(literal, marks))})")

    def forget(self, entries: Entries) -> None:
        """Removes what a run wrote and will not commit."""
        if self.version() != NO_TABLE:
            gone = EntriesWritten(entries.run_id, entries.counter, 0, NO_TABLE)
            self._delete(_of(gone), [gone])

    def _delete(self, condition: Column, settled: Sequence[EntriesWritten]) -> None:
        told = json.dumps({"settled": [(written.run_id, written.counter) for written in settled]})

        def delete() -> None:
            try:
                self.spark.conf.set(_USER_METADATA, told)
                DeltaTable.forPath(self.spark, self.path).delete(condition)
            finally:
                self.spark.conf.unset(_USER_METADATA)

        _retried(delete)


def unsettled(log: TableLog, since: int) -> list[EntriesWritten]:
    """What was written after a version of a quarantine and is not settled, oldest first.

    A version that is gone from the log was settled long ago.
    """
    commits = []
    for number in range(log.version(), since, -1):
        try:
            commits.append(log.commit(number))
        except HistoryGone:
            break
    found: list[EntriesWritten] = []
    for commit in reversed(commits):
        metadata = json.loads(commit.user_metadata or "{}")
        if "run_id" in metadata:
            found.append(
                EntriesWritten(metadata["run_id"], metadata["counter"], metadata["marks"], commit.version)
            )
        done = {(run_id, counter) for run_id, counter in metadata.get("settled", ())}
        found = [written for written in found if (written.run_id, written.counter) not in done]
    return found


def _retried(write: Callable[[], T]) -> T:
    """The result of a write, which is tried again where a concurrent commit came first."""
    for _ in range(1, _ATTEMPTS):
        try:
            return write()
        except Exception as error:
            if not is_conflict(error):
                raise
    return write()


def _entering(rows: DataFrame, columns: Sequence[str]) -> Entering:
    """The row's columns as they entered: those that were cast as they were before."""
    now = rows.schema
    before = now[AS_ENTERED].dataType if AS_ENTERED in now.fieldNames() else StructType()
    assert isinstance(before, StructType)
    cast = before.fieldNames()
    fields = [StructField(name, (before if name in cast else now)[name].dataType) for name in columns]
    values = [F.col(f"{AS_ENTERED}.{quoted(name)}" if name in cast else quoted(name)) for name in columns]
    return Entering(StructType(fields), tuple(values))


def _for_people(columns: Sequence[str]) -> Column:
    """The row as JSON text: typed values, and what could not be cast as the text it was."""
    typed = F.to_json(F.struct(*[F.col(quoted(name)).alias(name) for name in columns]), EXACT_TIMES)
    # to_json leaves NULL fields out, and a column that could not be cast is NULL: no key comes twice.
    comma = F.when(typed == "{}", "").otherwise(",")
    merged = F.concat(F.regexp_replace(typed, r"\}$", ""), comma, F.expr(f"substring(to_json({BAD}), 2)"))
    return F.when(F.col(BAD).isNull(), typed).otherwise(merged)


def _of(written: EntriesWritten) -> Column:
    """The entries of one run's commit."""
    return (F.col("run_id") == written.run_id) & (F.col("counter") == written.counter)


_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_ATTEMPTS = 10
_ALWAYS = {"reasons": "array<string>", "row": "string", "takes_back": "string"}
_INDEXED = "4"
"""How many columns have statistics: the first ones, which tell entries apart."""


def quarantine_path(warehouse: str, table: str) -> str:
    """`silver.departures` -> `<warehouse>/quarantine/silver_departures`."""
    return f"{warehouse}/quarantine/{table.replace('.', '_')}"
