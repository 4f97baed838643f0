"""Append loads of new upstream rows: one driver or several, and upstreams with removed rows."""

from __future__ import annotations

from support.lake import Lake
from support.properties import Upstream

BOTH = """
SELECT id, n, 'a' AS origin FROM bronze.a
UNION ALL
SELECT id, n, 'b' AS origin FROM bronze.b
"""


def test_removed_rows_fail_an_append_unless_ignored(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, n int")
    source.append([{"id": 1, "n": 1}, {"id": 2, "n": 2}])
    sql = "SELECT id, n FROM bronze.src"
    lake.declare("silver.strict", "load: append", sql)
    lake.declare("silver.log", "{load: append, on_removed: ignore}", sql)
    lake.declare("gold.log", "load: append", "SELECT id FROM silver.log")
    lake.done("silver", "gold")
    # Rewriting the same rows to another file removes none.
    source.overwrite([{"id": 2, "n": 2}, {"id": 1, "n": 1}, {"id": 3, "n": 3}])
    done = lake.done("silver", "gold")
    assert done["silver.strict"].counts.written == 1
    assert lake.rows("gold.log") == [(1,), (2,), (3,)]
    source.sql("UPDATE {t} SET n = 10 WHERE id = 1")
    outcomes = {outcome.table: outcome for outcome in lake.run("silver", "gold").outcomes}
    error = outcomes["silver.strict"].error
    assert error is not None
    assert error.code == "GS404"
    assert lake.rows("silver.strict") == [(1, 1), (2, 2), (3, 3)]
    assert lake.rows("silver.log") == [(1, 1), (1, 10), (2, 2), (3, 3)]
    assert lake.rows("gold.log") == [(1,), (1,), (2,), (3,)]


def test_several_drivers_under_union_all(lake: Lake) -> None:
    a, b = (Upstream(lake, f"bronze.{name}", "id int, n int") for name in "ab")
    a.append([{"id": 1, "n": 1}])
    b.append([{"id": 1, "n": 5}, {"id": 2, "n": 1}])
    drivers = "changes_of: [bronze.a, bronze.b]"
    lake.declare("silver.log", f"load: append\n{drivers}", BOTH)
    lake.declare("silver.newest", f"load: {{merge: {{key: id, newest_by: n}}}}\n{drivers}", BOTH)
    lake.done("silver")
    assert lake.rows("silver.newest") == [(1, 5, "b"), (2, 1, "b")]
    a.append([{"id": 3, "n": 3}, {"id": 2, "n": 2}])
    b.append([{"id": 3, "n": 4}])
    done = lake.done("silver")
    assert [len(done[name].commits) for name in ("silver.log", "silver.newest")] == [2, 2]
    assert done["silver.log"].counts.written == 3
    assert len(lake.rows("silver.log")) == 6
    assert lake.rows("silver.newest") == [(1, 5, "b"), (2, 2, "a"), (3, 4, "b")]
    # Deleting the newest row restores the row that it superseded.
    b.sql("DELETE FROM {t} WHERE n > 3")
    lake.done("silver.newest")
    assert lake.rows("silver.newest") == [(1, 1, "a"), (2, 2, "a"), (3, 3, "a")]


def test_arm_of_a_union_may_select_a_column_twice(lake: Lake) -> None:
    a, b = (Upstream(lake, f"bronze.{name}", "g int, n int") for name in "ab")
    a.append([{"g": 1, "n": 1}])
    b.append([{"g": 5, "n": 2}])
    sql = "SELECT g, n FROM bronze.a WHERE NOT (g <=> 0) UNION ALL SELECT n, n FROM bronze.b"
    rule = "{condition: 'n > 0', name: positive, otherwise: drop}"
    lake.declare("silver.log", f"load: append\nchanges_of: [bronze.a, bronze.b]\nexpectations: [{rule}]", sql)
    lake.done("silver")
    assert lake.rows("silver.log") == [(1, 1), (2, 2)]
    b.append([{"g": 6, "n": 3}, {"g": 7, "n": -3}])
    done = lake.done("silver")
    assert done["silver.log"].counts.dropped == 1
    assert lake.rows("silver.log") == [(1, 1), (2, 2), (3, 3)]
