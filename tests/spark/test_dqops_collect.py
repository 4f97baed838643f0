"""Results from the disk of DQOps' server, collected in `ops.dqops_results`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from goldsmith.errors import SourceError
from goldsmith.project.ops import DQOPS_RESULTS
from goldsmith.publish.dqops.collecting import Collected, _read, collect, uploaded
from goldsmith.publish.dqops.names import IMPORT_CHECK, NO_GROUP
from goldsmith.publish.dqops.snapshot import copy_results
from support.lake import Lake

STORED = (
    "id string, actual_value double, expected_value double, time_period timestamp_ntz, time_period_utc timestamp, "
    "time_gradient string, data_group_name string, connection_name string, schema_name string, table_name string, "
    "column_name string, check_name string, check_type string, check_category string, quality_dimension string, "
    "sensor_name string, executed_at timestamp, duration_ms int, severity int, incident_hash bigint, "
    "include_in_kpi boolean, fatal_lower_bound double, fatal_upper_bound double, error_lower_bound double, "
    "error_upper_bound double, warning_lower_bound double, warning_upper_bound double"
)
"""The relevant columns of the server's files, with their types."""


def result(id_: str, day: int = 21, **other: Any) -> dict[str, Any]:
    """A row as the server writes it."""
    return {
        "id": id_,
        "actual_value": 99.5,
        "expected_value": float("nan"),
        "time_period": datetime(2026, 11, day),
        "time_gradient": "day",
        "data_group_name": NO_GROUP,
        "schema_name": "silver",
        "table_name": "flights",
        "column_name": "distance",
        "check_name": "daily_number_in_range_percent",
        "check_type": "monitoring",
        "check_category": "numeric",
        "quality_dimension": "Validity",
        "executed_at": datetime(2026, 11, day, 6),
        "duration_ms": 40,
        "severity": 2,
        "error_lower_bound": 100.0,
        **other,
    }


class Store:
    """The server's folder `.data`."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder = spark, folder

    def write(self, *rows: dict[str, Any], table: str = "silver.flights", month: str = "2026-11-01") -> Path:
        """Replaces a month's file of a table, by rename."""
        columns = [part.split()[0] for part in STORED.split(", ")]
        values = [tuple(row.get(column) for column in columns) for row in rows]
        made = self.folder.parent / "made"
        frame = self.spark.createDataFrame(values, STORED).coalesce(1)
        frame.write.mode("overwrite").parquet(str(made))
        (part,) = made.glob("part-*.parquet")
        target = self.folder / f"check_results/c=lakehouse/t={table}/m={month}/check_results.0.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        return part.rename(target)


@pytest.fixture
def store(lake: Lake) -> Store:
    folder = lake.root / "dqops_userhome/.data"
    folder.mkdir(parents=True)
    return Store(lake.spark, folder)


def test_results_are_collected_once_and_updated_when_checked_again(lake: Lake, store: Store) -> None:
    run = lake.begin()
    store.write(
        result("a"),
        result("b", severity=0, check_name="daily_row_count", column_name=None, actual_value=7.0),
        result(
            "c", check_name="daily_import_custom_result_on_table", column_name=None, data_group_name="key"
        ),
        result("p", check_type="profiling"),
    )
    assert collect(lake.spark, run) == Collected(files=1, new=3, changed=0)
    assert lake.table("ops.dqops_results").dtypes == list(DQOPS_RESULTS.types.items())
    version = lake.version("ops.dqops_results")
    assert collect(lake.spark, run) == Collected(files=1, new=0, changed=0)
    assert lake.version("ops.dqops_results") == version
    columns = (
        "id",
        "table",
        "column",
        "series",
        "severity",
        "actual_value",
        "expected_value",
        "lower_bound",
        "day",
    )
    day = date(2026, 11, 21)
    assert lake.rows("ops.dqops_results", *columns) == [
        ("a", "silver.flights", "distance", None, 2, 99.5, None, 100.0, day),
        ("b", "silver.flights", None, None, 0, 7.0, None, 100.0, day),
        ("c", "silver.flights", None, "key", 2, 99.5, None, 100.0, day),
    ]
    # A gate deletes the day's results and checks again: the new results have the same ids.
    store.write(
        result("a", severity=0, actual_value=100.0, executed_at=datetime(2026, 11, 21, 9)), result("d", 22)
    )
    assert collect(lake.spark, run) == Collected(files=1, new=1, changed=1)
    assert [row[:2] for row in lake.rows("ops.dqops_results", "id", "severity")] == [
        ("a", 0),
        ("b", 0),
        ("c", 2),
        ("d", 2),
    ]


def test_results_with_the_same_id_are_one_row_in_any_order(lake: Lake, store: Store) -> None:
    twins = [result("a", actual_value=value) for value in (1.0, 3.0, 2.0)]
    store.write(*twins)
    assert collect(lake.spark, lake.begin()).new == 1
    first = lake.rows("ops.dqops_results", "id", "actual_value")
    store.write(*reversed(twins))
    assert collect(lake.spark, lake.begin()) == Collected(1, 0, 0)
    assert lake.rows("ops.dqops_results", "id", "actual_value") == first == [("a", 3.0)]


