"""Counts quarantined rows by table and reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.delta.table_rows import rows_of
from goldsmith.engine.delta.valid_entries import valid_entries
from goldsmith.run.context import Run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class QuarantineReason:
    """The number of a table's rows that are quarantined for one reason. since: the time of the first, in UTC."""

    table: str
    reason: str
    rows: int
    since: datetime


def reasons(spark: SparkSession | None, run: Run) -> tuple[QuarantineReason, ...]:
    """Tables and reasons, the most frequent first. A row with two reasons is counted for both. Raises NeedsSpark."""
    found: list[QuarantineReason] = []
    for name in run.project.tables:
        path = run.quarantine_path(name)
        if TableLog(path).version() == NO_TABLE:
            continue
        valid = valid_entries(TableLog(run.path(name)).counter())
        by_reason: dict[str, QuarantineReason] = {}
        for row in rows_of(
            spark,
            path,
            f"SELECT reasons, count(*) AS n, min(held_at) AS since FROM {{t}} WHERE {valid} GROUP BY reasons",
        ):
            for reason in dict.fromkeys(row["reasons"]):
                known = by_reason.get(reason, QuarantineReason(name, reason, 0, row["since"]))
                by_reason[reason] = QuarantineReason(
                    name, reason, known.rows + row["n"], min(known.since, row["since"])
                )
        found += sorted(by_reason.values(), key=lambda each: (-each.rows, each.reason))
    return tuple(found)
