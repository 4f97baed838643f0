"""Parsing a table's SQL: errors, upstreams, definition, and the text that a run executes."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.errors import DeclarationError
from goldsmith.project.sql.statement import Query, parse

FILE = Path("pipelines/flights/silver/t.sql")


def read(text: str) -> Query:
    return parse(text, file=FILE, table="silver.t")


def refused(text: str) -> DeclarationError:
    with pytest.raises(DeclarationError) as caught:
        read(text)
    assert caught.value.where.file == FILE
    assert caught.value.where.table == "silver.t"
    return caught.value


@pytest.mark.parametrize(
    ("text", "location", "message"),
    [
        ("", (1, 1), "is empty"),
        ("-- nothing yet\n", (1, 1), "is empty"),
        ("SELECT a,\n  b c d\nFROM bronze.x", (2, 7), "`d`"),
        ("SELECT a\nFROM", (2, 1), "after `FROM`"),
        ("SELECT (a\nFROM bronze.x", (2, 1), "`FROM`"),
        ("SELECT a\nFROM bronze.x\nWHERE b = 'open", (3, 11), "not closed"),
        ("SELECT 1 AS a;\nSELECT 2 AS b", (2, 1), "second statement at `SELECT`"),
        ("INSERT INTO gold.x SELECT 1", (1, 1), "`INSERT`"),
        ("\n  DROP TABLE bronze.x", (2, 3), "`DROP`"),
        ("SELECT a FROM bronze.x VERSION AS OF 3", (1, 15), "version"),
        ("SELECT a FROM spark_catalog.bronze.x", (1, 15), "two parts"),
        ("SELECT a FROM IDENTIFIER('bronze.x')", (1, 15), "IDENTIFIER"),
    ],
)
def test_text_other_than_one_query_is_refused_with_its_location(
    text: str, location: tuple[int, int], message: str
) -> None:
    error = refused(text)
    assert error.code == "GS201"
    assert (error.where.line, error.where.column) == location
    assert message in error.message


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("SELECT a\nFROM planes", (2, 6)),
        ("SELECT a FROM `bronze.x`", (1, 15)),
        ("SELECT a FROM bronze.x WHERE a IN (SELECT b FROM late)\n", (1, 50)),
        ("WITH c AS (SELECT a FROM d), d AS (SELECT 1 AS a) SELECT a FROM c", (1, 26)),
        ("SELECT a FROM (WITH c AS (SELECT 1 AS a) SELECT a FROM c) JOIN c", (1, 64)),
    ],
)
def test_reference_without_a_layer_is_refused(text: str, location: tuple[int, int]) -> None:
    error = refused(text)
    assert error.code == "GS202"
    assert (error.where.line, error.where.column) == location


def test_upstreams_exclude_ctes_and_follow_the_text() -> None:
    query = read(
        """WITH c AS (SELECT * FROM silver.Planes), d AS (SELECT * FROM c)
        SELECT *, (SELECT max(v) FROM gold.g) AS m FROM d JOIN Bronze.X ON true
        WHERE EXISTS (SELECT 1 FROM silver.planes UNION ALL SELECT 1 FROM silver.e)"""
    )
    assert query.upstreams == ("silver.planes", "gold.g", "bronze.x", "silver.e")


def test_hints_and_table_functions_are_no_upstreams() -> None:
    assert read("SELECT /*+ BROADCAST(y) */ 1 AS a FROM range(3)").upstreams == ()


def test_definition_ignores_formatting_comments_and_keyword_case() -> None:
    one = read("SELECT a, count(*) AS n FROM bronze.x WHERE b = 'It''s' GROUP BY a;")
    other = read(
        "/* why */ select\n  a,\n  COUNT(*) as n -- rows\nfrom `bronze`.x where b = 'It''s'\ngroup by a\n"
    )
    assert one.definition == other.definition


@pytest.mark.parametrize(
    "changed",
    [
        "SELECT a, count(*) AS n FROM bronze.x WHERE b = 'it''s' GROUP BY a",
        "SELECT a, count(*) AS m FROM bronze.x WHERE b = 'It''s' GROUP BY a",
        "SELECT a, count(1) AS n FROM bronze.x WHERE b = 'It''s' GROUP BY a",
        "SELECT a, count(*) AS n FROM bronze.y WHERE b = 'It''s' GROUP BY a",
        "SELECT a, count(*) AS n FROM bronze.x WHERE b = 'It  s' GROUP BY a",
    ],
)
def test_definition_changes_with_the_meaning(changed: str) -> None:
    assert (
        read(changed).definition
        != read("SELECT a, count(*) AS n FROM bronze.x WHERE b = 'It''s' GROUP BY a").definition
    )


def test_rendering_replaces_only_references() -> None:
    text = """-- reads bronze.x
SELECT  a, 'bronze.x é🎉' AS t   -- bronze.x again
FROM bronze . x   /* here */
  left join `silver`.`y` ON x.k = silver.y.k AND bronze.x.s.f > 1"""
    assert (
        read(text).rendered({"bronze.x": "v1", "silver.y": "v2"})
        == """-- reads bronze.x
