"""Judges a slice: what its rows violate, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.delta.changes import read_table
from goldsmith.engine.delta.entered import AS_ENTERED, BAD
from goldsmith.engine.delta.log import NO_TABLE, TableLog
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
"""Columns that shaping and judging add to a row."""


def judged_slice(spark: SparkSession, run: Run, plan: CommitPlan, piece: Slice) -> Judged:
    """The slice's rows with what they violate and what becomes of them."""
    table = plan.table
    expectations = [
        expectation.model_copy(update={"otherwise": "warn"})
        if run.accepted.covers(table.name, expectation)
        else expectation
        for expectation in table.spec.expectations
    ]
    reasons = piece.shaped.reasons
    violations = load_of(table).violations()
    if violations:
        reasons = f"concat({', '.join((reasons, *violations))})"
    judged = judge(
        piece.shaped.frame, expectations, reasons=reasons, lookups=_lookups(spark, run, plan, expectations)
    )
    if AS_ENTERED not in piece.shaped.frame.columns:
        return judged
    # Only the quarantine takes it: the rows that are kept need not carry their former values.
    needed = f"IF({OUTCOME} = 'quarantine', {AS_ENTERED}, NULL) AS {AS_ENTERED}"
    return replace(judged, frame=judged.frame.selectExpr(f"* EXCEPT ({AS_ENTERED})", needed))


def _lookups(
    spark: SparkSession, run: Run, plan: CommitPlan, expectations: Sequence[Expectation]
) -> dict[str, DataFrame]:
    """The tables that references look up: at the version that the plan pins, else the newest.

    A driver whose turn has not come is looked up as it is now: its new rows are loaded by the same run.
    """
    named = {str(e.arguments["table"]) for e in expectations if e.kind == "expect_column_values_to_exist_in"}
    frames = {}
    for name in named:
        log = TableLog(spark, run.path(name))
        pinned = references_of(plan).get(name)
        version = log.version()
        if version == NO_TABLE:
            raise RunError(
                "GS307",
                f"`{name}`, which rows are held against, has not been loaded yet.",
                where=Where(table=plan.table.name),
                hint=f"Load it first: `goldsmith run {name}`.",
                retryable=True,
            )
        frames[name] = read_table(spark, run.path(name), pinned.version if pinned else version)
    return frames


def entry_columns(judged: Judged) -> list[str]:
    """The columns that a quarantined row is kept with."""
    left_out = {*ADDED, FILE_REASONS}
    return [name for name in judged.frame.columns if name not in left_out]
