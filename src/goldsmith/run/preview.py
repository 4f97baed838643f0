"""What a run would do: plans of all tables, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession

from goldsmith.errors import GoldsmithError
from goldsmith.run.context import Run
from goldsmith.run.planning import plan_table


@dataclass(frozen=True)
class Step:
    """One table of a plan. action: what would be done; `look again` where that hangs on an upstream's load."""

    table: str
    action: str
    reason: str
    warning: str | None = None


def preview(spark: SparkSession, run: Run, names: Sequence[str]) -> tuple[Step, ...]:
    """A step for each table, in loading order.

    A table below one that would load cannot be told for sure: its load depends on what that one will write.
    """
    steps: dict[str, Step] = {}
    for name in names:
        table = run.project.tables[name]
        moving = [need for need in table.needs if need in steps and steps[need].action != "nothing"]
        try:
            plan = plan_table(spark, run, table)
        except GoldsmithError as error:
            if error.code != "GS307" or not moving:
                steps[name] = Step(name, "fail", f"{error.code} {error.message}", error.hint)
                continue
            steps[name] = Step(name, "first", f"after {', '.join(moving)}")
            continue
        if plan.action == "nothing" and moving:
            steps[name] = Step(name, "look again", f"after {', '.join(moving)}")
        else:
            steps[name] = Step(name, plan.action, plan.reason, "; ".join(plan.warnings) or None)
    return tuple(steps.values())
