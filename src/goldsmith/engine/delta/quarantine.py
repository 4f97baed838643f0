"""The quarantine of a table: quarantined rows and their reasons, in `quarantine.<layer>_<table>`.

Entries are written before the table's own commit, with the run's id and the counter of that commit. They are valid
only if the table's log has the commit. An entry to be removed (released, re-evaluated, its source removed) is first
marked by another entry; `reconcile` then removes marked entries and those of aborted commits. Without locks, the
commit of another run may still be pending: its entries are kept until another commit has its counter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TypeVar

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from goldsmith.engine.conditions import is_conflict
from goldsmith.engine.delta.entry_batches import CommitStatus, EntryBatch, WrittenBatch, unreconciled
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.original_rows import AS_ENTERED, BAD, OriginalRow
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.delta.valid_entries import ENTERED, ENTERED_AS, valid_entries
from goldsmith.engine.delta.writing import enable_types
from goldsmith.engine.row_values import EXACT_TIMES
from goldsmith.engine.rows import frame_of
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.quality.judge import OUTCOME, REASONS

T = TypeVar("T")

ALL_ENTRIES = "*"
"""A mark that removes all entries of earlier commits."""


@dataclass(frozen=True)
class AddedEntries:
    """The result of a write: the number of rows, counted by the write, and the quarantine's version."""

    rows: int
    version: int


@dataclass(frozen=True)
class Reconciled:
    """The result of `reconcile`.

    until: the quarantine's version up to which all entries are valid; None if there is no quarantine. pending: there
    are later entries whose commits are pending.
    """

    until: int | None
    pending: bool = False

    def with_own(self, added: AddedEntries, marks: int) -> int:
        """The version up to which all entries are valid once these are committed."""
        before = self.until if self.until is not None else NO_TABLE
        return added.version if not self.pending and not marks and added.version == before + 1 else before


