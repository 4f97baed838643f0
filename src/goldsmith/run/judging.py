"""Evaluates the expectations of a table on a slice: violations and outcome of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.delta.changes import read_table
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.original_rows import AS_ENTERED, BAD
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.errors import RunError, Where
from goldsmith.project.expectations import Expectation
from goldsmith.quality.judge import OUTCOME, REASONS, Judged, judge
from goldsmith.run.context import Run
from goldsmith.run.loads import load_of
from goldsmith.run.plan import (
    CommitPlan,
    references_of,
)
from goldsmith.run.slices import FILE_REASONS, Slice

ADDED = (REASONS, OUTCOME, BAD, AS_ENTERED)
"""Columns that casting and evaluation add to a row."""


def judged_slice(spark: SparkSession, run: Run, plan: CommitPlan, slice_: Slice) -> Judged:
    """The slice's rows with their violations and outcomes."""
    table = plan.table
    expectations = [
        expectation.model_copy(update={"otherwise": "warn"})
        if run.accepted.covers(table.name, expectation)
        else expectation
        for expectation in table.spec.expectations
    ]
    reasons = slice_.shaped.reasons
    violations = load_of(table).violations()
    if violations:
        reasons = f"concat({', '.join((reasons, *violations))})"
    judged = judge(
        slice_.shaped.frame, expectations, reasons=reasons, lookups=_lookups(spark, run, plan, expectations)
    )
    if AS_ENTERED not in slice_.shaped.frame.columns:
        return judged
    # Only the quarantine uses it: kept rows need not carry their original values.
    needed = f"IF({OUTCOME} = 'quarantine', {AS_ENTERED}, NULL) AS {AS_ENTERED}"
    return replace(judged, frame=judged.frame.selectExpr(f"* EXCEPT ({AS_ENTERED})", needed))


def _lookups(
    spark: SparkSession, run: Run, plan: CommitPlan, expectations: Sequence[Expectation]
) -> dict[str, DataFrame]:
    """The tables that expectations look up: at the version pinned by the plan, else the newest.

    Drivers that are not applied yet are looked up at their newest version: the same run loads their new rows.
    """
    named = {str(e.arguments["table"]) for e in expectations if e.kind == "expect_column_values_to_exist_in"}
    frames = {}
    for name in named:
        log = TableLog(run.path(name))
        pinned = references_of(plan).get(name)
        version = log.version()
        if version == NO_TABLE:
            raise RunError(
                "GS307",
                f"`{name}`, which an expectation looks up, has not been loaded yet.",
                where=Where(table=plan.table.name),
                hint=f"Load it first: `goldsmith run {name}`.",
                retryable=True,
            )
        frames[name] = read_table(spark, run.path(name), pinned.version if pinned else version)
    return frames


def entry_columns(judged: Judged) -> list[str]:
    """The columns of a quarantined row."""
    excluded = {*ADDED, FILE_REASONS}
    return [name for name in judged.frame.columns if name not in excluded]
