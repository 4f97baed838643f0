"""The report's data as immutable values, shared by collection and rendering.

Times are UTC; a time without a zone is UTC. Sequences of runs and results are oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from goldsmith.project.expectations import Otherwise
from goldsmith.project.models import Layer

Outcome = Literal["done", "nothing_new", "warned", "gate", "failed", "skipped", "never"]
"""The outcome of a table's load. `gate`: stopped by an expectation; `skipped`: an upstream did not load."""

OUTCOMES: tuple[Outcome, ...] = ("done", "nothing_new", "warned", "gate", "failed", "skipped", "never")

Cell = str | int | float | bool | Decimal | date | datetime | None
"""A value of a sample row. Nested values are JSON text."""


@dataclass(frozen=True, slots=True)
class ReportInterval:
    """The half-open data interval of a run."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class RowTotals:
    """Row counts of a load: rows_in = written + quarantined + dropped + superseded."""

    rows_in: int = 0
    written: int = 0
    quarantined: int = 0
    dropped: int = 0
    superseded: int = 0

    @property
    def unaccounted(self) -> int:
        """Input rows that are in none of the other counts. Any value but 0 is an error."""
        return self.rows_in - self.written - self.quarantined - self.dropped - self.superseded

    def __add__(self, other: RowTotals) -> RowTotals:
        return RowTotals(
            self.rows_in + other.rows_in,
            self.written + other.written,
            self.quarantined + other.quarantined,
            self.dropped + other.dropped,
            self.superseded + other.superseded,
        )


@dataclass(frozen=True, slots=True)
class TableRun:
    """One load of one table.

    mode: the load mode (`incremental`, `rebuild`, ...). message: the error or the warning. reason: of the load, as
    `1 new file`. started_at: None if it was not started (`skipped`).
    """

    run_id: str
    outcome: Outcome
    started_at: datetime | None
    seconds: float = 0.0
    interval: ReportInterval | None = None
    mode: str = ""
    rows: RowTotals = field(default_factory=RowTotals)
    message: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """The result of one expectation in one run.

    checked, failed: row counts. observed: the value measured by an expectation on a batch, as text. accepted_by,
    accepted_why: the user who accepted the failing rows, and the reason given.
    """

    run_id: str
    at: datetime
    checked: int
    failed: int
    ok: bool
    observed: str | None = None
    accepted_by: str | None = None
    accepted_why: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectationReport:
    """An expectation and its results.

    samples: failing rows, each a JSON object as text; three are shown. samples_at: the time of the samples' result, if
    it is not the latest.
    """

    name: str
    kind: str
    otherwise: Otherwise
    description: str = ""
    results: tuple[ExpectationResult, ...] = ()
    samples: tuple[str, ...] = ()
    samples_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A quarantined row: reasons, the row as a JSON object, the time and the run."""

    reasons: tuple[str, ...]
    row: str
    at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class QuarantineReport:
    """The current quarantine of a table.

    reasons: (reason, rows). A row may have several reasons, so their sum can exceed `row_count`.
    """

    row_count: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    samples: tuple[QuarantinedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """A column: name, Spark SQL type, description."""

    name: str
    type: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table of the project.

    name: the full name, as `silver.departures`. load: the load in words. row_count: the current number of rows, None
    if unknown. upstreams: full names. next_load: what a changed declaration does to the next load.
    """

    name: str
    layer: Layer
    pipeline: str
    load: str
    description: str = ""
    owner: str = ""
    columns: tuple[ColumnReport, ...] = ()
    upstreams: tuple[str, ...] = ()
    row_count: int | None = None
    runs: tuple[TableRun, ...] = ()
    expectations: tuple[ExpectationReport, ...] = ()
    quarantine: QuarantineReport = field(default_factory=QuarantineReport)
    next_load: str = ""

    @property
    def last(self) -> TableRun | None:
        """The latest run, if there was one."""
        return self.runs[-1] if self.runs else None

    @property
    def last_load(self) -> TableRun | None:
        """The latest run in which the table had new data and was not skipped."""
        return next((r for r in reversed(self.runs) if r.outcome not in ("nothing_new", "skipped")), None)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the latest run."""
        return self.runs[-1].outcome if self.runs else "never"

    @property
    def total(self) -> RowTotals:
        """The rows of all runs together."""
        return sum((run.rows for run in self.runs), RowTotals())


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one set of bars. points: (x, y); a y of None leaves a gap."""

    label: str
    points: tuple[tuple[date | datetime | str | float, float | None], ...]


@dataclass(frozen=True, slots=True)
class ReportChart:
    """A chart of a table's content. The x values of a line are ordered times or numbers, those of a bar names.

    A `number` has series of one point. format: a number format in D3's notation, empty for the default. problem: why
    the chart has no values.
    """

    kind: Literal["line", "bar", "number"]
    title: str
    x_label: str
    series: tuple[Series, ...]
    description: str = ""
    format: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class GoldTable:
    """The content of a gold table: sample rows, with `columns` as their names, and charts of all rows.

    omitted: the titles of declared charts that only Superset draws.
    """

    name: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_count: int
    charts: tuple[ReportChart, ...] = ()
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """The report's data. tables: ordered by layer, with upstreams first in each layer."""

    project: str
    profile: str
    made_at: datetime
    tables: tuple[TableReport, ...] = ()
    gold: tuple[GoldTable, ...] = ()
