"""SQL that can be loaded incrementally from the changed rows of one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.project.sql.statement import Analysis, analyse, parse

TABLES = ("bronze.x", "bronze.y", "silver.l")
COLUMNS: dict[str, str | None] = {"k": "int", "a": "int", "b": "int", "arr": "array<int>", "ts": "timestamp"}


def study(text: str) -> Analysis:
    return analyse(parse(text, file=Path("t.sql"), table="silver.t"), dict.fromkeys(TABLES, COLUMNS))


LINEAR = [
    "SELECT k, a + 1 AS c FROM bronze.x WHERE b > 1 ORDER BY k",
    "SELECT x.k, l.a FROM bronze.x LEFT JOIN silver.l ON x.k = l.k",
    "SELECT x.k, l.a FROM silver.l RIGHT JOIN bronze.x ON x.k = l.k",
    "SELECT x.k, l.a FROM silver.l CROSS JOIN bronze.x",
    "SELECT x.k FROM bronze.x, silver.l WHERE x.k = l.k",
    "SELECT k FROM bronze.x LEFT ANTI JOIN silver.l USING (k)",
    "SELECT k FROM bronze.x WHERE k IN (SELECT max(k) FROM silver.l) AND NOT EXISTS (SELECT 1 FROM bronze.y)",
    "SELECT k, (SELECT count(*) FROM silver.l WHERE l.k = x.k) AS n FROM bronze.x",
    "WITH c AS (SELECT k, sum(a) AS s FROM silver.l GROUP BY k) SELECT x.k, s FROM bronze.x JOIN c USING (k)",
    "WITH c AS (SELECT * FROM bronze.x), d AS (SELECT * FROM c WHERE a > 1) SELECT k FROM d t WHERE t.b > 1",
    "SELECT k FROM bronze.x JOIN (SELECT DISTINCT k FROM silver.l ORDER BY k LIMIT 5) USING (k)",
    "SELECT k, v FROM bronze.x LATERAL VIEW OUTER explode(arr) t AS v",
    "SELECT k, explode(arr) AS v FROM bronze.x",
    "SELECT k, m FROM bronze.x, LATERAL (SELECT max(a) AS m FROM silver.l WHERE l.k = x.k)",
    "SELECT k, aggregate(arr, 0, (acc, v) -> acc + v) AS s FROM bronze.x",
    "SELECT k FROM bronze.x UNION ALL SELECT k FROM bronze.x WHERE a > 1",
    "SELECT k FROM bronze.x UNION ALL SELECT k FROM bronze.y JOIN silver.l USING (k)",
    "SELECT k FROM bronze.x UNION ALL SELECT k FROM bronze.y GROUP BY k HAVING count(*) > 1",
    "SELECT k FROM (SELECT k FROM bronze.x UNION ALL SELECT a FROM bronze.x)",
    "WITH unused AS (SELECT count(*) AS n FROM bronze.x) SELECT k FROM bronze.x",
    "WITH l AS (SELECT k FROM silver.l) SELECT k FROM bronze.x JOIN l USING (k)"
    " UNION ALL SELECT k FROM bronze.y JOIN l USING (k)",
    "SELECT x.k FROM (bronze.x JOIN silver.l ON x.k = l.k)",
    "SELECT x.k, id FROM bronze.x JOIN range(3) ON true",
]


@pytest.mark.parametrize("text", LINEAR)
def test_linear_queries(text: str) -> None:
    assert study(text).linear_in("bronze.x") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT count(*) AS n\nFROM bronze.x", "count on line 1"),
        ("SELECT k,\n  max(a) AS m\nFROM bronze.x\nGROUP BY k", "GROUP BY on line 4"),
        ("SELECT k\nFROM bronze.x\nGROUP\n BY ALL", "GROUP BY"),
        ("SELECT 'x' AS k FROM bronze.x\nHAVING true", "HAVING on line 2"),
        ("SELECT k,\n  row_number() OVER (ORDER BY a) AS n FROM bronze.x", "window function on line 2"),
        (
            "SELECT k,\n sum(a) OVER w AS s FROM bronze.x WINDOW w AS (PARTITION BY k)",
            "window function on line 2",
        ),
        ("SELECT k FROM bronze.x\nORDER BY sum(a) OVER (PARTITION BY k)", "window function on line 2"),
        ("SELECT DISTINCT\n  k FROM bronze.x", "DISTINCT on line 1"),
        ("SELECT k FROM bronze.x\nLIMIT 5", "LIMIT on line 2"),
        ("SELECT k FROM bronze.x\nOFFSET 5", "OFFSET on line 2"),
        ("SELECT k FROM bronze.x\nTABLESAMPLE (5 ROWS)", "TABLESAMPLE on line 1"),
        ("SELECT k FROM bronze.x\nUNION\nSELECT k FROM bronze.x", "UNION on line 2"),
        ("SELECT k FROM bronze.x\nUNION\nSELECT k FROM silver.l", "UNION on line 2"),
        ("SELECT k FROM bronze.x\nINTERSECT SELECT k FROM silver.l", "INTERSECT on line 2"),
        ("SELECT k FROM bronze.x\nEXCEPT ALL SELECT k FROM silver.l", "EXCEPT ALL on line 2"),
        ("SELECT k FROM silver.l MINUS SELECT k FROM bronze.x", "EXCEPT on line 1"),
        ("SELECT a.k FROM bronze.x a\nJOIN bronze.x b ON a.k = b.k", "joined with itself"),
        ("WITH c AS (SELECT * FROM bronze.x)\nSELECT a.k FROM c a, c b", "joined with itself"),
        ("SELECT l.k FROM silver.l\nLEFT JOIN bronze.x ON x.k = l.k", "line 2, is on the nullable side"),
        ("SELECT x.k FROM bronze.x\nRIGHT JOIN silver.l ON x.k = l.k", "line 1, is on the nullable side"),
        ("SELECT x.k FROM bronze.x\nFULL JOIN silver.l ON x.k = l.k", "FULL JOIN"),
        (
            "SELECT l.k FROM silver.l LEFT JOIN (bronze.x JOIN bronze.y ON x.k = y.k) ON l.k = x.k",
            "nullable side",
        ),
        ("SELECT k FROM silver.l\nLEFT SEMI JOIN bronze.x USING (k)", "right side of a SEMI JOIN on line 2"),
        ("SELECT k FROM silver.l ANTI JOIN bronze.x USING (k)", "right side of a ANTI JOIN on line 1"),
        ("SELECT k FROM silver.l WHERE\n EXISTS (SELECT 1 FROM bronze.x)", "subquery on line 2"),
        ("SELECT k FROM bronze.x WHERE k IN\n (SELECT k FROM bronze.x)", "subquery on line 2"),
        ("SELECT k, (SELECT max(k) FROM bronze.x) AS m FROM bronze.x", "subquery on line 1"),
        ("SELECT l.k FROM silver.l JOIN bronze.y ON l.k = (SELECT max(k) FROM bronze.x)", "subquery"),
        (
            "WITH c AS (\n  SELECT k, max(a) AS m FROM bronze.x\n  GROUP BY k)\nSELECT k FROM c",
            "GROUP BY on line 3",
        ),
        ("SELECT k FROM (SELECT k FROM bronze.x\nUNION ALL SELECT k FROM silver.l)", "UNION ALL on line 2"),
        ("SELECT k FROM bronze.x\nUNION ALL SELECT 1", "part of UNION ALL on line 2"),
        ("SELECT k FROM bronze.x\nUNION ALL SELECT count(*) FROM silver.l", "part of UNION ALL on line 2"),
        ("SELECT k FROM bronze.x\nUNION ALL SELECT k FROM VALUES (1) AS v(k)", "part of UNION ALL on line 2"),
        ("SELECT k FROM bronze.x UNION ALL SELECT 1 FROM silver.l HAVING true", "part of UNION ALL"),
        (
            "WITH l AS (SELECT k FROM silver.l) SELECT k FROM bronze.x JOIN l USING (k)\n"
            "UNION ALL SELECT k FROM l",
            "part of UNION ALL on line 2",
        ),
        ("SELECT k FROM bronze.x UNION ALL SELECT k FROM bronze.x\nORDER BY k\nLIMIT 1", "LIMIT on line 3"),
        ("(SELECT k FROM bronze.x) LIMIT 1", "LIMIT"),
        ("SELECT * FROM bronze.x PIVOT (sum(a) FOR k IN (1, 2))", "PIVOT on line 1"),
        ("SELECT my_udf(k) AS u FROM bronze.x", "my_udf on line 1 is not a function of Spark"),
        ("SELECT any(a > 1) AS c FROM bronze.x", "any on line 1"),
        ("FROM bronze.x |> WHERE k > 1", "pipe syntax"),
        ("SELECT window(ts, '1 hour') AS w FROM bronze.x", "window on line 1"),
        ("SELECT k FROM silver.l", "does not read bronze.x"),
        (
            "WITH RECURSIVE r AS (SELECT k FROM bronze.x UNION ALL SELECT k + 1 FROM r WHERE k < 9)"
            " SELECT k FROM r",
            "WITH RECURSIVE",
        ),
        ("SELECT TRANSFORM(k) USING 'cat' AS (k) FROM bronze.x", "TRANSFORM on line 1"),
    ],
)
def test_non_linear_query_is_reported_with_the_line(text: str, reason: str) -> None:
    found = study(text).linear_in("bronze.x")
    assert found is not None
    assert reason in found


def test_each_driver_of_a_union_all_is_linear() -> None:
    analysis = study("SELECT k FROM bronze.x UNION ALL SELECT k FROM bronze.y")
    assert analysis.linear_in("bronze.x") is None
    assert analysis.linear_in("bronze.y") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT k FROM bronze.x WHERE a > 1", True),
        ("WITH c AS (SELECT * FROM bronze.x) SELECT k FROM (SELECT k FROM c WHERE k > 1)", True),
        ("SELECT k FROM bronze.x WHERE k IN (SELECT k FROM silver.l)", True),
        ("SELECT k FROM bronze.x JOIN silver.l USING (k)", False),
        ("SELECT k FROM bronze.x LEFT SEMI JOIN silver.l USING (k)", False),
        ("SELECT explode(arr) AS v FROM bronze.x", False),
        ("SELECT inline(arr) AS (v) FROM bronze.x", False),
        ("SELECT k FROM bronze.x LATERAL VIEW explode(arr) AS v", False),
        ("SELECT k FROM bronze.x UNION ALL SELECT k FROM bronze.x", False),
        ("SELECT DISTINCT k FROM bronze.x", False),
    ],
)
def test_one_to_one(text: str, expected: bool) -> None:
    assert study(text).one_to_one_in("bronze.x") is expected
