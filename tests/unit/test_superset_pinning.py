"""The SQL of charts with the versions of their page."""

from __future__ import annotations

import pytest
from goldsmith_superset.pinning import UnreadableError, pinned, tables_of

VERSIONS = {"gold.t": 5, "ops.u": 7, "gold.select": 9}

PINNED = [
    ("SELECT * FROM gold.t", "SELECT * FROM gold.t VERSION AS OF 5"),
    ("SELECT * FROM t", "SELECT * FROM t VERSION AS OF 5"),
    ("SELECT * FROM Gold.T", "SELECT * FROM Gold.T VERSION AS OF 5"),
    (
        "SELECT * FROM `gold`.`t` AS x JOIN ops.u y ON x.a = y.b",
        "SELECT * FROM `gold`.`t` VERSION AS OF 5 AS x JOIN ops.u VERSION AS OF 7 y ON x.a = y.b",
    ),
    ("SELECT * FROM gold.`select` s", "SELECT * FROM gold.`select` VERSION AS OF 9 s"),
    ("SELECT * FROM spark_catalog.gold.t", "SELECT * FROM spark_catalog.gold.t VERSION AS OF 5"),
    (
        "SELECT a FROM (SELECT a FROM gold.t LIMIT 3) AS v WHERE a IN (SELECT b FROM ops.u)",
        "SELECT a FROM (SELECT a FROM gold.t VERSION AS OF 5 LIMIT 3) AS v WHERE a IN (SELECT b FROM ops.u VERSION AS OF 7)",
    ),
    (
        "SELECT (SELECT max(a) FROM t) FROM ops.u UNION ALL SELECT 1 FROM t",
        "SELECT (SELECT max(a) FROM t VERSION AS OF 5) FROM ops.u VERSION AS OF 7 UNION ALL SELECT 1 FROM t VERSION AS OF 5",
    ),
    (
        "SELECT 'gold.t', é -- gold.t\nFROM gold.t /* gold.t */ LIMIT 1",
        "SELECT 'gold.t', é -- gold.t\nFROM gold.t VERSION AS OF 5 /* gold.t */ LIMIT 1",
    ),
    (
        "SELECT * FROM t LATERAL VIEW explode(x) e AS y",
        "SELECT * FROM t VERSION AS OF 5 LATERAL VIEW explode(x) e AS y",
    ),
    # The name of a WITH clause shadows a table's in the following queries.
    ("WITH t AS (SELECT 1) SELECT * FROM t", "WITH t AS (SELECT 1) SELECT * FROM t"),
    (
        "WITH t AS (SELECT * FROM t), z AS (SELECT * FROM T) SELECT * FROM t, z, gold.t",
        "WITH t AS (SELECT * FROM t VERSION AS OF 5), z AS (SELECT * FROM T) SELECT * FROM t, z, gold.t VERSION AS OF 5",
    ),
    (
        "WITH a AS (WITH t AS (SELECT 1) SELECT * FROM t) SELECT * FROM t",
        "WITH a AS (WITH t AS (SELECT 1) SELECT * FROM t) SELECT * FROM t VERSION AS OF 5",
    ),
    (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT * FROM t",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT * FROM t",
    ),
]

UNCHANGED = [
    "SELECT * FROM gold.t VERSION AS OF 2",
    "SELECT * FROM gold.other",
    "SELECT * FROM other.t",
    "SELECT * FROM elsewhere.gold.t",
    "SELECT * FROM table_changes('gold.t', 0)",
    "SELECT * FROM IDENTIFIER('gold.t')",
    "SELECT 1",
]


@pytest.mark.parametrize(("sql", "wanted"), PINNED)
def test_version_is_added_to_each_table(sql: str, wanted: str) -> None:
    assert pinned(sql, VERSIONS.get, "gold") == wanted


@pytest.mark.parametrize("sql", UNCHANGED)
def test_tables_without_version_or_with_their_own_do_not_change(sql: str) -> None:
    assert pinned(sql, VERSIONS.get, "gold") == sql


def test_tables_of_a_query_have_full_names() -> None:
    sql = "WITH c AS (SELECT * FROM T) SELECT * FROM c JOIN ops.u ON true"
    assert tables_of(sql, "gold") == {"gold.t", "ops.u"}
    for unknown in ("SELECT * FROM range(3)", "SELECT * FROM elsewhere.gold.t"):
        assert tables_of(unknown, "gold") == {""}
    assert tables_of("SELECT * FROM t") == {""}


def test_invalid_sql_raises() -> None:
    with pytest.raises(UnreadableError):
        pinned("SELECT FROM WHERE (", VERSIONS.get)
