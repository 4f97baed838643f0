"""Previews a run: plans all tables without writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from goldsmith.errors import GoldsmithError
from goldsmith.project.confinement import reads
from goldsmith.run.context import Run
from goldsmith.run.plan import NewFiles, Plan
from goldsmith.run.planning import plan_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from goldsmith.run.column_changes import ColumnChanges


@dataclass(frozen=True)
class PreviewStep:
    """The plan of one table. action: the plan's action; `look again` if it depends on an upstream's load.

    reads: what a changed row of its source or driving upstream makes it read.
    """

    table: str
    action: str
    reason: str
    warning: str | None = None
    reads: str = ""


def preview(spark: SparkSession | None, run: Run, names: Sequence[str]) -> tuple[PreviewStep, ...]:
    """The plans of tables, in loading order. Raises NeedsSpark without a session.

    The plan of a table whose upstream would load is uncertain: it depends on the rows that the upstream writes.
    """
    steps: dict[str, PreviewStep] = {}
    for name in names:
        table = run.project.tables[name]
        loading = [need for need in table.needs if need in steps and steps[need].action != "nothing"]
        try:
            plan = plan_table(spark, run, table)
            changes = _column_changes(run, plan)
        except GoldsmithError as error:
            if error.code != "GS307" or not loading:
                steps[name] = PreviewStep(name, "fail", f"{error.code} {error.message}", error.hint)
                continue
            steps[name] = PreviewStep(name, "first", f"after {', '.join(loading)}")
            continue
        if plan.action == "nothing" and loading:
            steps[name] = PreviewStep(name, "look again", f"after {', '.join(loading)}")
        else:
            warnings = [*plan.warnings, *(changes.warnings if changes else ())]
            reason = plan.reason + (changes.reason if changes else "")
            steps[name] = PreviewStep(name, plan.action, reason, "; ".join(warnings) or None)
    return tuple(replace(step, reads=reads(run.project.tables[name])) for name, step in steps.items())


def _column_changes(run: Run, plan: Plan) -> ColumnChanges | None:
    if not isinstance(plan, NewFiles):
        return None
    # The readers of formats import Spark's Python library, which takes a third of a second.
    from goldsmith.run.column_changes import column_changes

    return column_changes(run, plan)
