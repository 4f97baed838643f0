"""The outcomes of tables and of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Literal

from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts, VerdictRecord
from goldsmith.errors import GoldsmithError
from goldsmith.project.quarantine_limit import LIMIT

Status = Literal["done", "nothing_new", "gate", "failed", "skipped"]


@dataclass(frozen=True)
class TableOutcome:
    """The outcome of one table. commits: those of this run, oldest first. seconds: the wall time of the load.

    counter: that of the table's last commit. table_id: the id of its Delta table.
    """

    table: str
    status: Status
    reason: str = ""
    commits: tuple[CommitMetadata, ...] = ()
    versions: tuple[int, ...] = ()
    verdicts: tuple[VerdictRecord, ...] = ()
    warnings: tuple[str, ...] = ()
    error: GoldsmithError | None = None
    counter: int = 0
    table_id: str = ""
    began: float = 0.0
    seconds: float = 0.0

    @property
    def counts(self) -> RowCounts:
        """The row counts of all its commits."""
        total = RowCounts(filtered=0)
        for commit in self.commits:
            total = add_counts(total, commit.counts)
        return total


def mostly_rejected(counts: RowCounts) -> bool:
    """True if more than half of a load's rows were quarantined or dropped: runs warn of it."""
    return 2 * (counts.quarantined + counts.dropped) > counts.rows_in


def rejected_rows(counts: RowCounts) -> str:
    """The rejected rows of a load in words: `3 of 4 rows quarantined (75 %)`."""
    parts = [
        f"{rows:,} of {counts.rows_in:,} rows {word} ({share(rows, counts.rows_in)})"
        for rows, word in ((counts.quarantined, "quarantined"), (counts.dropped, "dropped"))
        if rows
    ]
    return ", ".join(parts)


def share(part: int, whole: int) -> str:
    """A share in percent; 0 and 100 only if exact."""
    percent = min(max(100 * part / whole, 0.1), 99.9) if 0 < part < whole else 100.0 * bool(part)
    return f"{percent:.1f}".removesuffix(".0") + " %"


def warning_of(table: str, loads: Sequence[RowCounts]) -> str | None:
    """The warning for a table if one of its loads rejected most rows; else None."""
    rejecting = [counts for counts in loads if mostly_rejected(counts)]
    if not rejecting:
        return None
    rejected = rejected_rows(reduce(add_counts, rejecting))
    if any(counts.quarantined for counts in rejecting):
        return f"{rejected}. See why: `goldsmith quarantine show {table}`."
    return f"{rejected}. See its expectations with `otherwise: drop`."


def exceeds_limit(load: CommitMetadata) -> bool:
    """True if a load quarantined more rows than the table's limit allows, which only warns or was accepted."""
    return any(verdict.kind == LIMIT and not verdict.ok for verdict in load.verdicts)


def limit_warning(table: str, loads: Sequence[CommitMetadata]) -> str | None:
    """The warning for a table if one of its loads exceeded its limit of quarantined rows; else None."""
    exceeding = [load for load in loads if exceeds_limit(load)]
    if not exceeding:
        return None
    rejected = rejected_rows(reduce(add_counts, (load.counts for load in exceeding)))
    return f"{rejected}, which exceeds `{LIMIT}`. See why: `goldsmith quarantine show {table}`."


def add_counts(left: RowCounts, right: RowCounts) -> RowCounts:
    """The sum of two loads' row counts; `filtered` is None if one of them is."""
    return RowCounts(
        rows_in=left.rows_in + right.rows_in,
        written=left.written + right.written,
        quarantined=left.quarantined + right.quarantined,
        dropped=left.dropped + right.dropped,
        superseded=left.superseded + right.superseded,
        filtered=None if left.filtered is None or right.filtered is None else left.filtered + right.filtered,
        inserted=left.inserted + right.inserted,
        updated=left.updated + right.updated,
        deleted=left.deleted + right.deleted,
    )


@dataclass(frozen=True)
class RunResult:
    """The result of a run. outcomes: in loading order."""

    run_id: str
    outcomes: tuple[TableOutcome, ...]
    seconds: float
    restored: int = 0
    errors: tuple[GoldsmithError, ...] = field(default=())

    @property
    def failed(self) -> tuple[TableOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")

    @property
    def stopped(self) -> tuple[TableOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status == "gate")
