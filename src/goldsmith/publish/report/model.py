"""What the report says, as plain immutable values; who gathers them and who draws them meet here.

Times are UTC; one without a zone is taken for UTC. Sequences of runs and verdicts are oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from goldsmith.project.expectations import Otherwise
from goldsmith.project.models import Layer

Outcome = Literal["done", "nothing_new", "warned", "gate", "failed", "skipped", "never"]
"""How a table's load ended: `gate` is a `fail` verdict, `skipped` waits for an upstream."""

OUTCOMES: tuple[Outcome, ...] = ("done", "nothing_new", "warned", "gate", "failed", "skipped", "never")

Cell = str | int | float | bool | Decimal | date | datetime | None
"""A value of a sampled row. Nested values come as JSON text."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The half-open span of time that a run stands for."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of one load went: in = written + quarantined + dropped + superseded."""

    incoming: int = 0
    written: int = 0
    quarantined: int = 0
    dropped: int = 0
    superseded: int = 0

    @property
    def unaccounted(self) -> int:
        """Rows that came in and are in none of the others; anything but 0 is a fault."""
        return self.incoming - self.written - self.quarantined - self.dropped - self.superseded

    def __add__(self, other: Rows) -> Rows:
        return Rows(
            self.incoming + other.incoming,
            self.written + other.written,
            self.quarantined + other.quarantined,
            self.dropped + other.dropped,
            self.superseded + other.superseded,
        )


@dataclass(frozen=True, slots=True)
class TableRun:
    """One load of one table.

    mode: how it loaded, in a word or two (`incremental`, `rebuild`, ...). message: what stopped it or what
    it warns of. reason: why it loaded, as `1 new file`. started_at is None where it was never started
    (`skipped`).
    """

    run_id: str
    outcome: Outcome
    started_at: datetime | None
    seconds: float = 0.0
    interval: Interval | None = None
    mode: str = ""
    rows: Rows = field(default_factory=Rows)
    message: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run found for one expectation.

    checked and failed count rows. observed: what an expectation on a batch measured, as text.
    accepted_by and accepted_why: who let the slice pass a gate, and the reason given.
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
    """An expectation and its verdicts.

    samples: failing rows, each a JSON object as text; three are shown. samples_at: when the verdict was
    given that they belong to, where that is not the latest.
    """

    name: str
    kind: str
    otherwise: Otherwise
    description: str = ""
    verdicts: tuple[Verdict, ...] = ()
    samples: tuple[str, ...] = ()
    samples_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """One row that is held back: why, since when, by which run, and the row as a JSON object."""

    reasons: tuple[str, ...]
    row: str
    at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The rows of one table that are held back now.

    reasons: (reason, rows). A row may have several, so they can add up to more than `held`.
    """

    held: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    samples: tuple[QuarantinedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """A column: name, Spark SQL type, meaning."""

    name: str
    type: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table of the project.

    name: full, as `silver.departures`. load: how rows enter it, in words. row_count: rows it holds now,
    None where that is not known. upstreams: full names.
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
    quarantine: Quarantine = field(default_factory=Quarantine)

    @property
    def last(self) -> TableRun | None:
        """The latest run, if there was one."""
        return self.runs[-1] if self.runs else None

    @property
    def last_load(self) -> TableRun | None:
        """The latest run in which there was something to do and nothing upstream stood in the way."""
        return next((r for r in reversed(self.runs) if r.outcome not in ("nothing_new", "skipped")), None)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the latest run."""
        return self.runs[-1].outcome if self.runs else "never"

    @property
    def total(self) -> Rows:
        """The rows of all runs together."""
        return sum((run.rows for run in self.runs), Rows())


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one set of bars. points: (x, y); a y of None leaves a gap."""

    label: str
    points: tuple[tuple[date | datetime | str | float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of what a table holds. A line's x are times or numbers in order; a bar's x are names."""

    kind: Literal["line", "bar"]
    title: str
    x_label: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class GoldTable:
    """What a gold table holds: some of its rows (`columns` names their cells) and charts of all of them."""

    name: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_count: int
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that the report shows. tables: layer by layer, in each the upstreams first."""

    project: str
    profile: str
    made_at: datetime
    tables: tuple[TableReport, ...] = ()
    gold: tuple[GoldTable, ...] = ()
