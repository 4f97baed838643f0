"""Columns of a query: names, lineage, unknown or ambiguous columns, non-deterministic functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.errors import DeclarationError
from goldsmith.project.sql.functions import AGGREGATES, GENERATORS, NON_DETERMINISTIC, SCALARS
from goldsmith.project.sql.statement import Analysis, analyse, parse

SCHEMAS: dict[str, dict[str, str | None] | None] = {
    "bronze.x": {
        "k": "int",
        "a": "int",
        "b": "int",
        "arr": "array<int>",
        "s": "struct<f:int,g:struct<h:int>>",
        "m": "map<string,int>",
        "ts": "timestamp",
        "d": "date",
        "name": "string",
        "js": None,
    },
    "silver.y": {"k": "int", "a": "int", "w": "string"},
    "silver.x": {"k": "int", "z": "int"},
    "bronze.z": {
        "k": "int",
        "a": "int",
        "b": "int",
        "user": "string",
        "current_date": "date",
        "select": "int",
    },
    "gold.p": {"k": "int", "q": "int", "v": "double"},
    "bronze.u": None,
}


def study(text: str) -> Analysis:
    return analyse(parse(text, file=Path("t.sql"), table="silver.t"), SCHEMAS)


def problems(text: str) -> list[tuple[str, int | None, int | None]]:
    return [(error.code, error.where.line, error.where.column) for error in study(text).problems]


VALID = [
    "SELECT k, a+1 AS b, b*2 AS c FROM bronze.x",
    "SELECT k+1 AS n, n*2 AS c, c+n AS e FROM bronze.x",
    (
        "SELECT x.k, bronze.x.a, y.w, x.s.f, s.g.h, bronze.x.s.g.h AS hh, bronze.x.s.f AS ff FROM bronze.x "
        "LEFT JOIN silver.y ON x.k = y.k"
    ),
    "SELECT bronze.x.k, silver.x.z FROM bronze.x JOIN silver.x ON bronze.x.k = silver.x.k",
    "SELECT bronze.x.k FROM bronze.x WHERE EXISTS (SELECT 1 FROM silver.x WHERE silver.x.k = bronze.x.k)",
    "SELECT `k`, `a` AS `odd name` FROM `bronze`.`x`",
    "SELECT K, Bronze.X.A FROM BRONZE.X",
    (
        "SELECT filter(arr, e -> e > k) AS f, transform(arr, (p, i) -> p + i + a) AS g, aggregate(arr, 0, "
        "(acc, v) -> acc + v, acc -> acc * a) AS h, exists(arr, q -> q > 1) AS i, map_filter(m, (kk, vv) "
        "-> vv > a) AS j FROM bronze.x"
    ),
    "SELECT transform(arr, o -> size(filter(arr, i -> i > o + k))) AS n FROM bronze.x",
    "SELECT k, v FROM bronze.x LATERAL VIEW explode(arr) t AS v",
    (
        "SELECT k, t.v, p, q FROM bronze.x LATERAL VIEW OUTER explode(arr) t AS v LATERAL VIEW "
        "posexplode(arr) u AS p, q"
    ),
    "SELECT k, explode(arr) AS v FROM bronze.x",
    "SELECT k, posexplode(arr) AS (p, v) FROM bronze.x",
    "SELECT k, explode(m) AS (mk, mv) FROM bronze.x",
    "SELECT k, e FROM bronze.x, LATERAL explode(arr) AS t(e)",
    "SELECT x.k, q.mm FROM bronze.x, LATERAL (SELECT max(y.a) AS mm FROM silver.y WHERE y.k = x.k) q",
    "SELECT k, n FROM (SELECT k, count(*) AS n FROM bronze.x GROUP BY k) WHERE n > 1",
    "SELECT k, count(*) AS n FROM bronze.x GROUP BY ALL",
    "SELECT date(ts) AS day, count(*) AS n FROM bronze.x GROUP BY day HAVING n > 0 ORDER BY day, count(*)",
    "SELECT date(ts) AS day, count(*) AS n FROM bronze.x GROUP BY 1",
    "SELECT k AS kk, a, sum(b) AS s FROM bronze.x GROUP BY kk, a WITH ROLLUP",
    "SELECT k, a, sum(b) AS s FROM bronze.x GROUP BY GROUPING SETS ((k), (k, a), ())",
    "SELECT k, a, grouping(a) AS g, sum(b) AS s FROM bronze.x GROUP BY CUBE (k, a)",
    (
        "SELECT k, sum(a) OVER w AS s, rank() OVER (w2) AS r FROM bronze.x WINDOW w AS (PARTITION BY k "
        "ORDER BY b), w2 AS (PARTITION BY a ORDER BY b)"
    ),
    "SELECT * EXCEPT (arr, s, m) FROM bronze.x",
    "SELECT x.* EXCEPT (k), y.k FROM bronze.x JOIN silver.y ON x.k = y.k",
    "SELECT y.*, x.b FROM bronze.x x JOIN silver.y y USING (k)",
    "SELECT * FROM silver.y JOIN gold.p USING (k)",
    "SELECT * FROM silver.y NATURAL JOIN gold.p",
    "SELECT k, w, q FROM silver.y FULL JOIN gold.p USING (k)",
    "SELECT k, w, q FROM silver.y RIGHT JOIN gold.p USING (k)",
    "SELECT * FROM silver.y LEFT SEMI JOIN gold.p USING (k)",
    "SELECT k, w FROM silver.y LEFT ANTI JOIN gold.p ON y.k = p.k AND q > 1",
    "SELECT k, w FROM silver.y LEFT SEMI JOIN gold.p ON y.k = p.k JOIN (SELECT z FROM silver.x) ON k = z",
    (
        "WITH c AS (SELECT k, date(ts) AS day FROM bronze.x), d AS (SELECT day, count(*) AS n FROM c GROUP "
        "BY day) SELECT c.k, d.n FROM c JOIN d ON c.day = d.day"
    ),
    "WITH c(p, q) AS (SELECT k, a FROM bronze.x) SELECT p, q FROM c",
    "WITH x AS (SELECT k, a FROM bronze.x) SELECT x.k, x.a FROM x",
    (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT r.n, y.w "
        "FROM r JOIN silver.y ON y.k = r.n"
    ),
    "SELECT k FROM bronze.x UNION ALL SELECT a FROM silver.y ORDER BY k",
    "SELECT k, a FROM silver.y UNION BY NAME SELECT a, k FROM bronze.z",
    (
        "(SELECT k FROM bronze.x) UNION (SELECT k FROM silver.y) EXCEPT SELECT k FROM bronze.z INTERSECT "
        "SELECT k FROM gold.p"
    ),
    (
        "SELECT k, (SELECT max(a) FROM silver.y WHERE y.k = x.k) AS m2 FROM bronze.x WHERE a IN (SELECT a "
        "FROM silver.y) AND k NOT IN (SELECT k FROM gold.p WHERE q = b)"
    ),
    "SELECT user, current_date, `select` FROM bronze.z",
    (
        "SELECT CASE WHEN a > 1 THEN 'x' ELSE name END AS c, cast(k AS string), try_cast(name AS int), "
        "a::double, -a AS na, NOT (a > 1) AS nn FROM bronze.x"
    ),
    (
        "SELECT date_add(DAY, 1, ts) AS a1, dateadd(HOUR, 1, ts) AS a2, datediff(MONTH, ts, ts) AS a3, "
        "timestampadd(MINUTE, a, ts) AS a4, timestampdiff(day, ts, ts) AS a5, date_diff(d, d) AS a6, "
        "extract(YEAR FROM d) AS a7, date_part('month', d) AS a8, trunc(d, 'MM') AS a9, date_trunc('hour', "
        "ts) AS b1, d + INTERVAL 1 DAY AS b2, d + INTERVAL '1-2' YEAR TO MONTH AS b3, "
        "make_interval(0,0,0,a) AS b4 FROM bronze.x"
    ),
    (
        "SELECT position('a' IN name) AS p, substring(name FROM 2 FOR 1) AS s1, trim(BOTH 'x' FROM name) "
        "AS t, overlay(name PLACING 'z' FROM 1) AS o, name LIKE '%a' AS l, name RLIKE 'a+' AS r, name "
        "ILIKE ANY ('a', 'b') AS ia FROM bronze.x"
    ),
    (
        "SELECT struct(k AS u, a) AS st, named_struct('p', k, 'q', a).p AS p, map('x', k)['x'] AS mm, "
        "array(k, a)[0] AS ar, m['z'] AS mz, arr[k] AS ak FROM bronze.x"
    ),
    (
        "SELECT from_json(js, 'a INT, b STRING').a AS ja, get_json_object(js, '$.a') AS jb, json_tuple(js, "
        "'a', 'b') AS (jc, jd) FROM bronze.x"
    ),
    (
        "SELECT make_date(year(d), month(d), 1) AS first, unix_timestamp(ts) AS u, to_date(name, "
        "'yyyy-MM-dd') AS td, date_format(ts, 'yyyy') AS df, hash(k) AS h, xxhash64(k, a) AS x6 FROM "
        "bronze.x"
    ),
    (
        "SELECT count(*) FILTER (WHERE a > 1) AS c, max_by(a, b) AS mb, first(b) IGNORE NULLS AS fb, "
        "listagg(name, ',') WITHIN GROUP (ORDER BY name) AS l, percentile_approx(a, 0.5) AS pa, "
        "count(DISTINCT k) AS cd, any_value(a) AS av, percentile_cont(0.5) WITHIN GROUP (ORDER BY a) AS pc "
        "FROM bronze.x"
    ),
    "SELECT k FROM (bronze.x JOIN silver.y USING (k))",
    "SELECT x.k, p.q FROM bronze.x LEFT JOIN (silver.y JOIN gold.p ON y.k = p.k) ON x.k = p.k AND x.a = y.a",
    "SELECT t.u, v.c FROM VALUES (1, 2), (3, 4) AS t(u, w) JOIN (VALUES (5)) AS v(c)",
    "SELECT id, y.k FROM range(3) JOIN silver.y ON id = k",
    "SELECT col1 FROM (VALUES (1), (2))",
    "SELECT /*+ BROADCAST(y) */ x.k FROM bronze.x JOIN silver.y ON x.k = y.k",
    "SELECT k, a FROM bronze.x DISTRIBUTE BY k SORT BY a",
    "SELECT DISTINCT k, a FROM bronze.x LIMIT 5",
    "FROM bronze.x SELECT k, a",
    "SELECT t.kk, t.aa FROM silver.y AS t(kk, aa, ww)",
    "SELECT a.k FROM bronze.x a, bronze.x b WHERE a.k = b.a",
    "SELECT s.* FROM bronze.x",
    "SELECT * FROM (SELECT k, a FROM silver.y) PIVOT (sum(a) FOR k IN (1, 2))",
    "SELECT k, n FROM (SELECT k, 1 AS n FROM silver.y ORDER BY a LIMIT 3) t ORDER BY n",
    "SELECT sum(a) AS total, max(b) AS b FROM bronze.x HAVING sum(a) > 1",
    "SELECT k, row_number() OVER (PARTITION BY k ORDER BY sum(a) DESC) AS rn FROM bronze.x GROUP BY k",
    (
        "SELECT if(a > 1, 1, 2) AS i, nvl(a, b) AS n, coalesce(a, b, k) AS c, nullif(a, b) AS nf, a <=> b "
        "AS ns, a BETWEEN b AND k AS bt, a IN (1, 2) AS inn, a IS NOT DISTINCT FROM b AS nd, a DIV 2 AS "
        "dv, a % 2 AS md, a & 1 AS an, ~a AS inv, name || 'x' AS cc FROM bronze.x"
    ),
    "SELECT k, a FROM bronze.x WHERE k = (SELECT max(k) FROM silver.y)",
    (
        "SELECT 1 AS one, 'x' AS two, NULL AS three, TRUE AS four, DATE '2020-01-01' AS five, TIMESTAMP "
        "'2020-01-01 00:00:00' AS six, 1.5BD AS seven, 10L AS eight, X'1F' AS nine"
    ),
    "SELECT k AS `a.b`, `a.b` + 1 AS c FROM bronze.x",
    "SELECT k, inline(array(struct(1 AS i, 2 AS j))) AS (i, j), i + j AS ij FROM bronze.x",
    "SELECT window(ts, '1 hour').start AS st, count(*) AS n FROM bronze.x GROUP BY window(ts, '1 hour')",
    "SELECT x.k FROM bronze.x CROSS JOIN silver.y WHERE x.k = y.k AND w = 'a'",
    "SELECT k, count(1) AS c FROM bronze.x GROUP BY k HAVING max(a) > 1 AND k > 0",
    "SELECT a AS k, k AS a FROM silver.y ORDER BY k",
    "SELECT k, stack(2, a, b) AS v FROM bronze.x",
    "SELECT typeof(k) AS ty FROM bronze.x",
    "SELECT k FROM bronze.x WHERE (k, a) IN (SELECT k, a FROM silver.y)",
    "SELECT k FROM silver.y UNION ALL (SELECT k FROM bronze.x ORDER BY a LIMIT 1)",
    "SELECT (SELECT k) AS kk FROM bronze.x",
    "SELECT string(a), date(ts), (k), int(name) FROM bronze.x",
    "SELECT arr[0], m.z, s.f, m['q'] FROM bronze.x",
    "SELECT k FROM bronze.x |> WHERE k > 1",
    "SELECT k, kk FROM (SELECT k, explode(arr) AS kk FROM bronze.x) t",
    "SELECT collect_list(struct(k, a)) AS l, array_sort(collect_set(a), (p, q) -> p - q) AS r FROM bronze.x",
    "SELECT l.k, r.k AS rk FROM silver.y l ANTI JOIN gold.p r0 ON l.k = r0.k LEFT JOIN gold.p r ON l.a = r.q",
    "SELECT * FROM silver.y y1 JOIN LATERAL (SELECT q FROM gold.p WHERE p.k = y1.k) ON true",
    "SELECT count(*) AS n, k % 2 AS odd FROM bronze.x GROUP BY k % 2",
    "SELECT named.k FROM (SELECT k FROM bronze.x) AS named",
    "SELECT t.k FROM silver.y t LEFT JOIN silver.x u ON t.k = u.k AND u.z > (SELECT avg(q) FROM gold.p)",
    "SELECT x.*, row_number() OVER (PARTITION BY k ORDER BY a) rn FROM bronze.x x",
    "SELECT k, sum(x.a) total FROM bronze.x GROUP BY x.k",
    "SELECT to_timestamp(name) ts2, ts2 + INTERVAL 5 MINUTES AS later FROM bronze.x",
]
"""SQL that Spark 4.1 accepts over these schemas."""


@pytest.mark.parametrize("text", VALID)
def test_valid_sql_has_no_problems(text: str) -> None:
    assert [error for error in study(text).problems if error.code != "GS207"] == []


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("SELECT kk FROM bronze.x", 8),
        ("SELECT x.kk FROM bronze.x", 10),
        ("SELECT y.k FROM bronze.x", 8),
        ("SELECT k FROM bronze.x JOIN silver.y ON x.k = y.k", 8),
        ("SELECT k FROM bronze.x WHERE nope > 1", 30),
        ("SELECT k, a+1 AS c FROM bronze.x WHERE c > 1", 40),
        ("SELECT k FROM bronze.x GROUP BY kx", 33),
        ("SELECT k FROM bronze.x ORDER BY kx", 33),
        ("SELECT count(*) AS n FROM bronze.x HAVING kx > 1", 43),
        ("WITH c AS (SELECT k FROM bronze.x) SELECT a FROM c", 43),
        ("SELECT t.a FROM (SELECT k FROM bronze.x) t", 10),
        ("SELECT k FROM bronze.x x2 JOIN silver.y ON x.k = y.k", 8),
        ("SELECT * EXCEPT (nope) FROM bronze.x", 18),
        ("SELECT silver.y.w FROM silver.y AS t", 8),
        ("SELECT sum(nope) OVER (PARTITION BY k) AS s FROM bronze.x", 12),
        ("SELECT transform(arr, e -> e + nope) AS s FROM bronze.x", 32),
        ("SELECT w FROM silver.y LEFT SEMI JOIN gold.p ON y.k = p.k WHERE q > 1", 65),
        ("SELECT k FROM silver.y WHERE EXISTS (SELECT 1 FROM gold.p WHERE p.k = y.nope)", 73),
        ("SELECT v FROM bronze.x LATERAL VIEW explode(nope) t AS v", 45),
        ("SELECT k FROM bronze.x UNION ALL SELECT nope FROM silver.y", 41),
    ],
)
def test_unknown_or_ambiguous_column_is_reported_with_its_location(text: str, column: int) -> None:
    assert problems(text)[0] == ("GS203", 1, column)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("SELECT nam FROM bronze.x", "There is no column `nam` in bronze.x", "Did you mean `name`?"),
        ("SELECT y.ww FROM silver.y", "There is no column `ww` in silver.y", "Did you mean `w`?"),
        ("SELECT t.ww FROM silver.y t", "There is no column `ww` in silver.y (t)", "Did you mean `w`?"),
        ("SELECT qq FROM silver.y", "There is no column `qq` in silver.y", "Known: a, k, w."),
        (
            "SELECT k FROM bronze.x JOIN silver.y ON x.k = y.k",
            "`k` is ambiguous: bronze.x, silver.y have it",
            "Qualify it, as in `x.k`.",
        ),
        (
            "SELECT a + 1 AS c FROM silver.y WHERE c > 1",
            "There is no column `c` in silver.y",
            "Repeat its expression: `c` is an alias of this SELECT, and WHERE cannot use it.",
        ),
        (
            "SELECT k FROM silver.yy",
            "There is no table `silver.yy` in the project",
            "Did you mean `silver.y`?",
        ),
    ],
)
def test_messages_and_hints(text: str, message: str, hint: str) -> None:
    problem = study(text).problems[0]
    assert (problem.message, problem.hint) == (message, hint)


def test_problems_are_reported_in_the_order_of_the_text() -> None:
    text = """SELECT kk,
  uuid() AS u
