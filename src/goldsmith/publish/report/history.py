"""The recorded loads and expectation results as the report's runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from goldsmith.engine.delta.metadata import RowCounts
from goldsmith.project.expectations import Expectation
from goldsmith.project.graph import downstream_of
from goldsmith.project.pipelines import Project
from goldsmith.publish.report.formats import count, number
from goldsmith.publish.report.model import (
    ExpectationReport,
    Outcome,
    ReportInterval,
    RowTotals,
    TableRun,
)
from goldsmith.publish.report.recorded import ExpectationRecord, LoadRecord
from goldsmith.run.outcome import warning_of

MODES = {"first": "first load", "full": "in full"}
"""Clearer names of some modes."""

_SHOWN = 3
_ACTIONS = {"quarantine": "quarantined", "drop": "dropped"}


def table_runs(
    project: Project, loads: Sequence[LoadRecord], records: Sequence[ExpectationRecord]
) -> dict[str, tuple[TableRun, ...]]:
    """The runs of each declared table, oldest first.

    A table without new data has no record. In the newest run of its pipeline it is `nothing_new`, unless its last
    load failed: then it was not part of the run. In a run with a failure upstream of it, it is `skipped`.
    """
    by_run: dict[str, dict[str, list[LoadRecord]]] = defaultdict(lambda: defaultdict(list))
    for load in loads:
        if load.table in project.tables:
            by_run[load.run_id][load.table].append(load)
    unmet: dict[tuple[str, str], list[ExpectationRecord]] = defaultdict(list)
    for one in records:
        if not one.result.ok:
            unmet[one.result.run_id, one.table].append(one)
    newest = {load.pipeline: load.run_id for load in loads}
    found: dict[str, list[TableRun]] = {name: [] for name in project.tables}
    for run_id, tables in by_run.items():
        for name, loaded in _timed(project, tables, unmet).items():
            found[name].append(loaded)
        some = next(iter(tables.values()))[0]
        skipped = _skipped(project, run_id, tables, some.interval)
        for name, run in skipped.items():
            found[name].append(run)
        began = min(load.started_at for parts in tables.values() for load in parts)
        for name, table in project.tables.items():
            if newest.get(table.pipeline) != run_id or name in tables or name in skipped:
                continue
            if found[name] and found[name][-1].outcome not in ("failed", "gate", "skipped"):
                found[name].append(TableRun(run_id, "nothing_new", began, interval=some.interval))
    return {name: tuple(of_table) for name, of_table in found.items()}


def expectation_reports(
    declared: Sequence[Expectation], records: Sequence[ExpectationRecord]
) -> tuple[ExpectationReport, ...]:
    """The declared expectations of one table with their results, oldest first."""
    by_name: dict[str, list[ExpectationRecord]] = defaultdict(list)
    for one in records:
        by_name[one.name].append(one)
    return tuple(_expectation(item, by_name[item.name]) for item in declared)


def _expectation(declared: Expectation, records: Sequence[ExpectationRecord]) -> ExpectationReport:
    sampled = next((one for one in reversed(records) if one.samples), None)
    last = records[-1] if records else None
    return ExpectationReport(
        name=declared.name,
        kind=declared.kind,
        otherwise=declared.otherwise,
        description=declared.description or (last.description if last else ""),
        results=tuple(one.result for one in records),
        samples=sampled.samples if sampled else (),
        samples_at=sampled.result.at if sampled is not None and sampled is not last else None,
    )


def _timed(
    project: Project,
    tables: Mapping[str, Sequence[LoadRecord]],
    unmet: Mapping[tuple[str, str], Sequence[ExpectationRecord]],
) -> dict[str, TableRun]:
    """The tables of one run. Each starts after its upstreams have ended."""
    runs: dict[str, TableRun] = {}
    for name in project.tables:
        if name not in tables:
            continue
        run = _loaded(tables[name], unmet.get((tables[name][0].run_id, name), ()))
        assert run.started_at is not None
        ends = [_end(runs[need]) for need in project.needs[name] if need in runs]
        runs[name] = replace(run, started_at=max([run.started_at, *ends]))
    return runs


def _end(run: TableRun) -> datetime:
    assert run.started_at is not None
    return run.started_at + timedelta(seconds=run.seconds)


def _loaded(parts: Sequence[LoadRecord], unmet: Sequence[ExpectationRecord]) -> TableRun:
    """One table's run from its commits and its failure, if any."""
    failed = next((load for load in parts if load.status in ("failed", "gate")), None)
    warning = warning_of(parts[0].table, [_counts(load.rows) for load in parts])
    outcome: Outcome = "warned" if unmet or warning else "done"
    message = "; ".join((*_descriptions(unmet), *((warning,) if warning else ())))
    if failed is not None:
        outcome = "gate" if failed.status == "gate" else "failed"
        stopping = [one for one in unmet if one.otherwise == "fail"] if outcome == "gate" else []
        message = (
            f"{'; '.join(_descriptions(stopping))}. Nothing was written." if stopping else failed.message
        )
    seconds = sum(load.seconds for load in parts)
    # The start in a record may be that of the whole run. The table's own start is its commit minus its duration.
    began = parts[0].started_at
    if failed is None:
        began = max(began, parts[-1].ended_at - timedelta(seconds=seconds))
    modes = dict.fromkeys(load.mode for load in parts if load.mode)
    return TableRun(
        run_id=parts[0].run_id,
        outcome=outcome,
        started_at=began,
        seconds=seconds,
        interval=parts[0].interval,
        mode=", ".join(MODES.get(mode, mode) for mode in modes),
        rows=sum((load.rows for load in parts), RowTotals()),
        message=message,
        # A failed load has a message instead of a reason.
        reason="" if failed is not None else parts[0].reason,
    )


def _counts(rows: RowTotals) -> RowCounts:
    return RowCounts(rows_in=rows.rows_in, quarantined=rows.quarantined, dropped=rows.dropped)


def _skipped(
    project: Project, run_id: str, tables: Mapping[str, Sequence[LoadRecord]], interval: ReportInterval | None
) -> dict[str, TableRun]:
    """The tables skipped because of a failure in this run, by name."""
    stopped = {
        name for name, parts in tables.items() if any(load.status in ("failed", "gate") for load in parts)
    }
    waiting = downstream_of(stopped, project.needs) - tables.keys()
    runs = {}
    for name in waiting:
        blocking = [need for need in project.needs[name] if need in stopped or need in waiting]
        message = f"Waits for {', '.join(blocking)}."
        runs[name] = TableRun(run_id, "skipped", None, interval=interval, message=message)
    return runs


def _descriptions(unmet: Sequence[ExpectationRecord]) -> list[str]:
    """Descriptions of the expectations not met, limited to the first few."""
    shown = [_description(one) for one in unmet[:_SHOWN]]
    return [*shown, f"and {len(unmet) - _SHOWN} more"] if len(unmet) > _SHOWN else shown


def _description(one: ExpectationRecord) -> str:
    result = one.result
    if result.failed:
        action = _ACTIONS.get(one.otherwise, "fail" if result.failed != 1 else "fails")
        text = f"{number(result.failed)} of {count(result.checked, 'row')} {action}"
    else:
        text = f"observed {result.observed}"
    return f"{one.name}: {text}" + (f", accepted by {result.accepted_by}" if result.accepted_by else "")
