"""Loads that would quarantine more rows than `max_quarantined` allows."""

from __future__ import annotations

import pytest

from goldsmith.errors import GateStopped
from support.lake import Lake

BRONZE = """
source: {files: a/*.csv, format: csv}
columns: {id: int, n: int}
"""
SILVER = """
load: {merge: {key: id}}
expectations: [{condition: n > 0, name: positive, otherwise: quarantine}]
"""


def csv(*rows: str) -> str:
    return "\n".join(("id,n", *rows)) + "\n"


def verdicts(lake: Lake, name: str) -> list[tuple[object, ...]]:
    rows = lake.table("ops.expectations").where(f"`table` = '{name}' AND name = 'max_quarantined'")
    columns = ("kind", "otherwise", "checked", "failed", "observed", "ok", "accepted_by")
    return [tuple(row) for row in rows.orderBy("judged_at").select(*columns).collect()]


def test_load_above_the_limit_writes_nothing_until_it_is_accepted(lake: Lake) -> None:
    lake.declare("bronze.a", BRONZE + "max_quarantined: 50%")
    lake.declare("silver.a", "load: append", "SELECT id, n FROM bronze.a")
    lake.deliver("a/1.csv", csv("1,1", "x,2"))
    lake.done()
    before = lake.version("bronze.a")
    lake.deliver("a/2.csv", csv("2,x", "3,y", "4", "5,5"))
    for _ in range(2):
        result = lake.run()
        stopped, skipped = result.outcomes
        assert (stopped.status, skipped.status) == ("gate", "skipped")
        error = stopped.error
        assert isinstance(error, GateStopped)
        assert error.code == "GS508"
        assert "3 of 4 rows (75 %) would be quarantined" in error.message
        assert "at most 50 % of its rows" in error.message
        assert "malformed: 1 row" in error.message
        assert '"n":"x"' in error.message
        assert "--accept bronze.a.max_quarantined" in str(error.hint)
        assert error.where is not None
        assert error.where.line == 4
        assert lake.version("bronze.a") == before
        assert len(lake.quarantine("bronze.a")) == 1
    done = lake.done(accept=["bronze.a.max_quarantined"])
    counts = done["bronze.a"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (4, 1, 3)
    assert lake.rows("silver.a") == [(1, 1), (5, 5)]
    assert len(lake.quarantine("bronze.a")) == 4
    assert verdicts(lake, "bronze.a") == [
        ("max_quarantined", "fail", 2, 1, "50 %", True, None),
        ("max_quarantined", "fail", 4, 3, "75 %", False, None),
        ("max_quarantined", "fail", 4, 3, "75 %", False, None),
        ("max_quarantined", "fail", 4, 3, "75 %", False, "tester"),
    ]


def test_limit_of_the_project_applies_to_each_load(lake: Lake) -> None:
    lake.write("goldsmith.yaml", lake.home.declared + "\nmax_quarantined: {share: 50%, rows: 1}")
    lake.declare("bronze.a", BRONZE)
    lake.declare("silver.a", SILVER, "SELECT id, n FROM bronze.a")
    lake.deliver("a/1.csv", csv("1,1", "2,1", "3,0", "x,1"))
    done = lake.done()
    assert {name: outcome.counts.quarantined for name, outcome in done.items()} == {
        "bronze.a": 1,
        "silver.a": 1,
    }
    lake.deliver("a/2.csv", csv("4,0"))
    assert lake.done()["silver.a"].counts.quarantined == 1
    lake.deliver("a/3.csv", csv("5,0", "6,0", "7,1"))
    stopped = lake.failed("silver.a")
    assert stopped.error is not None
    assert stopped.error.code == "GS508"
    assert "positive: 2 rows" in stopped.error.message
    assert lake.rows("silver.a", "id") == [(1,), (2,)]
    # A rebuild reads all rows: 4 of 7 would be quarantined.
    assert lake.failed("silver.a", rebuild=["silver.a"]).error is not None
    assert lake.rows("silver.a", "id") == [(1,), (2,)]
    lake.declare("silver.a", SILVER + "max_quarantined: 100%", "SELECT id, n FROM bronze.a")
    assert lake.done()["silver.a"].commits[0].mode == "incremental"
    assert lake.rows("silver.a", "id") == [(1,), (2,), (7,)]


def test_limit_with_warn_stops_nothing(lake: Lake) -> None:
    lake.declare("bronze.a", BRONZE + "max_quarantined: {share: 10%, otherwise: warn}")
    lake.deliver("a/1.csv", csv("1,1", "2,2", "x,2"))
    outcome = lake.done()["bronze.a"]
    assert outcome.counts.quarantined == 1
    (warning,) = outcome.warnings
    assert "1 of 3 rows quarantined (33.3 %), which exceeds `max_quarantined`" in warning
    assert verdicts(lake, "bronze.a") == [("max_quarantined", "warn", 3, 1, "33.3 %", False, None)]


def test_release_is_not_limited(lake: Lake) -> None:
    lake.declare("bronze.a", BRONZE + "max_quarantined: 75%")
    lake.deliver("a/1.csv", csv("1,x", "2,y", "3,z", "4,4"))
    lake.done()
    lake.declare("bronze.a", BRONZE + "max_quarantined: 0%")
    assert lake.release("bronze.a").left == 3


@pytest.mark.parametrize("order", [0, 1])
def test_failed_expectation_is_reported_before_the_limit(lake: Lake, order: int) -> None:
    rules = [
        "{expect_table_row_count_to_be_between: {min_value: 100}}",
        "{condition: n > 0, name: positive, otherwise: quarantine}",
    ]
    lake.declare("bronze.a", BRONZE)
    lake.declare(
        "silver.a",
        f"load: overwrite\nmax_quarantined: 0\nexpectations: [{rules[order]}, {rules[1 - order]}]",
        "SELECT id, n FROM bronze.a",
    )
    lake.deliver("a/1.csv", csv("1,0", "2,2"))
    error = lake.failed("silver.a").error
    assert error is not None
    assert error.code == "GS501"
    assert "table_row_count_to_be_between" in error.message