SELECT  a, 'bronze.x é🎉' AS t   -- bronze.x again
FROM v1 AS x   /* here */
  left join v2 AS y ON x.k = y.k AND x.s.f > 1"""
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT t.a FROM bronze.x t", "SELECT t.a FROM v_x t"),
        ("SELECT t.a FROM bronze.x AS t(a)", "SELECT t.a FROM v_x AS t(a)"),
        ("SELECT bronze.x.* FROM bronze.x", "SELECT x.* FROM v_x AS x"),
        ("SELECT X.a FROM Bronze.X", "SELECT X.a FROM v_x AS X"),
        (
            "WITH x AS (SELECT a FROM bronze.x) SELECT x.a FROM x",
            "WITH x AS (SELECT a FROM v_x AS x) SELECT x.a FROM x",
        ),
        (
            "SELECT a FROM bronze.x WHERE EXISTS (SELECT 1 FROM silver.y WHERE y.a = bronze.x.a)",
            "SELECT a FROM v_x AS x WHERE EXISTS (SELECT 1 FROM v_y AS y WHERE y.a = x.a)",
        ),
        (
            "SELECT a FROM bronze.x LATERAL VIEW explode(bronze.x.arr) AS v",
            "SELECT a FROM v_x AS x LATERAL VIEW explode(x.arr) AS v",
        ),
        (
            "SELECT a FROM (bronze.x JOIN silver.y USING (a))",
            "SELECT a FROM (v_x AS x JOIN v_y AS y USING (a))",
        ),
        (
            "SELECT bronze.x.a, silver.x.a AS b FROM bronze.x JOIN silver.x ON bronze.x.k = silver.x.k",
            "SELECT bronze_x.a, silver_x.a AS b FROM v_x AS bronze_x JOIN w_x AS silver_x"
            " ON bronze_x.k = silver_x.k",
        ),
        (
            "SELECT a FROM bronze.x WHERE k IN (SELECT k FROM silver.x WHERE x.k = bronze.x.k)",
            "SELECT a FROM v_x AS bronze_x WHERE k IN"
            " (SELECT k FROM w_x AS silver_x WHERE silver_x.k = bronze_x.k)",
        ),
    ],
)
def test_references_and_column_qualifiers_are_replaced_together(text: str, expected: str) -> None:
    assert read(text).rendered({"bronze.x": "v_x", "silver.x": "w_x", "silver.y": "v_y"}) == expected


def rendered_for(driver: str, text: str) -> str:
    query = read(text)
    return query.rendered(
        {name: "now_" + name.split(".")[1] for name in query.upstreams},
        driver=driver,
        empty={name: "no_" + name.split(".")[1] for name in query.upstreams},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT g, n FROM bronze.x UNION ALL SELECT n, y.N FROM silver.y ORDER BY 1",
            "SELECT g, n FROM v_x AS x UNION ALL SELECT n, y.N AS _gs_out_1 FROM v_y AS y ORDER BY 1",
        ),
        (
            "SELECT 1, a, b FROM bronze.x EXCEPT (SELECT a, *, silver.y.`a b` FROM silver.y)",
            "SELECT 1, a, b FROM v_x AS x EXCEPT"
            " (SELECT a AS _gs_out_0, *, y.`a b` AS _gs_out_2 FROM v_y AS y)",
        ),
        (
            "SELECT a, b FROM bronze.x UNION ((SELECT a, a FROM silver.y) UNION ALL SELECT a AS b, a FROM silver.y)",
            "SELECT a, b FROM v_x AS x UNION ((SELECT a, a AS _gs_out_1 FROM v_y AS y)"
            " UNION ALL SELECT a AS b, a FROM v_y AS y)",
        ),
        (
            "SELECT g, n FROM bronze.x UNION ALL BY NAME SELECT n, g FROM silver.y",
            "SELECT g, n FROM v_x AS x UNION ALL BY NAME SELECT n, g FROM v_y AS y",
        ),
    ],
)
def test_columns_that_an_arm_selects_twice_get_distinct_names(text: str, expected: str) -> None:
    assert read(text).rendered({"bronze.x": "v_x", "silver.x": "w_x", "silver.y": "v_y"}) == expected


def test_union_arms_without_the_driver_read_empty_tables() -> None:
    text = """WITH other AS (SELECT a FROM bronze.y)
SELECT a FROM bronze.x JOIN silver.l USING (a)
UNION ALL SELECT a FROM other
UNION ALL (SELECT a FROM bronze.z WHERE a IN (SELECT a FROM silver.l))"""
    assert (
        rendered_for("bronze.x", text)
        == """WITH other AS (SELECT a FROM no_y AS y)
SELECT a FROM now_x AS x JOIN now_l AS l USING (a)
UNION ALL SELECT a FROM other
UNION ALL (SELECT a FROM no_z AS z WHERE a IN (SELECT a FROM no_l AS l))"""
    )


def test_cte_used_by_the_driving_arm_reads_the_whole_table() -> None:
    text = (
        "WITH l AS (SELECT a FROM silver.l) SELECT a FROM bronze.x JOIN l USING (a) UNION ALL SELECT a FROM l"
    )
    assert "FROM now_l AS l" in rendered_for("bronze.x", text)


def test_only_a_top_level_union_all_has_arms() -> None:
    for text in (
        "SELECT a FROM bronze.x UNION SELECT a FROM bronze.y",
        "SELECT a FROM (SELECT a FROM bronze.x UNION ALL SELECT a FROM bronze.y)",
    ):
        assert "no_" not in rendered_for("bronze.x", text)