class QuarantineTable:
    """The quarantine of one table. path: its Delta table, which the first quarantined row creates.

    Columns: id, run_id, counter (of the table's commit that the entry belongs to), held_at, reasons (array of
    expectation names), row (the row as JSON, for display), takes_back (the entry that a mark removes), and ENTERED
    and ENTERED_AS, the original row. Goldsmith reads values from these two only; entries of its first releases lack
    them.
    """

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark = spark
        self.path = path
        self.log = TableLog(path)

    def version(self) -> int:
        return self.log.version()

    def add(
        self, judged: DataFrame, columns: list[str], batch: EntryBatch, *, removed: Sequence[str] = ()
    ) -> AddedEntries:
        """Writes the judged rows with the outcome `quarantine`, and marks that remove entries.

        columns: the row's columns. removed: ids of the entries to remove, or ALL_ENTRIES.
        """
        rows = judged.where(F.col(OUTCOME) == "quarantine")
        original = _original_row(rows, columns)
        values = [F.col(REASONS).alias("reasons"), display_json(columns).alias("row")]
        values.append(F.lit(original.text).alias(ENTERED_AS))
        if original.struct is not None:
            values.append(original.struct.alias(ENTERED))
        return self._write(rows.select(*values), batch, removed)

    def mark(self, batch: EntryBatch, removed: Sequence[str]) -> None:
        """Writes only marks that remove entries."""
        self._write(None, batch, removed)

    def _write(self, rows: DataFrame | None, batch: EntryBatch, removed: Sequence[str]) -> AddedEntries:
        if removed:
            marks = frame_of(self.spark, [(mark,) for mark in removed], {"takes_back": "string"})
            rows = marks if rows is None else rows.unionByName(marks, allowMissingColumns=True)
        assert rows is not None
        missing = [
            F.lit(None).cast(kind).alias(name) for name, kind in _ALWAYS.items() if name not in rows.columns
        ]
        rows = rows.select(
            F.expr("uuid()").alias("id"),
            F.lit(batch.run_id).alias("run_id"),
            F.lit(batch.counter).cast("bigint").alias("counter"),
            F.lit(batch.at.isoformat()).cast("timestamp").alias("held_at"),
            *rows.columns,
            *missing,
        )
        metadata = json.dumps({"run_id": batch.run_id, "counter": batch.counter, "marks": len(removed)})
        writer = rows.write.format("delta").mode("append").option("userMetadata", metadata)
        writer = writer.option("mergeSchema", "true")

        def append() -> int:
            before = self.version()
            if before == NO_TABLE:
                # Statistics of the rows' values serve no query, and Delta cannot compute them for every value.
                writer.option("delta.dataSkippingNumIndexedCols", _INDEXED).save(self.path)
                return before
            enable_types(self.spark, self.log, rows.schema)
            writer.save(self.path)
            return before

        before = _retry_conflicts(append)
        own = next(
            commit for commit in self.log.commits(before, self.version()) if commit.user_metadata == metadata
        )
        return AddedEntries(own.metrics["numOutputRows"] - len(removed), own.version)

    def _frame(self) -> DataFrame:
        return self.spark.read.format("delta").load(self.path)

    def entries(self, until: int) -> DataFrame:
        """The valid entries after `reconcile`, without marks. until: the counter of the table's last commit."""
        return self._frame().where(valid_entries(until))

    def remove_voided(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Removes the entries of commits that a RESTORE of the table undid."""
        if self.version() == NO_TABLE:
            return
        voided = reduce(or_, [F.col("counter").between(low, high) for low, high in ranges], F.lit(False))
        if not self._frame().where(voided).isEmpty():
            self._delete(voided, [])

    def batches(self) -> set[tuple[str, int]]:
        """The run's id and the counter of each batch with entries."""
        if self.version() == NO_TABLE:
            return set()
        return {(str(run_id), int(n)) for run_id, n in self._frame().select(*_BATCH).distinct().collect()}

    def remove_batches(self, batches: Collection[tuple[str, int]]) -> None:
        """Removes the entries of batches that belong to no commit."""
        removed = [WrittenBatch(run_id, counter, 0, NO_TABLE) for run_id, counter in sorted(batches)]
        if removed:
            self._delete(reduce(or_, map(_of, removed)), removed)

    def remove(self, ids: Sequence[str]) -> None:
        """Removes valid entries for good."""
        for start in range(0, len(ids), _AT_ONCE):
            chosen = ", ".join(map(literal, ids[start : start + _AT_ONCE]))
            self._delete(F.expr(f"id IN ({chosen})"), [])

    def expired(self, before: datetime, until: int) -> int:
        """The number of valid entries from before a time. until: the counter of the table's last commit."""
        return self.entries(until).where(_older(before)).count()

    def remove_expired(self, before: datetime, until: int) -> None:
        """Removes valid entries from before a time."""
        self._delete(_older(before) & F.expr(valid_entries(until)), [])

    def reconcile(self, since: int, status_of: Callable[[str, int], CommitStatus]) -> Reconciled:
        """Removes the entries of aborted commits, and those marked by committed ones.

        since: the version up to which the quarantine is reconciled. status_of: the status of a run's commit, by the
        run's id and the counter.
        """
        newest = self.version()
        if newest == NO_TABLE:
            return Reconciled(None)
        found = [(each, status_of(each.run_id, each.counter)) for each in unreconciled(self.log, since)]
        aborted = [each for each, status in found if status == "aborted"]
        marking = [each for each, status in found if status == "committed" and each.marks]
        pending = [each.version for each, status in found if status == "pending"]
        if aborted or marking:
            removed = reduce(or_, [*map(_of, aborted), *(self._removed_by(each) for each in marking)])
            self._delete(removed, [*aborted, *marking])
        return Reconciled(min(pending) - 1 if pending else newest, bool(pending))

    def _removed_by(self, written: WrittenBatch) -> Column:
        """The entries that the marks of a committed batch remove, and the marks themselves."""
        own = _of(written) & F.col("takes_back").isNotNull()
        marks = [row.takes_back for row in self._frame().where(own).select("takes_back").collect()]
        if ALL_ENTRIES in marks:
            return own | (F.col("counter") < written.counter)
        # As text: each literal made in Python would be a call to the JVM.
        return own | F.expr(f"id IN ({', '.join(map(literal, marks))})")

    def discard(self, batch: EntryBatch) -> None:
        """Removes the entries of a commit that was not made."""
        if self.version() != NO_TABLE:
            written = WrittenBatch(batch.run_id, batch.counter, 0, NO_TABLE)
            self._delete(_of(written), [written])

    def _delete(self, condition: Column, reconciled: Sequence[WrittenBatch]) -> None:
        metadata = json.dumps({"settled": [(written.run_id, written.counter) for written in reconciled]})

        def delete() -> None:
            try:
                self.spark.conf.set(_USER_METADATA, metadata)
                DeltaTable.forPath(self.spark, self.path).delete(condition)
            finally:
                self.spark.conf.unset(_USER_METADATA)

        _retry_conflicts(delete)


def _retry_conflicts(write: Callable[[], T]) -> T:
    """The result of a write, which is retried after conflicts."""
    for _ in range(1, _ATTEMPTS):
        try:
            return write()
        except Exception as error:
            if not is_conflict(error):
                raise
    return write()


def _original_row(rows: DataFrame, columns: Sequence[str]) -> OriginalRow:
    """The row's original columns: cast columns with their values before the cast."""
    now = rows.schema
    before = now[AS_ENTERED].dataType if AS_ENTERED in now.fieldNames() else StructType()
    assert isinstance(before, StructType)
    cast = before.fieldNames()
    fields = [StructField(name, (before if name in cast else now)[name].dataType) for name in columns]
    values = [F.col(f"{AS_ENTERED}.{quoted(name)}" if name in cast else quoted(name)) for name in columns]
    return OriginalRow(StructType(fields), tuple(values))


def display_json(columns: Sequence[str]) -> Column:
    """The row as JSON text: typed values, and the original text of values that could not be cast."""
    typed = F.to_json(F.struct(*[F.col(quoted(name)).alias(name) for name in columns]), EXACT_TIMES)
    # to_json omits NULL fields, and a column that could not be cast is NULL: no key occurs twice.
    comma = F.when(typed == "{}", "").otherwise(",")
    merged = F.concat(F.regexp_replace(typed, r"\}$", ""), comma, F.expr(f"substring(to_json({BAD}), 2)"))
    return F.when(F.col(BAD).isNull(), typed).otherwise(merged)


def _older(before: datetime) -> Column:
    return F.col("held_at") < F.lit(before.isoformat()).cast("timestamp")


def _of(written: WrittenBatch) -> Column:
    """The entries of a batch."""
    return (F.col("run_id") == written.run_id) & (F.col("counter") == written.counter)


_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
_ATTEMPTS = 10
_AT_ONCE = 10_000
_BATCH = ("run_id", "counter")
_ALWAYS = {"reasons": "array<string>", "row": "string", "takes_back": "string"}
_INDEXED = "4"
"""The number of leading columns with statistics: those that identify entries."""
