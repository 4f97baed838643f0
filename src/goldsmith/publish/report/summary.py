"""The report's summary: runs across tables, the headline, and what needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from goldsmith.publish.report.formats import count, timestamp, utc
from goldsmith.publish.report.model import (
    ExpectationReport,
    Outcome,
    ReportData,
    ReportInterval,
    RowTotals,
    TableReport,
    TableRun,
)

_WORST_FIRST: tuple[Outcome, ...] = ("failed", "gate", "skipped", "warned", "done", "nothing_new", "never")


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run: the runs of its tables by full name, in the report's order."""

    run_id: str
    tables: dict[str, TableRun]

    @property
    def started_at(self) -> datetime | None:
        """The start of its first table; None if none started."""
        return min((utc(run.started_at) for run in self.tables.values() if run.started_at), default=None)

    @property
    def seconds(self) -> float:
        """From the start of the first table to the end of the last."""
        begin = self.started_at
        if begin is None:
            return 0.0
        ends = [
            (utc(run.started_at) - begin).total_seconds() + run.seconds
            for run in self.tables.values()
            if run.started_at
        ]
        return max(ends)

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of its tables."""
        return worst([run.outcome for run in self.tables.values()])

    @property
    def interval(self) -> ReportInterval | None:
        """The interval of its first table with one."""
        return next((run.interval for run in self.tables.values() if run.interval), None)


@dataclass(frozen=True, slots=True)
class Notice:
    """A problem that needs attention: table, outcome and text."""

    table: str
    outcome: Outcome
    text: str


def runs(tables: Sequence[TableReport]) -> tuple[RunReport, ...]:
    """All runs, oldest first."""
    found: dict[str, dict[str, TableRun]] = {}
    for table in tables:
        for run in table.runs:
            found.setdefault(run.run_id, {})[table.name] = run
    every = [RunReport(run_id, by_table) for run_id, by_table in found.items()]
    return tuple(sorted(every, key=lambda run: run.started_at or datetime.min.replace(tzinfo=UTC)))


def covered(tables: Sequence[TableReport]) -> ReportInterval | None:
    """From the start of the earliest interval to the end of the latest."""
    spans = [run.interval for table in tables for run in table.runs if run.interval]
    if not spans:
        return None
    return ReportInterval(min(utc(span.start) for span in spans), max(utc(span.end) for span in spans))


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The worst outcome; `never` if there is none."""
    return next((outcome for outcome in _WORST_FIRST if outcome in outcomes), "never")


def headline(data: ReportData) -> str:
    """The state of all tables in one sentence, from each table's latest run."""
    if not data.tables:
        return "The project declares no tables yet."
    by = {outcome: [table for table in data.tables if table.outcome == outcome] for outcome in _WORST_FIRST}
    if len(by["never"]) == len(data.tables):
        return f"Nothing has run yet: {count(len(data.tables), 'table')} declared."
    good = len(by["done"]) + len(by["nothing_new"]) + len(by["warned"])
    lead = (
        f"All {count(good, 'table')} are up to date"
        if good == len(data.tables) > 1
        else f"{good} of {count(len(data.tables), 'table')} {'is' if good == 1 else 'are'} up to date"
    )
    parts: list[str] = []
    if by["failed"]:
        parts.append(f"{_named(by['failed'])} failed")
    if by["gate"]:
        parts.append(f"a gate stopped {_named(by['gate'])}")
    if by["skipped"]:
        parts.append(f"{_named(by['skipped'])} {_was(by['skipped'])} skipped")
    if by["never"]:
        parts.append(f"{_named(by['never'])} {'has' if len(by['never']) == 1 else 'have'} never run")
    if by["warned"]:
        parts.append(f"{_named(by['warned'])} {_was(by['warned'])} loaded with warnings")
    return lead + (": " + "; ".join(parts) if parts else "") + "."


def notices(data: ReportData) -> tuple[Notice, ...]:
    """The problems that need attention, the worst first."""
    found: list[Notice] = []
    for table in data.tables:
        last = table.last
        if last and last.outcome in ("failed", "gate"):
            text = last.message or (
                "The load failed." if last.outcome == "failed" else "A gate stopped the load."
            )
            found.append(Notice(table.name, last.outcome, text))
        for run in table.runs:
            if run.rows.unaccounted:
                text = f"{count(abs(run.rows.unaccounted), 'row')} of run {run.run_id} not accounted for."
                found.append(Notice(table.name, "failed", text))
        if table.quarantine.row_count:
            text = f"{count(table.quarantine.row_count, 'row')} in quarantine."
            found.append(Notice(table.name, "warned", text))
        if last and last.outcome == "warned":
            text = last.message or "Loaded with warnings."
            found.append(Notice(table.name, "warned", text))
        if last and last.outcome == "nothing_new" and table.last_load and table.last_load.outcome == "warned":
            text = f"Since its load of {timestamp(table.last_load.started_at)}: {table.last_load.message}"
            found.append(Notice(table.name, "warned", text))
        if table.next_load:
            found.append(Notice(table.name, "warned", table.next_load))
    return tuple(sorted(found, key=lambda notice: _WORST_FIRST.index(notice.outcome)))


def totals(tables: Sequence[TableReport]) -> RowTotals:
    """The rows of all runs of all tables."""
    return sum((table.total for table in tables), RowTotals())


def failing(tables: Sequence[TableReport]) -> list[tuple[TableReport, ExpectationReport]]:
    """The expectations that were not met in their latest run."""
    return [
        (table, expectation)
        for table in tables
        for expectation in table.expectations
        if expectation.results and not expectation.results[-1].ok
    ]


def _named(tables: Sequence[TableReport]) -> str:
    return tables[0].name if len(tables) == 1 else f"{len(tables)} tables"


def _was(tables: Sequence[TableReport]) -> str:
    return "was" if len(tables) == 1 else "were"
