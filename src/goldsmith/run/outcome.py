"""What became of a table in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Literal

from goldsmith.engine.delta.metadata import CommitMetadata, RowCounts, VerdictRecord
from goldsmith.errors import GoldsmithError

Status = Literal["done", "nothing_new", "gate", "failed", "skipped"]


@dataclass(frozen=True)
class TableOutcome:
    """One table's end. commits: those that this run made, oldest first. seconds: wall time of the load.

    counter: of the table's last commit.
    table_id: of its Delta table.
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
        """The rows of all its commits."""
        total = RowCounts(filtered=0)
        for commit in self.commits:
            total = add_counts(total, commit.counts)
        return total


def kept_little(counts: RowCounts) -> bool:
    """More than half of a load's rows were quarantined or dropped: it must not look like success."""
    return 2 * (counts.quarantined + counts.dropped) > counts.rows_in


def left_out(counts: RowCounts) -> str:
    """How many of a load's rows did not enter their table: `3 of 4 rows quarantined (75 %)`."""
    parts = [
        f"{rows:,} of {counts.rows_in:,} rows {word} ({share(rows, counts.rows_in)})"
        for rows, word in ((counts.quarantined, "quarantined"), (counts.dropped, "dropped"))
        if rows
    ]
    return ", ".join(parts)


def share(part: int, whole: int) -> str:
    """A share in percent, which is 0 and 100 only where it is exactly that."""
    percent = min(max(100 * part / whole, 0.1), 99.9) if 0 < part < whole else 100.0 * bool(part)
    return f"{percent:.1f}".removesuffix(".0") + " %"


def warning_of(table: str, loads: Sequence[RowCounts]) -> str | None:
    """What a run says of a table of whose loads one kept little, or None."""
    poor = [counts for counts in loads if kept_little(counts)]
    if not poor:
        return None
    told = left_out(reduce(add_counts, poor))
    if any(counts.quarantined for counts in poor):
        return f"{told}. See why: `goldsmith quarantine show {table}`."
    return f"{told}. See its expectations with `otherwise: drop`."


def add_counts(left: RowCounts, right: RowCounts) -> RowCounts:
    """Rows of two loads together; `filtered` is unknown where one of them does not know it."""
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
    """A run's end. outcomes: in loading order."""

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
