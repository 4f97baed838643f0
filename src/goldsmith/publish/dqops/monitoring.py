"""What DQOps watches in a table at rest beside its expectations: volume, schema, freshness, keys, shares.

What a person declared (a key, a freshness) is an error where it does not hold; what nobody declared only warns.
"""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.project.sources import INGESTED_AT, SYSTEM_COLUMNS
from goldsmith.project.tables import Table
from goldsmith.project.types import is_single
from goldsmith.publish.dqops.check import Check

ROW_COUNT_CHANGE = 50.0
"""The change of the row count from one day to the next, in percent, beyond which it warns."""

ANOMALY = 1.0
"""The most unusual share of days, in percent, that warns once there is a history to compare with."""


_ABOUT_VALUES = (
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_exist_in",
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
)


def watched(table: Table) -> Iterator[Check]:
    """The checks, the most specific first; a check whose place an expectation has taken is left out by the caller."""
    yield from _freshness(table)
    yield from _key(table)
    yield Check("volume", "daily_row_count", {"warning": {"min_count": 1}})
    yield Check("volume", "daily_row_count_change_1_day", {"warning": {"max_percent": ROW_COUNT_CHANGE}})
    # Never daily_column_count: on a partitioned table it counts two rows of DESCRIBE that are no columns.
    yield Check("schema", "daily_column_list_changed", {"warning": {}})
    yield Check("schema", "daily_column_types_changed", {"warning": {}})
    yield from _shares(table)


def timestamp_columns(table: Table) -> dict[str, str]:
    """The columns that freshness is measured by, as DQOps names them."""
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
    """A merge promises one row for each key, and no NULL in it."""
    if not table.load.row_key:
        return
    known = {name.lower(): name for name in table.columns or {}}
    key = [known.get(name.lower(), name) for name in table.load.row_key]
    told = (f"The key of the merge: {', '.join(key)}",)
    none = {"error": {"max_count": 0}}
    if len(key) == 1:
        yield Check("uniqueness", "daily_duplicate_count", none, key[0], comments=told)
    else:
        columns = {"columns": key}
        yield Check("uniqueness", "daily_duplicate_record_count", none, None, columns, comments=told)
    for column in key:
        yield Check("nulls", "daily_nulls_count", none, column, comments=told)


def _shares(table: Table) -> Iterator[Check]:
    """Shares of NULLs of every column, and of distinct values of keys and of columns with a set of values.

    Distinct values are dear to count, so they are not counted in every column.
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
