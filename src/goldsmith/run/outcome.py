"""What became of a table in a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from goldsmith.engine.metadata import CommitMetadata, RowCounts, VerdictRecord
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
