"""The verdict of `max_quarantined`: whether a load quarantines too many of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import functions as F

from goldsmith.engine.delta.metadata import VerdictRecord
from goldsmith.engine.delta.quarantine import display_json
from goldsmith.project.tables import Table
from goldsmith.quality.judge import OUTCOME, REASONS, Counts, Judged
from goldsmith.run.context import Run
from goldsmith.run.judging import entry_columns
from goldsmith.run.outcome import share

_REASONS = 5
"""The number of reasons that are listed."""

_SAMPLES, _ROWS = 3, 20


@dataclass(frozen=True)
class Rejected:
    """Quarantined rows of a load. reasons: the most frequent ones, with their numbers of rows. rows: some of the rows.

    A row is its reasons and its columns as JSON, as they were delivered.
    """

    reasons: Mapping[str, int]
    rows: tuple[tuple[tuple[str, ...], str], ...]


def limit_records(run: Run, table: Table, judged: Judged, counts: Counts) -> tuple[VerdictRecord, ...]:
    """The verdict of the table's limit; () if it has none. A load above the limit costs a Spark job."""
    limit = table.quarantine_limit
    if limit is None:
        return ()
    declared = limit.as_expectation()
    exceeded = limit.is_exceeded(counts.quarantined, counts.rows_in)
    accepted = exceeded and run.accepted.covers(table.name, declared)
    return (
        VerdictRecord(
            name=declared.name,
            kind=declared.kind,
            otherwise=declared.otherwise,
            description=declared.description,
            checked=counts.rows_in,
            failed=counts.quarantined,
            observed=share(counts.quarantined, counts.rows_in),
            ok=not exceeded,
            accepted_by=run.accepted.by if accepted else None,
            accepted_why=run.accepted.why if accepted else None,
            samples=tuple(row for _, row in _as_delivered(judged, _SAMPLES)) if exceeded else (),
        ),
    )


def rejected(judged: Judged) -> Rejected:
    """The most frequent reasons of quarantined rows, and some of these rows. Two Spark jobs."""
    rows = judged.frame.where(F.col(OUTCOME) == "quarantine")
    reasons = rows.select(F.explode(REASONS).alias("reason")).groupBy("reason").count()
    frequent = reasons.orderBy(F.col("count").desc(), "reason").limit(_REASONS).collect()
    return Rejected({row["reason"]: row["count"] for row in frequent}, _as_delivered(judged, _ROWS))


def _as_delivered(judged: Judged, limit: int) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Quarantined rows: their reasons, and the row as JSON."""
    rows = judged.frame.where(F.col(OUTCOME) == "quarantine")
    shown = rows.select(REASONS, display_json(entry_columns(judged)).alias("row")).limit(limit)
    return tuple((tuple(row[REASONS]), row["row"]) for row in shown.collect())
