"""Decides without Spark whether a run has nothing to do, from the logs' files and the landing area.

If they do not suffice, the run starts Spark and decides there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from goldsmith.engine.delta.delta_rs import NeedsSpark
from goldsmith.engine.delta.described import is_current
from goldsmith.engine.delta.entry_batches import unreconciled
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.state import NO_TABLE, Bookmark, HistoryGone
from goldsmith.engine.s3 import check_reachable
from goldsmith.errors import GoldsmithError
from goldsmith.project import ops
from goldsmith.project.pipelines import Project
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.ledger import recorded
from goldsmith.run.outcome import RunResult, TableOutcome
from goldsmith.run.plan import Nothing
from goldsmith.run.planners import planner_of
from goldsmith.run.planning import plan_table
from goldsmith.run.table_description import description_for

_RECORDS: Mapping[str, Callable[[CommitMetadata], bool]] = {
    ops.TABLE_RUNS.name: lambda _load: True,
    ops.EXPECTATIONS.name: lambda load: bool(load.verdicts),
    ops.FILES.name: lambda load: bool(load.files),
}
"""The tables of `ops`, and whether a load has rows in them."""


def idle(run: Run, names: Sequence[str]) -> RunResult | None:
    """The result of a run that has nothing to do; None if it has, or if that is unknown without Spark.

    A run has nothing to do if no table has new rows or a changed declaration, every load is recorded and every
    quarantine reconciled, or if nothing was ever delivered for these tables. The catalog is not checked.
    """
    if run.rebuild:
        return None
    began = time.monotonic()
    try:
        check_reachable([run.warehouse])
        outcomes = _without_files(run, names) or _up_to_date(run, names)
    except (NeedsSpark, HistoryGone, GoldsmithError, OSError, ValueError):
        # The run meets the same error with Spark and reports it.
        return None
    return RunResult(run.run_id, outcomes, time.monotonic() - began) if outcomes else None


def _up_to_date(run: Run, names: Sequence[str]) -> tuple[TableOutcome, ...] | None:
    """The outcomes of tables that are all up to date; None if one is not."""
    outcomes = []
    for name in names:
        table = run.project.tables[name]
        plan = plan_table(None, run, table)
        if not isinstance(plan, Nothing) or not plan.state.exists or not _is_described(table, plan.log):
            return None
        if not _is_reconciled(plan.handle.bookmark, TableLog(run.quarantine_path(name))):
            return None
        outcomes.append(
            TableOutcome(
                name,
                "nothing_new",
                plan.reason,
                warnings=plan.warnings,
                counter=plan.state.counter,
                table_id=plan.state.id,
            )
        )
    return tuple(outcomes) if _are_recorded(run, outcomes) else None


def _are_recorded(run: Run, outcomes: Sequence[TableOutcome]) -> bool:
    """Whether `ops` has the rows of every load."""
    for record, has_rows in _RECORDS.items():
        known = recorded(TableLog(run.path(f"ops.{record}")))
        for outcome in outcomes:
            id_, counter = known.get(outcome.table, ("", 0))
            behind = counter if id_ == outcome.table_id else 0
            since = (
                TableLog(run.path(outcome.table)).committed_since(behind) if outcome.counter > behind else []
            )
            if any(has_rows(load) for load in since if load.mode != "maintenance"):
                return False
    return True


def _is_reconciled(bookmark: Bookmark | None, quarantine: TableLog) -> bool:
    """Whether the quarantine has no entries to reconcile after a killed run or a RESTORE."""
    if bookmark is None or bookmark.restored:
        return False
    until = bookmark.metadata.quarantine
    return not unreconciled(quarantine, NO_TABLE if until is None else until)


def _is_described(table: Table, log: TableLog) -> bool:
    return is_current(log, description_for(table, log))


def _without_files(run: Run, names: Sequence[str]) -> tuple[TableOutcome, ...] | None:
    """The outcomes of tables if nothing was ever delivered for their pipelines; else None.

    Bronze tables without files are created once another table of the pipeline has files.
    """
    related = _related(run.project, names)
    if any(TableLog(run.path(name)).version() != NO_TABLE for name in related):
        return None
    for table in (run.project.tables[name] for name in related):
        if not planner_of(table).is_empty(run, table):
            return None
    return tuple(TableOutcome(name, "nothing_new", "nothing was delivered yet") for name in names)


def _related(project: Project, names: Sequence[str]) -> set[str]:
    """The tables of these tables' pipelines, and their upstreams."""
    pipelines = {project.tables[name].pipeline for name in names}
    found: set[str] = set()
    waiting = [name for name, table in project.tables.items() if table.pipeline in pipelines]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += project.tables[name].needs
    return found
