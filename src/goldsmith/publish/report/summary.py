"""What the report says about the whole: runs across tables, the sentence at the top, what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from goldsmith.publish.report.formats import count, moment, utc
from goldsmith.publish.report.model import (
    ExpectationReport,
    Interval,
    Outcome,
    ReportData,
    Rows,
    TableReport,
    TableRun,
)

_WORST_FIRST: tuple[Outcome, ...] = ("failed", "gate", "skipped", "warned", "done", "nothing_new", "never")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what each table did, by full name, in the order in which the tables stand in the report."""

    run_id: str
    tables: dict[str, TableRun]

    @property
    def started_at(self) -> datetime | None:
        """When its first table started; None where none did."""
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
        """The worst of its tables'."""
        return worst([run.outcome for run in self.tables.values()])

    @property
    def interval(self) -> Interval | None:
        """The first interval that a table of it names."""
        return next((run.interval for run in self.tables.values() if run.interval), None)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that needs a person: about which table, how bad, in words."""

    table: str
    outcome: Outcome
    text: str


def runs(tables: Sequence[TableReport]) -> tuple[Run, ...]:
    """All runs, oldest first."""
    found: dict[str, dict[str, TableRun]] = {}
    for table in tables:
        for run in table.runs:
            found.setdefault(run.run_id, {})[table.name] = run
    every = [Run(run_id, by_table) for run_id, by_table in found.items()]
    return tuple(sorted(every, key=lambda run: run.started_at or datetime.min.replace(tzinfo=UTC)))


def covered(tables: Sequence[TableReport]) -> Interval | None:
    """From the start of the earliest interval to the end of the latest."""
    spans = [run.interval for table in tables for run in table.runs if run.interval]
    if not spans:
        return None
    return Interval(min(utc(span.start) for span in spans), max(utc(span.end) for span in spans))


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome that matters most; `never` where there is none."""
    return next((outcome for outcome in _WORST_FIRST if outcome in outcomes), "never")


def headline(data: ReportData) -> str:
    """How things stand, in one or two sentences, from each table's latest run."""
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
    """What stands between the tables and a clean state, the worst first."""
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
        if table.quarantine.held:
            held = f"{count(table.quarantine.held, 'row')} held back in quarantine."
            found.append(Notice(table.name, "warned", held))
        if last and last.outcome == "warned":
            text = last.message or "Loaded with warnings."
            found.append(Notice(table.name, "warned", text))
        if last and last.outcome == "nothing_new" and table.last_load and table.last_load.outcome == "warned":
            text = f"Since its load of {moment(table.last_load.started_at)}: {table.last_load.message}"
            found.append(Notice(table.name, "warned", text))
    return tuple(sorted(found, key=lambda notice: _WORST_FIRST.index(notice.outcome)))


def totals(tables: Sequence[TableReport]) -> Rows:
    """The rows of all runs of all tables."""
    return sum((table.total for table in tables), Rows())


def failing(tables: Sequence[TableReport]) -> list[tuple[TableReport, ExpectationReport]]:
    """The expectations whose latest verdict is that they do not hold."""
    return [
        (table, expectation)
        for table in tables
        for expectation in table.expectations
        if expectation.verdicts and not expectation.verdicts[-1].ok
    ]


def _named(tables: Sequence[TableReport]) -> str:
    return tables[0].name if len(tables) == 1 else f"{len(tables)} tables"


def _was(tables: Sequence[TableReport]) -> str:
    return "was" if len(tables) == 1 else "were"
