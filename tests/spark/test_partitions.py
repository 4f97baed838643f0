"""The overwrite_partitions load: only partitions with changes are recomputed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from support.lake import Lake
from support.properties import Upstream


def test_only_partitions_with_changes_are_written(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, p string, n int")
    source.append([{"id": id, "p": p, "n": 1} for id, p in ((1, "a"), (2, "a"), (3, None), (4, "c"))])
    lake.declare(
        "gold.t",
        "load: {overwrite_partitions: {by: p}}",
        "SELECT p, count(*) AS rows, sum(n) AS total FROM bronze.src GROUP BY p",
    )
    lake.done("gold")
    source.sql("UPDATE {t} SET p = 'b' WHERE id IN (1, 3)")
    counts = lake.done("gold")["gold.t"].counts
    assert lake.rows("gold.t") == [("a", 1, 1), ("b", 2, 2), ("c", 1, 1)]
    assert counts.written == 2
    # The same rows in other files: nothing is computed, and the bookmark advances.
    source.overwrite(source.rows())
    assert lake.done("gold")["gold.t"].counts.written == 0
    assert lake.done("gold")["gold.t"].status == "nothing_new"
    assert lake.rows("gold.t") == [("a", 1, 1), ("b", 2, 2), ("c", 1, 1)]


def test_values_of_the_wrong_type_are_quarantined_in_every_load(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, day string")
    source.append([{"id": 1, "day": "2013-01-01"}, {"id": 2, "day": "never"}])
    lake.declare(
        "gold.t",
        "load: {overwrite_partitions: {by: day}}\ncolumns: {day: date}",
        "SELECT day, id FROM bronze.src",
    )
    lake.done("gold")
    source.append([{"id": 3, "day": "soon"}, {"id": 4, "day": "2013-01-01"}])
    lake.done("gold")
    assert lake.rows("gold.t", "id") == [(1,), (4,)]
    assert [row for _, row in lake.quarantine("gold.t")] == [
        {"id": 2, "day": "never"},
        {"id": 3, "day": "soon"},
    ]


@pytest.mark.parametrize("added", [0.0, -0.0])
def test_equal_zeros_stay_in_one_group_that_is_stored_as_text(lake: Lake, added: float) -> None:
    source = Upstream(lake, "bronze.src", "k double")
    source.append([{"k": 0.0}, {"k": -0.0}, {"k": 2.5}])
    lake.declare(
        "gold.t",
        "load: {overwrite_partitions: {by: c2}}\ncolumns: {c2: string}",
        "SELECT k AS c2, count(*) AS n FROM bronze.src GROUP BY k",
    )
    lake.done("gold")
    source.append([{"k": added}])
    lake.done("gold")
    assert lake.rows("gold.t") == [("0.0", 3), ("2.5", 1)]


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
def test_timestamps_are_independent_of_the_time_zone(lake: Lake) -> None:
    """This includes the repeated hour: 05:30 and 06:30 UTC are both 01:30 in New York on that day."""
    twice = [datetime(2013, 11, 3, hour, 30, 0, 250, tzinfo=UTC) for hour in (5, 6)]
    source = Upstream(lake, "bronze.src", "id int, at timestamp, n int")
    source.append([{"id": index, "at": at, "n": index} for index, at in enumerate(twice)])
    rule = "expectations: [{condition: n < 10, name: small, otherwise: quarantine}]"
    lake.declare(
        "gold.t",
        f"load: {{overwrite_partitions: {{by: at}}}}\n{rule}",
        "SELECT at, n FROM bronze.src",
    )
    lake.declare("silver.t", f"load: {{merge: {{key: at}}}}\n{rule}", "SELECT at, n FROM bronze.src")
    lake.done("silver", "gold")
    source.sql("UPDATE {t} SET n = 7 WHERE id = 1")
    lake.done("silver", "gold")
    for table in ("gold.t", "silver.t"):
        found = lake.table(table).selectExpr("CAST(at AS string)", "n").collect()
        assert sorted(map(tuple, found)) == [
            ("2013-11-03 05:30:00.00025", 0),
            ("2013-11-03 06:30:00.00025", 7),
        ]
    source.sql("UPDATE {t} SET n = 10 WHERE id = 1")
    lake.done("silver", "gold")
    source.sql("UPDATE {t} SET n = 5 WHERE id = 1")
    lake.done("silver", "gold")
    for table in ("gold.t", "silver.t"):
        assert lake.rows(table, "n") == [(0,), (5,)]
        assert lake.quarantine(table) == []


def test_new_column_upstream_is_added(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, p string")
    source.append([{"id": 1, "p": "a"}, {"id": 2, "p": "b"}])
    lake.declare("gold.t", "load: {overwrite_partitions: {by: p}}", "SELECT * FROM bronze.src")
    lake.declare("silver.t", "load: {merge: {key: id}}", "SELECT * FROM bronze.src")
    lake.done("silver", "gold")
    source.sql("ALTER TABLE {t} ADD COLUMN extra string")
    source.sql("INSERT INTO {t} VALUES (3, 'a', 'new'), (2, 'b', NULL)")
    lake.done("silver", "gold")
    assert lake.rows("gold.t", "p", "id", "extra") == [
        ("a", 1, None),
        ("a", 3, "new"),
        ("b", 2, None),
        ("b", 2, None),
    ]
    assert lake.rows("silver.t", "id", "extra") == [(1, None), (2, None), (3, "new")]
