"""Builds the versions of keys from their changes, and writes them into a Delta table."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.writing import MergeClauses, Target, merge
from goldsmith.engine.row_values import grouping_form, named, row_hash
from goldsmith.project.loads.scd2 import IS_CURRENT, VALID_FROM, VALID_TO, Scd2
from goldsmith.project.sql.expression import columns_of
from goldsmith.project.sql.text import quoted

CONTINUED = "_gs_continued"
"""True for a change that is a current version of the table; its history continues with later changes."""

NULL_SEQUENCE = "null_sequence"

_ORDER = "_gs_order"
_DELETES = "_gs_deletes"
_TIME = "_gs_time"
_FOLLOWING = "_gs_following"
_GAP = "_gs_gap"
_ENDED = "_gs_ended"
_TRACKED = "_gs_tracked"
_STARTS = "_gs_starts"
_LAST = "_gs_last"
_NEXT = "_gs_next"
_SEQUENCE = "_gs_sequence"
_FOUND = "_gs_found"
_EXISTING = "_gs_existing"
_ACTION = "_gs_action"


def versions(changes: DataFrame, load: Scd2) -> DataFrame:
    """The versions of all keys, with their history columns and CONTINUED.

    changes: rows with a key and a sequence that are not NULL, and CONTINUED. Of several changes of a key with the same
    value of the first `sequence_by` column, the last one counts. A change that equals the version before it in the
    tracked columns makes no version: it only updates the others. `sequence_by` columns have the values of the
    version's first change, other columns those of its last one; CONTINUED is true if that is a version of the table.
    """
    columns = [name for name in changes.columns if name != CONTINUED]
    rows = changes.select(*named(columns))
    sequence, by_key = quoted(load.sequence_by[0]), ", ".join(map(quoted, load.key))
    order = ", ".join(map(quoted, load.sequence_by))
    deletes = f"NOT {CONTINUED} AND coalesce({load.delete_when}, false)" if load.delete_when else "false"
    marked = changes.selectExpr(
        "*",
        f"struct({order}, {row_hash(rows.schema)} AS _gs_hash) AS {_ORDER}",
        f"{deletes} AS {_DELETES}",
        f"{_tracked(rows.schema, load)} AS {_TRACKED}",
    )
    window = f"OVER (PARTITION BY {by_key} ORDER BY {_ORDER})"
    last = marked.selectExpr("*", f"lead({sequence}) {window} AS {_NEXT}")
    last = last.where(f"coalesce({_NEXT} != {sequence}, true)").drop(_NEXT)
    ended = last.selectExpr("*", f"lead({sequence}) {window} AS {_NEXT}", f"false AS {_GAP}")
    if load.missing_means_deleted:
        ended = _with_gaps(last, sequence, window)
    compared = ended.selectExpr(
        "*",
        f"coalesce(lag({_DELETES} OR {_GAP}) {window}, true) AS {_ENDED}",
        f"NOT (lag({_TRACKED}) {window} <=> {_TRACKED}) AS _gs_differs",
    )
    started = compared.selectExpr("*", f"NOT {_DELETES} AND ({_ENDED} OR _gs_differs) AS {_STARTS}")
    grouped = started.selectExpr(
        "*",
        f"coalesce(lead({_STARTS} OR {_DELETES}) {window}, true) AS {_LAST}",
        f"last(IF({_STARTS}, {_ORDER}, NULL), true) {window} AS {_SEQUENCE}",
    )
    found = grouped.where(f"{_LAST} AND NOT {_DELETES}")
    first = {name: f"{_SEQUENCE}.{quoted(name)} AS {quoted(name)}" for name in load.sequence_by}
    return found.selectExpr(
        *[first.get(name, quoted(name)) for name in columns],
        f"{_SEQUENCE}.{sequence} AS {VALID_FROM}",
        f"{_NEXT} AS {VALID_TO}",
        f"{_NEXT} IS NULL AS {IS_CURRENT}",
        CONTINUED,
    )


def _tracked(schema: StructType, load: Scd2) -> str:
    """SQL: the values whose changes make versions, in a form that is only equal for identical values."""
    deleting = columns_of(load.delete_when) if load.delete_when is not None else ()
    tracked = load.tracked(schema.fieldNames(), deleting)
    forms = [grouping_form(quoted(name), schema[name].dataType) for name in tracked]
    return f"struct({', '.join(f'{form} AS c{at}' for at, form in enumerate(forms))})" if forms else "true"


def _with_gaps(changes: DataFrame, sequence: str, window: str) -> DataFrame:
    """Changes with _GAP: whether the snapshot after a change lacks its key, and _NEXT: the end of its values.

    A continued version belongs to the last snapshot before those of the other changes.
    """
    own = f"IF({CONTINUED}, NULL, {sequence})"
    times = changes.selectExpr(f"{own} AS _gs_at").union(changes.selectExpr(f"IF(true, NULL, {sequence})"))
    times = times.distinct().selectExpr(
        "_gs_at",
        f"row_number() OVER (ORDER BY _gs_at NULLS FIRST) AS {_TIME}",
        f"lead(_gs_at) OVER (ORDER BY _gs_at NULLS FIRST) AS {_FOLLOWING}",
    )
    timed = changes.join(times, F.expr(f"{own} <=> _gs_at")).drop("_gs_at")
    following = timed.selectExpr(
        "*", f"lead({_TIME}) {window} AS _gs_next_time", f"lead({sequence}) {window} AS _gs_next_change"
    )
    gap = f"{_FOLLOWING} IS NOT NULL AND coalesce(_gs_next_time > {_TIME} + 1, true)"
    marked = following.selectExpr("*", f"{gap} AS {_GAP}")
    marked = marked.selectExpr("*", f"IF({_GAP}, {_FOLLOWING}, _gs_next_change) AS {_NEXT}")
    return marked.drop(_TIME, _FOLLOWING, "_gs_next_time", "_gs_next_change")


@dataclass(frozen=True)
class Differences:
    """The versions to insert, update and delete. frame: persisted. made: those with the values of a new change.

    others: versions that are only ended or deleted.
    """

    frame: DataFrame
    made: int
    others: int


def differences(found: DataFrame, existing: DataFrame, load: Scd2) -> Differences:
    """The differences of the versions `found` from those that exist in the table for the same keys."""
    columns = [name for name in found.columns if name != CONTINUED]
    at = [*load.key, VALID_FROM]
    schema = found.select(*named(columns)).schema
    wanted = found.selectExpr("*", f"{row_hash(schema)} AS {_FOUND}")
    present = existing.selectExpr(*map(quoted, at), f"{row_hash(existing.schema)} AS {_EXISTING}")
    action = (
        f"CASE WHEN {_FOUND} IS NULL THEN 'delete' WHEN {_EXISTING} IS NULL THEN 'insert' "
        f"WHEN {_FOUND} != {_EXISTING} THEN 'update' END"
    )
    rows = wanted.join(present, at, "full_outer").selectExpr("*", f"{action} AS {_ACTION}")
    frame = rows.where(f"{_ACTION} IS NOT NULL").select(*named([*columns, CONTINUED, _ACTION])).persist()
    made = f"count_if({_ACTION} != 'delete' AND NOT {CONTINUED})"
    counted = frame.selectExpr(f"{made} AS made", "count(*) AS everything").first()
    if counted is None:
        raise TypeError("an aggregate without groups has one row")
    return Differences(frame, counted["made"], counted["everything"] - counted["made"])


def merge_versions(
    spark: SparkSession, target: Target, found: Differences, load: Scd2, metadata: CommitMetadata
) -> None:
    """Applies the differences to the table in one commit."""
    columns = [name for name in found.frame.columns if name not in (CONTINUED, _ACTION)]
    equal = [f"t.{quoted(name)} = s.{quoted(name)}" for name in (*load.key, VALID_FROM)]
    action = F.col(f"s.{_ACTION}")
    clauses = MergeClauses(
        on=F.expr(" AND ".join(equal)),
        delete=action == "delete",
        update=action == "update",
        insert=action == "insert",
    )
    merge(spark, target, found.frame, columns, clauses, metadata)
