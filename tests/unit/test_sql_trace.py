"""Columns traced to the driver's row, and queries recomputable by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.project.sql.statement import Analysis, analyse, parse

COLUMNS: dict[str, str | None] = dict.fromkeys(
    ("k", "a", "b", "ts", "arr", "s", "odd name", "name", "year", "date")
)
SCHEMAS = {"bronze.x": COLUMNS, "bronze.y": COLUMNS, "silver.l": COLUMNS, "bronze.u": None}


def study(text: str) -> Analysis:
    return analyse(parse(text, file=Path("t.sql"), table="gold.t"), SCHEMAS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT K AS c FROM bronze.x", "k"),
        ("SELECT t.k AS c FROM bronze.x t", "k"),
        ("SELECT `odd name` AS c FROM bronze.x", "`odd name`"),
        ("SELECT x.s.f AS c FROM bronze.x", "s.f"),
        ("SELECT 'EWR' AS c FROM bronze.x", "'EWR'"),
        ("SELECT cast(ts AS date) AS c FROM bronze.x", "cast(ts AS date)"),
        ("SELECT date_format(ts, 'y-MM') AS c FROM bronze.x", "date_format(ts, 'y-MM')"),
        ("SELECT a + -- one\n   b AS c FROM bronze.x", "a + b"),
        ("SELECT filter(arr, k -> k > a) AS c FROM bronze.x", "filter(arr, k -> k > a)"),
        ("SELECT a + 1 AS n, n * 2 AS c FROM bronze.x", "(a + 1) * 2"),
        ("SELECT b * 2 AS c, a + 1 AS b FROM bronze.x", "b * 2"),
        (
            "WITH d AS (SELECT a - b AS n FROM bronze.x)"
            " SELECT upper(n) || '!' AS c FROM (SELECT n + 1 AS n FROM d)",
            "upper(((a - b) + 1)) || '!'",
        ),
        ("WITH d(c) AS (SELECT k FROM bronze.x) SELECT * FROM d", "k"),
        ("SELECT t.c FROM bronze.x AS t(c, d, e, f, g, h, i, j, l, m)", "k"),
        ("SELECT to_date(ts) AS c, count(*) AS n FROM bronze.x GROUP BY to_date(ts)", "to_date(ts)"),
        ("SELECT x.a AS c FROM bronze.x LEFT JOIN silver.l USING (k)", "a"),
        ("SELECT k AS c FROM bronze.x LEFT JOIN silver.l USING (k)", "k"),
        ("SELECT DISTINCT k AS c FROM bronze.x", "k"),
        ("SELECT k AS c FROM bronze.x UNION ALL SELECT k FROM bronze.x WHERE a > 1", "k"),
        ("SELECT k AS c FROM bronze.x UNION ALL SELECT a FROM bronze.y", "k"),
        ("SELECT k AS c FROM bronze.x UNION ALL SELECT a FROM bronze.x", None),
        ("SELECT l.a AS c FROM bronze.x JOIN silver.l USING (k)", None),
        ("SELECT x.a + l.a AS c FROM bronze.x JOIN silver.l USING (k)", None),
        ("SELECT x.a AS c FROM silver.l LEFT JOIN bronze.x USING (k)", None),
        ("SELECT k AS c FROM bronze.x FULL JOIN silver.l USING (k)", None),
        ("SELECT max(a) AS c FROM bronze.x", None),
        ("SELECT any_value(a, true) AS c FROM bronze.x", None),
        ("SELECT row_number() OVER (ORDER BY a) AS c FROM bronze.x", None),
        ("SELECT k AS c, sum(a) AS n FROM bronze.x GROUP BY k WITH ROLLUP", None),
        ("SELECT k AS c, sum(a) AS n FROM bronze.x GROUP BY GROUPING SETS ((k), ())", None),
        ("SELECT explode(arr) AS c FROM bronze.x", None),
        ("SELECT v AS c FROM bronze.x LATERAL VIEW explode(arr) t AS v", None),
        ("SELECT (SELECT max(k) FROM silver.l) AS c FROM bronze.x", None),
        ("SELECT rand() AS c FROM bronze.x", None),
        ("SELECT unix_timestamp() AS c FROM bronze.x", None),
        ("SELECT my_udf(k) AS c FROM bronze.x", None),
        ("SELECT k AS c FROM silver.l", None),
        ("SELECT 1 AS c FROM silver.l", None),
        ("SELECT k AS c, a AS C FROM bronze.x", None),
        ("SELECT k AS other FROM bronze.x", None),
    ],
)
def test_traced(text: str, expected: str | None) -> None:
    assert study(text).traced("bronze.x", "c") == expected


def test_upstream_with_unknown_columns_is_traced() -> None:
    analysis = study("WITH d AS (SELECT * FROM bronze.u) SELECT k, date(ts) AS day FROM d")
    assert analysis.traced("bronze.u", "k") == "k"
    assert analysis.traced("bronze.u", "day") == "date(ts)"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT k, a FROM bronze.x",
        "SELECT k, sum(a) AS n FROM bronze.x GROUP BY k",
        "SELECT k, b, sum(a) AS n FROM bronze.x GROUP BY ALL",
        "SELECT a % 2 AS k, sum(a) AS n FROM bronze.x GROUP BY 1",
        "SELECT a % 2 AS k, sum(b) AS n FROM bronze.x GROUP BY a % 2 HAVING n > 1",
        "SELECT k, sum(a) OVER (PARTITION BY b, k ORDER BY ts) AS n FROM bronze.x",
        "SELECT k, sum(a) OVER w AS n FROM bronze.x WINDOW w AS (PARTITION BY k)",
        "SELECT DISTINCT k, a FROM bronze.x",
        "SELECT k, n FROM (SELECT k, count(*) AS n FROM bronze.x GROUP BY k) JOIN silver.l USING (k)",
        "SELECT x.k, n FROM bronze.x LEFT JOIN (SELECT k, max(a) AS n FROM silver.l GROUP BY k) USING (k)",
        "SELECT p.k, q.a FROM bronze.x p JOIN bronze.x q ON p.k = q.k AND p.a < q.a",
        "SELECT p.k, q.a FROM bronze.x p LEFT JOIN bronze.x q ON q.k = p.k AND p.a < q.a",
        "SELECT p.k, q.a FROM bronze.x p, bronze.x q WHERE q.k = p.k",
        "SELECT k, p.a FROM bronze.x p LEFT ANTI JOIN bronze.x q USING (k)",
        "WITH t AS (SELECT k, sum(a) AS n FROM bronze.x GROUP BY k) SELECT k FROM bronze.x JOIN t USING (k)",
        "SELECT k FROM bronze.x UNION SELECT k FROM bronze.x WHERE a > 1",
        "SELECT k, a FROM bronze.x EXCEPT SELECT k, b FROM bronze.x",
        "SELECT k FROM bronze.x o WHERE EXISTS (SELECT 1 FROM bronze.x i WHERE i.k = o.k AND i.a > o.a)",
        "SELECT k, (SELECT max(i.a) FROM bronze.x i WHERE i.k = o.k) AS m FROM bronze.x o",
        "SELECT k, v FROM bronze.x LATERAL VIEW explode(arr) t AS v",
    ],
)
def test_recomputable(text: str) -> None:
    assert study(text).recomputable_by("bronze.x", ["k"]) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT max(k) AS k FROM bronze.x", "`k` cannot be traced"),
        ("SELECT l.k FROM bronze.x JOIN silver.l ON x.a = l.a", "`k` cannot be traced"),
        (
            "SELECT a % 2 AS k, n FROM (SELECT a, count(*) AS n\nFROM bronze.x\nGROUP BY a)",
            "GROUP BY on line 3",
        ),
        ("SELECT 1 AS k, count(*) AS n FROM bronze.x", "aggregate on line 1 has no GROUP BY"),
        ("SELECT k,\n sum(a) OVER (PARTITION BY b) AS n FROM bronze.x", "line 2 is not partitioned by `k`"),
        ("SELECT k, sum(a) OVER () AS n FROM bronze.x", "is not partitioned by `k`"),
        ("SELECT k, lag(a) OVER w AS n FROM bronze.x WINDOW w AS (ORDER BY k)", "is not partitioned by `k`"),
        ("SELECT k FROM bronze.x\nLIMIT 3", "LIMIT on line 2"),
        ("SELECT p.k FROM bronze.x p\nJOIN bronze.x q ON p.a = q.a", "itself on line 2 is not on equal `k`"),
        ("SELECT p.k FROM bronze.x p JOIN bronze.x q ON p.k = q.k OR p.a = q.a", "not on equal `k`"),
        ("SELECT p.k FROM bronze.x p JOIN bronze.x q ON p.k = q.a", "not on equal `k`"),
        ("SELECT p.k FROM bronze.x p LEFT JOIN bronze.x q ON p.a = q.a WHERE p.k = q.k", "not on equal `k`"),
        ("SELECT p.k FROM bronze.x p FULL JOIN bronze.x q ON p.k = q.k", "cannot be traced"),
        ("SELECT q.k FROM bronze.x p RIGHT JOIN bronze.x q ON p.k = q.k", "nullable side"),
        (
            "SELECT x.k FROM bronze.x JOIN (SELECT a FROM bronze.x GROUP BY a) t ON x.a = t.a",
            "not on equal `k`",
        ),
        ("SELECT k FROM bronze.x WHERE a > (SELECT avg(a)\nFROM bronze.x)", "subquery on line 1"),
        ("SELECT k FROM bronze.x WHERE a IN (SELECT a FROM bronze.x)", "subquery on line 1"),
        ("SELECT k FROM bronze.x o WHERE EXISTS (SELECT 1 FROM bronze.x i WHERE i.a = o.a)", "subquery"),
        ("SELECT k FROM bronze.x WHERE k NOT IN (SELECT k FROM bronze.x WHERE a > 1)", "subquery"),
        ("SELECT k FROM bronze.x UNION ALL SELECT k FROM silver.l", "does not read bronze.x"),
        ("SELECT k, a FROM bronze.x UNION SELECT a, k FROM bronze.x", "cannot be traced"),
        (
            "SELECT k FROM bronze.x JOIN (SELECT a FROM bronze.x UNION SELECT 1 FROM bronze.x) q USING (a)",
            "not on equal `k`",
        ),
        ("SELECT k FROM bronze.x TABLESAMPLE (10 PERCENT)", "cannot be traced"),
        ("SELECT my_agg(a) AS m, k FROM bronze.x", "my_agg on line 1 is not a function of Spark"),
        ("SELECT k, count(*) AS n FROM bronze.x GROUP BY CUBE (k)", "cannot be traced"),
        ("SELECT k FROM silver.l", "does not read bronze.x"),
    ],
)
def test_not_recomputable(text: str, reason: str) -> None:
    found = study(text).recomputable_by("bronze.x", ["k"])
    assert found is not None
    assert reason in found


def test_every_by_column_is_checked() -> None:
    analysis = study("SELECT k, date(ts) AS day, sum(a) AS n FROM bronze.x GROUP BY k, date(ts)")
    assert analysis.recomputable_by("bronze.x", ["k", "day"]) is None
    assert analysis.recomputable_by("bronze.x", ["DAY"]) is None
    joined = study("SELECT p.k, p.a, q.b FROM bronze.x p JOIN bronze.x q ON p.k = q.k")
    assert "equal `a`" in str(joined.recomputable_by("bronze.x", ["k", "a"]))