FROM bronze.x
WHERE a IN (SELECT k FROM
     silver.nowhere)"""
    assert problems(text) == [("GS203", 1, 8), ("GS205", 2, 3), ("GS202", 5, 6)]


def test_missing_table_causes_no_second_problem() -> None:
    assert problems("SELECT n.k, other FROM silver.nowhere n") == [("GS202", 1, 24)]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("rand()", "rand"),
        ("rand(42)", "rand"),
        ("randn()", "randn"),
        ("UUID()", "uuid"),
        ("now()", "now"),
        ("current_timestamp()", "current_timestamp"),
        ("current_timestamp", "current_timestamp"),
        ("current_date", "current_date"),
        ("curdate()", "curdate"),
        ("localtimestamp()", "localtimestamp"),
        ("shuffle(arr)", "shuffle"),
        ("monotonically_increasing_id()", "monotonically_increasing_id"),
        ("input_file_name()", "input_file_name"),
        ("spark_partition_id()", "spark_partition_id"),
        ("unix_timestamp()", "unix_timestamp"),
        ("unix_timestamp( )", "unix_timestamp"),
        ("TIMESTAMP 'now'", "TIMESTAMP 'now'"),
        ("DATE 'Today'", "DATE 'Today'"),
        ("coalesce(d, current_date)", "current_date"),
        ("transform(arr, e -> e + rand())", "rand"),
        ("user", "user"),
        ("unix_timestamp( /* now */ )", "unix_timestamp"),
        ("unix_timestamp /* of */ ( -- now\n)", "unix_timestamp"),
        ("aes_encrypt(name, '0000111122223333')", "aes_encrypt"),
        ("aes_encrypt(name, '0000111122223333', 'CBC', 'DEFAULT', '')", "aes_encrypt"),
        ("aes_encrypt(name, '0000111122223333', name)", "aes_encrypt"),
        ("DATE 'today UTC'", "DATE 'today UTC'"),
        ("TIMESTAMP 'tomorrow Europe/Berlin'", "TIMESTAMP 'tomorrow Europe/Berlin'"),
        ("timestamp_ntz 'today+01:00'", "timestamp_ntz 'today+01:00'"),
        ("current_timezone()", "current_timezone"),
        ("current_database()", "current_database"),
        ("version()", "version"),
        ("kll_sketch_agg_double(a)", "kll_sketch_agg_double"),
    ],
)
def test_non_deterministic_function_is_reported(call: str, name: str) -> None:
    (problem,) = study(f"SELECT k,\n  {call} AS c FROM bronze.x").problems
    assert (problem.code, problem.where.line) == ("GS205", 2)
    assert problem.message == f"`{name}` gives a different value in each run"


def test_every_non_deterministic_function_is_reported() -> None:
    for name in NON_DETERMINISTIC:
        assert [code for code, _, _ in problems(f"SELECT {name}(k) AS c FROM bronze.x")] == ["GS205"], name


def test_tablesample_is_reported_as_non_deterministic() -> None:
    assert "GS205" in [code for code, _, _ in problems("SELECT k FROM bronze.x TABLESAMPLE (10 PERCENT)")]


@pytest.mark.parametrize(
    "expression",
    [
        "CAST('today' AS date)",
        "CAST(' Now ' AS timestamp)",
        "try_cast('today' AS timestamp_ntz)",
        "'today'::date",
        'CAST("today" AS date)',
        "CAST(r'today' AS date)",
        "CAST('tod\\u0061y' AS date)",
        "CAST(concat('to', 'day') AS date)",
        "CAST('to' || 'day' AS date)",
        "CAST('to' 'day' AS date)",
        "CAST(CAST('today' AS string) AS date)",
        "date('yesterday')",
        "to_date('now')",
        "to_timestamp('now')",
        "try_to_date('today')",
        "d > 'today'",
        "d BETWEEN '2013-01-01' AND 'today'",
        "d IN ('2013-01-01', 'today')",
        "coalesce(d, 'today')",
        "if(a = 1, d, 'today')",
        "CASE WHEN a = 1 THEN d ELSE 'today' END",
        "CASE d WHEN 'today' THEN 1 END",
        "nvl2(a, d, 'today')",
        "d - 'today'",
        "date_add('today', 1)",
        "datediff(d, 'tomorrow')",
        "date_trunc('DAY', 'now')",
        "js = 'today'",
    ],
)
def test_text_read_as_the_current_time_is_reported(expression: str) -> None:
    (problem,) = study(f"SELECT k,\n  {expression} AS c FROM bronze.x").problems
    assert (problem.code, problem.where.line) == ("GS205", 2), problem


@pytest.mark.parametrize(
    "expression",
    [
        "'today'",
        "name = 'today'",
        "name IN ('now', 'later')",
        "CASE WHEN a = 1 THEN 'now' ELSE 'later' END",
        "CASE WHEN a = 1 THEN 'now' ELSE 'later' END = name",
        "CASE name WHEN 'now' THEN 1 ELSE 0 END",
        "coalesce(name, 'today')",
        "concat(name, 'today')",
        "name LIKE 'now'",
        "upper(js) = 'NOW'",
        "CAST(js AS string) = 'today'",
        "name = 'nowhere'",
        "d > '2013-01-01'",
        "array('now', 'later')",
        "nvl2(a, 'now', 'later')",
        "nvl(name, 'now')",
        "greatest(name, 'now')",
        "element_at(m, 'now')",
        "m['now']",
        "array_contains(array(name), 'now')",
        "aes_encrypt(name, '0000111122223333', 'ECB')",
        "aes_encrypt(name, '0000111122223333', 'GCM', 'DEFAULT', to_binary(name))",
    ],
)
def test_text_compared_as_text_is_valid(expression: str) -> None:
    assert problems(f"SELECT k, {expression} AS c FROM bronze.x") == []
    assert (
        problems(f"SELECT k FROM (SELECT k, {expression} AS c, name AS n FROM bronze.x) WHERE n = 'now'")
        == []
    )


def test_constant_time_is_deterministic() -> None:
    assert (
        problems(
            "SELECT DATE '2013-01-01' AS d, unix_timestamp(ts) AS u, to_date('epoch') AS n FROM bronze.x"
        )
        == []
    )


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT * FROM silver.y", ("k", "a", "w")),
        ("SELECT * EXCEPT (a), 1 AS one FROM silver.y", ("k", "w", "one")),
        ("SELECT y.*, q FROM silver.y JOIN gold.p ON y.k = p.k", ("k", "a", "w", "q")),
        ("SELECT * FROM silver.y JOIN gold.p USING (k)", ("k", "a", "w", "q", "v")),
        ("SELECT * FROM gold.p RIGHT JOIN silver.y USING (k)", ("k", "q", "v", "a", "w")),
        ("SELECT * FROM silver.y LEFT SEMI JOIN gold.p ON y.k = p.k", ("k", "a", "w")),
        (
            "SELECT a AS A1, s.g.h, cast(k AS string), explode(m) AS (mk, mv) FROM bronze.x",
            ("A1", "h", "k", "mk", "mv"),
        ),
        ("WITH c(p, q) AS (SELECT k, a FROM silver.y) SELECT q, * FROM c", ("q", "p", "q")),
        ("SELECT k FROM silver.y UNION ALL SELECT q FROM gold.p", ("k",)),
        ("SELECT k, a FROM silver.y UNION BY NAME SELECT k, q FROM gold.p", ("k", "a", "q")),
        ("SELECT k2 FROM (SELECT *, k AS k2 FROM bronze.u)", ("k2",)),
        ("SELECT * FROM bronze.u", None),
        ("SELECT *, 1 AS one FROM bronze.u JOIN silver.y ON true", None),
        ("SELECT * FROM silver.y PIVOT (sum(a) FOR k IN (1, 2))", None),
        ("SELECT s.* FROM bronze.x", None),
    ],
)
def test_output_columns(text: str, columns: tuple[str, ...] | None) -> None:
    assert study(text).columns == columns


def test_unnamed_or_duplicate_column_is_reported() -> None:
    assert problems("SELECT k,\n  a + 1 FROM silver.y") == [("GS203", 2, 3)]
    assert problems("SELECT k, a AS K FROM silver.y") == [("GS203", 1, 11)]
    assert problems("SELECT * FROM silver.y y JOIN gold.p p ON y.k = p.k") == [("GS203", 1, 8)]


def test_upstream_with_unknown_columns_is_not_checked() -> None:
    assert problems("SELECT anything, u.other.field FROM bronze.u WHERE more > 1 GROUP BY ALL") == []
    assert problems("SELECT k, anything FROM bronze.u JOIN silver.y ON u.x = y.k") == []
    assert problems("SELECT z.anything, k.f FROM bronze.u JOIN silver.y ON u.x = y.k") == []


def test_lineage() -> None:
    lineage = study(
        """WITH c AS (SELECT k, a + b AS ab, 'x' AS fixed FROM bronze.x)
        SELECT c.k AS id, sum(ab) AS total, ab * 2 AS twice, twice + 1 AS more, fixed, y.w,
          (SELECT max(q) FROM gold.p WHERE p.k = c.k) AS top
        FROM c LEFT JOIN silver.y ON y.k = c.k GROUP BY ALL"""
    ).lineage
    ab = {("bronze.x", "a"), ("bronze.x", "b")}
    assert {name: set(found) for name, found in lineage.items()} == {
        "id": {("bronze.x", "k")},
        "total": ab,
        "twice": ab,
        "more": ab,
        "fixed": set(),
        "w": {("silver.y", "w")},
        "top": {("gold.p", "q")},
    }


def test_lineage_of_a_union_combines_its_arms() -> None:
    lineage = study("SELECT k, a FROM silver.y UNION ALL SELECT q, k FROM gold.p").lineage
    assert lineage["k"] == {("silver.y", "k"), ("gold.p", "q")}


def test_functions_are_classified_as_aggregates_generators_or_scalars() -> None:
    special = {"and", "or", "not", "in", "like", "ilike", "between", "div", "mod", "case", "when", "rlike"}
    special |= {
        "regexp",
        "interval",
        "cast",
        "try_cast",
        "extract",
        "position",
        "overlay",
        "trim",
        "window_time",
    }
    special |= {
        "window",
        "session_window",
        "timestampadd",
        "timestampdiff",
        "dateadd",
        "struct",
        "named_struct",
    }
    for name in sorted(SCALARS - special):
        for arguments in ("a, b", "a", "", "a, b, k", "name, name"):
            try:
                analysis = study(f"SELECT k, {name}({arguments}) AS c FROM bronze.x")
            except DeclarationError:
                continue
            assert analysis.linear_in("bronze.x") is None, name
            break
    for name in sorted(AGGREGATES):
        reason = study(f"SELECT {name}(a) AS c FROM bronze.x").linear_in("bronze.x")
        assert reason is not None, name
        assert study(f"SELECT {name}(a) AS c FROM bronze.x").traced("bronze.x", "c") is None, name
    for name in sorted(GENERATORS - {"range"}):
        analysis = study(f"SELECT k, {name}(arr) AS c FROM bronze.x")
        assert analysis.linear_in("bronze.x") is None, name
        assert not analysis.one_to_one_in("bronze.x"), name
        assert analysis.traced("bronze.x", "c") is None, name
