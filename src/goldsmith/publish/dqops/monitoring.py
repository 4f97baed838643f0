"""Generated checks beyond the expectations: volume, schema, freshness, keys, shares.

A failed check of a declared property (a key, a freshness) is an error; other checks only warn.
"""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.project.system_columns import INGESTED_AT, SYSTEM_COLUMNS
from goldsmith.project.tables import Table
from goldsmith.project.types import is_single
from goldsmith.publish.dqops.check import Check

ROW_COUNT_CHANGE = 50.0
"""The maximum daily change of the row count without a warning, in percent."""

ANOMALY = 1.0
"""The share of the most unusual days that cause a warning, in percent, once there is a history."""

_ABOUT_VALUES = (
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_exist_in",
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
)


def monitoring_checks(table: Table) -> Iterator[Check]:
    """The checks, the most specific first. The caller omits those with the key of an expectation's check."""
    yield from _freshness(table)
    yield from _key(table)
    yield Check("volume", "daily_row_count", {"warning": {"min_count": 1}})
    yield Check("volume", "daily_row_count_change_1_day", {"warning": {"max_percent": ROW_COUNT_CHANGE}})
    # Never daily_column_count: on a partitioned table it counts two rows of DESCRIBE that are not columns.
    yield Check("schema", "daily_column_list_changed", {"warning": {}})
    yield Check("schema", "daily_column_types_changed", {"warning": {}})
    yield from _shares(table)


def timestamp_columns(table: Table) -> dict[str, str]:
    """The columns that freshness is measured by, under DQOps' keys."""
    freshness = table.freshness
    if freshness is None:
        return {}
    if freshness.column is not None:
        known = {name.lower(): name for name in table.columns or {}}
        return {"event_timestamp_column": known.get(freshness.column.lower(), freshness.column)}
    return {"ingestion_timestamp_column": INGESTED_AT} if INGESTED_AT in table.system_columns else {}


def _freshness(table: Table) -> Iterator[Check]:
    freshness = table.freshness
    if freshness is None:
        return
    limit = {"error": {"max_days": freshness.days}}
    if freshness.column is not None:
        yield Check("timeliness", "daily_data_freshness", limit)
    elif INGESTED_AT in table.system_columns:
        yield Check("timeliness", "daily_data_staleness", limit)


def _key(table: Table) -> Iterator[Check]:
    """The checks of a row key: one row per key, and no NULL."""
    if not table.load.row_key:
        return
    known = {name.lower(): name for name in table.columns or {}}
    key = [known.get(name.lower(), name) for name in table.load.row_key]
    comment = (f"Row key: {', '.join(key)}",)
    none = {"error": {"max_count": 0}}
    if len(key) == 1:
        yield Check("uniqueness", "daily_duplicate_count", none, key[0], comments=comment)
    else:
        columns = {"columns": key}
        yield Check("uniqueness", "daily_duplicate_record_count", none, None, columns, comments=comment)
    for column in key:
        yield Check("nulls", "daily_nulls_count", none, column, comments=comment)


def _shares(table: Table) -> Iterator[Check]:
    """The share of NULLs of each column, and of distinct values of keys and of columns with a value set.

    Counting distinct values is expensive, so it is not done for all columns.
    """
    load = table.load
    named = {c.lower() for e in table.spec.expectations if e.kind in _ABOUT_VALUES for c in e.columns}
    named |= {name.lower() for name in (*load.row_key, *load.partition_columns)}
    unusual = {"warning": {"anomaly_percent": ANOMALY}}
    for name, kind in (table.columns or {}).items():
        if name in SYSTEM_COLUMNS:
            continue
        yield Check("nulls", "daily_nulls_percent_anomaly", unusual, name)
        if name.lower() in named and is_single(kind):
            yield Check("uniqueness", "daily_distinct_percent_anomaly", unusual, name)
