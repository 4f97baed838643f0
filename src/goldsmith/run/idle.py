"""Decides without Spark whether a run has anything to do, from the logs' files and the landing folder alone.

Wherever they do not tell, the run starts Spark and decides there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import cast

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from goldsmith.engine.delta.describing import in_step
from goldsmith.engine.delta.folder_log import FolderLog, NeedsSpark, WithoutSpark
from goldsmith.engine.delta.log import NO_TABLE, Bookmark, HistoryGone, TableLog
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.quarantine import unsettled
from goldsmith.errors import GoldsmithError
from goldsmith.project import ops
from goldsmith.project.tables import Project, Table
from goldsmith.run.context import Run
from goldsmith.run.describing import described
from goldsmith.run.ledger import recorded
from goldsmith.run.outcome import RunResult, TableOutcome
from goldsmith.run.plan import Nothing
from goldsmith.run.planning import plan_table
from goldsmith.run.sources import source_of

_RECORDS: Mapping[str, Callable[[CommitMetadata], bool]] = {
    ops.TABLE_RUNS.name: lambda _load: True,
    ops.EXPECTATIONS.name: lambda load: bool(load.verdicts),
    ops.FILES.name: lambda load: bool(load.files),
}
"""The platform's own tables, and whether a load has rows in them."""


def idle(run: Run, names: Sequence[str]) -> RunResult | None:
    """The result of a run that has nothing to do; None if it has, or where that is not known without Spark.

    A run has nothing to do where no table has a new row or a changed declaration, every load is recorded and every
    quarantine settled, or where nothing was ever delivered for these tables. It does not look at the catalog.
    """
    if run.rebuild:
        return None
    began = time.monotonic()
    log_of = cache(lambda path: cast(TableLog, FolderLog(path)))
    try:
        outcomes = _without_files(run, names, log_of) or _up_to_date(run, names, log_of)
    # PySpark's functions raise without a session.
    except (NeedsSpark, HistoryGone, GoldsmithError, PySparkException, OSError, ValueError):
        # Whatever is wrong is found again with Spark, and reported there.
        return None
    return RunResult(run.run_id, outcomes, time.monotonic() - began) if outcomes else None


def _up_to_date(
    run: Run, names: Sequence[str], log_of: Callable[[str], TableLog]
) -> tuple[TableOutcome, ...] | None:
    """What became of tables none of which has anything to load; None if one has."""
    outcomes = []
    spark = cast(SparkSession, WithoutSpark())
    for name in names:
        table = run.project.tables[name]
        plan = plan_table(spark, run, table, log_of=log_of)
        if not isinstance(plan, Nothing) or not plan.state.exists or not _is_described(table, plan.log):
            return None
        if not _is_settled(plan.handle.bookmark, log_of(run.quarantine_path(name))):
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
    if not all(_is_recorded(run, outcome, log_of) for outcome in outcomes):
        return None
    return tuple(outcomes)


def _is_recorded(run: Run, outcome: TableOutcome, log_of: Callable[[str], TableLog]) -> bool:
    """Whether the platform's own tables hold the rows of every load."""
    for record, has_rows in _RECORDS.items():
        id_, counter = recorded(log_of(run.path(f"ops.{record}"))).get(outcome.table, ("", 0))
        behind = counter if id_ == outcome.table_id else 0
        since = log_of(run.path(outcome.table)).committed_since(behind) if outcome.counter > behind else []
        if any(has_rows(load) for load in since if load.mode != "maintenance"):
            return False
    return True


def _is_settled(bookmark: Bookmark | None, quarantine: TableLog) -> bool:
    """Whether no entry of the quarantine waits for what became of a killed run or of a RESTORE."""
    if bookmark is None or bookmark.restored:
        return False
    until = bookmark.metadata.quarantine
    return not unsettled(quarantine, NO_TABLE if until is None else until)


def _is_described(table: Table, log: TableLog) -> bool:
    return in_step(log, described(table, log))


def _without_files(
    run: Run, names: Sequence[str], log_of: Callable[[str], TableLog]
) -> tuple[TableOutcome, ...] | None:
    """What became of tables for which nothing was ever delivered: none of what they belong to exists, or has files.

    Bronze tables without files are made all the same as soon as another table of the pipeline has some.
    """
    together = _belonging(run.project, names)
    if any(log_of(run.path(name)).version() != NO_TABLE for name in together):
        return None
    for table in (run.project.tables[name] for name in together):
        if not source_of(table).is_empty(run, table):
            return None
    return tuple(TableOutcome(name, "nothing_new", "nothing was delivered yet") for name in names)


def _belonging(project: Project, names: Sequence[str]) -> set[str]:
    """The tables of these tables' pipelines, and what they are loaded from."""
    pipelines = {project.tables[name].pipeline for name in names}
    found: set[str] = set()
    coming = [name for name, table in project.tables.items() if table.pipeline in pipelines]
    while coming:
        name = coming.pop()
        if name not in found:
            found.add(name)
            coming += project.tables[name].needs
    return found