def verdict(id_: str, series: str, day: int = 21, **other: Any) -> dict[str, Any]:
    """The result of an imported verdict, as the server writes it."""
    imported = {"check_name": IMPORT_CHECK, "column_name": None, "data_group_name": series, "severity": 1}
    return result(id_, day, **{**imported, **other})


def test_series_with_the_same_id_are_separate_rows(lake: Lake, store: Store) -> None:
    """As the server writes them for a check without data grouping."""
    store.write(*[verdict("shared", series, actual_value=7.0) for series in ("key", "carrier", "origin")])
    assert collect(lake.spark, lake.begin()) == Collected(files=1, new=3, changed=0)
    again = [
        verdict("shared", series, severity=0, executed_at=datetime(2026, 11, 21, 9))
        for series in ("key", "origin")
    ]
    store.write(*again)
    assert collect(lake.spark, lake.begin()) == Collected(files=1, new=0, changed=2)
    assert lake.rows("ops.dqops_results", "series", "severity") == [("carrier", 1), ("key", 0), ("origin", 0)]


def test_series_with_a_new_id_is_not_duplicated(lake: Lake, store: Store) -> None:
    store.write(verdict("shared", "key"), verdict("shared", "key", 20))
    assert collect(lake.spark, lake.begin()).new == 2
    own = verdict("its own", "key", severity=0, executed_at=datetime(2026, 11, 21, 9))
    # A schedule deletes nothing: the file contains both.
    store.write(verdict("shared", "key"), own, verdict("shared", "key", 20))
    assert collect(lake.spark, lake.begin()) == Collected(files=1, new=0, changed=1)
    assert collect(lake.spark, lake.begin()) == Collected(files=1, new=0, changed=0)
    assert lake.rows("ops.dqops_results", "id", "series", "severity", "day") == [
        ("its own", "key", 0, date(2026, 11, 21)),
        ("shared", "key", 1, date(2026, 11, 20)),
    ]


def test_results_once_merged_only_by_id_are_completed_in_every_month(lake: Lake, store: Store) -> None:
    """Such a table lacks series of all months, and names the missing group."""
    october = [verdict("x", series, time_period=datetime(2026, 10, 3)) for series in ("key", "origin")]
    store.write(*october, month="2026-10-01")
    store.write(result("a"), *[verdict("y", series) for series in ("key", "origin")])
    gone = result("gone", table_name="airports", time_period=datetime(2025, 10, 3))
    file = store.write(gone, table="silver.airports", month="2025-10-01")
    assert collect(lake.spark, lake.begin()).new == 6
    file.unlink()
    table = DeltaTable.forPath(lake.spark, lake.path("ops.dqops_results"))
    table.delete("series = 'origin'")
    table.update("series IS NULL", {"series": f"'{NO_GROUP}'"})
    assert collect(lake.spark, lake.begin()) == Collected(files=2, new=2, changed=0)
    assert lake.rows("ops.dqops_results", "id", "series") == [
        ("a", None),
        ("gone", None),
        *[("x", "key"), ("x", "origin"), ("y", "key"), ("y", "origin")],
    ]
    assert collect(lake.spark, lake.begin()) == Collected(files=1, new=0, changed=0)


def test_completed_months_are_not_read_again(lake: Lake, store: Store) -> None:
    store.write(result("old", time_period=datetime(2026, 10, 3)), month="2026-10-01")
    store.write(result("a"))
    store.write(result("x", table_name="airports"), table="silver.airports")
    assert collect(lake.spark, lake.begin()) == Collected(files=3, new=3, changed=0)
    assert collect(lake.spark, lake.begin()).files == 2


def test_missing_folder_is_an_error_and_an_empty_one_is_not(lake: Lake, store: Store) -> None:
    assert collect(lake.spark, lake.begin()) == Collected(0, 0, 0)
    store.folder.rmdir()
    with pytest.raises(SourceError) as raised:
        collect(lake.spark, lake.begin())
    assert raised.value.code == "GS706"


def test_incomplete_file_is_not_collected(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from goldsmith.publish.dqops import snapshot

    whole = store.write(result("a"))
    whole.write_bytes(whole.read_bytes()[:-9])
    monkeypatch.setattr(snapshot, "PAUSE", 0)
    with pytest.raises(SourceError) as raised:
        copy_results(store.folder, tmp_path / "copy", None)
    assert (raised.value.code, raised.value.retryable) == ("GS706", True)


def test_uploaded_copy_is_removed_after_reading(store: Store, tmp_path: Path) -> None:
    """The copy is for executors on other machines, which cannot read this disk."""
    store.write(result("a"))
    path = tmp_path / "warehouse/ops/_dqops_incoming/one"
    with uploaded(store.spark, path.as_uri(), store.folder / "check_results") as found:
        assert [row.id for row in _read(store.spark, found).collect()] == ["a"]
    assert not path.exists()


def test_collected_results_can_be_queried(lake: Lake, store: Store) -> None:
    from goldsmith.run.sql_query import run_query

    store.write(result("a"))
    run = lake.begin()
    collect(lake.spark, run)
    assert run_query(lake.spark, run, "SELECT count(*) AS n FROM ops.dqops_results", limit=5).rows == ((1,),)
