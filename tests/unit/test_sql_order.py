"""SQL whose result depends on the order of rows: errors, notes, and orders proved total by keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.cli.starter import make_pipeline
from goldsmith.project.loading import load_project
from goldsmith.project.sql.functions import (
    AGGREGATES,
    APPROXIMATE,
    LISTING,
    NON_DETERMINISTIC,
    ORDER_FREE,
    PICKING,
    POSITIONAL,
    TIED,
    WINDOWS,
)
from goldsmith.project.sql.statement import Analysis, analyse, parse

SCHEMAS: dict[str, dict[str, str | None] | None] = {
    "bronze.x": dict.fromkeys(("k", "a", "b", "ts", "arr")),
    "silver.o": dict.fromkeys(("id", "c", "a", "ts")),
    "silver.c": dict.fromkeys(("c", "name", "a")),
    "bronze.u": None,
}
KEYS = {"silver.o": [frozenset({"id"})], "silver.c": [frozenset({"c"})]}


def study(text: str) -> Analysis:
    return analyse(parse(text, file=Path("t.sql"), table="silver.t"), SCHEMAS, KEYS)


def findings(text: str) -> tuple[list[str], int]:
    """The codes of the problems, and the number of notes."""
    analysis = study(text)
    return [problem.code for problem in analysis.problems], len(analysis.notes)


REFUSED = [
    "SELECT k, first(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, first(a, true) AS f FROM bronze.x GROUP BY k",
    "SELECT k, first_value(a) IGNORE NULLS AS f FROM bronze.x GROUP BY k",
    "SELECT k, last(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, last_value(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, any_value(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, any_value(a) FILTER (WHERE b > 1) AS f FROM bronze.x GROUP BY k",
    "SELECT any_value(a) AS f FROM bronze.x",
    "SELECT k, collect_list(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, array_agg(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, collect_set(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, collect_list(a)[0] AS f FROM bronze.x GROUP BY k",
    "SELECT k, array_join(collect_list(a), ',') AS f FROM bronze.x GROUP BY k",
    "SELECT k, array_sort(collect_list(a), (l, r) -> l - r) AS f FROM bronze.x GROUP BY k",
    "SELECT k, listagg(a, ',') AS f FROM bronze.x GROUP BY k",
    "SELECT k, listagg(DISTINCT a, ',') AS f FROM bronze.x GROUP BY k",
    "SELECT k, string_agg(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, any_value(a) OVER (PARTITION BY k) AS f FROM bronze.x",
    "SELECT k, first_value(a) OVER (PARTITION BY k) AS f FROM bronze.x",
    "SELECT k, collect_list(a) OVER (PARTITION BY k) AS f FROM bronze.x",
    "SELECT k, row_number() OVER (PARTITION BY k ORDER BY 1) AS f FROM bronze.x",
    "SELECT k, row_number() OVER (ORDER BY (SELECT NULL)) AS f FROM bronze.x",
    "SELECT k, sum(a) OVER (ROWS 2 PRECEDING) AS f FROM bronze.x",
    "SELECT * FROM bronze.x LIMIT 10",
    "SELECT * FROM bronze.x OFFSET 10",
    "SELECT * FROM bronze.x ORDER BY a LIMIT 10",
    "SELECT * FROM bronze.x ORDER BY a LIMIT 10 OFFSET 3",
    "SELECT * FROM (SELECT * FROM silver.o ORDER BY id) LIMIT 10",
    "SELECT * FROM (SELECT id FROM silver.o LIMIT 3)",
    "(SELECT id FROM silver.o) LIMIT 3",
    "WITH c AS (SELECT a FROM bronze.x LIMIT 1) SELECT * FROM c",
    "SELECT k FROM bronze.x WHERE a IN (SELECT a FROM silver.o LIMIT 2)",
    "SELECT k, (SELECT a FROM silver.o WHERE o.c = x.k LIMIT 1) AS a FROM bronze.x",
    "SELECT a, b FROM bronze.x UNION ALL SELECT a, c FROM silver.o ORDER BY 1 DESC LIMIT 3 OFFSET 1",
    "SELECT c, count(*) AS n FROM silver.o GROUP BY c ORDER BY n LIMIT 3",
    "SELECT o.id, c.name FROM silver.o CROSS JOIN silver.c ORDER BY o.id LIMIT 3",
    "SELECT * FROM bronze.u LIMIT 10",
]
"""Queries without an order, or with one that cannot be proved total although row positions matter."""


@pytest.mark.parametrize("text", REFUSED)
def test_query_without_a_required_order_is_refused(text: str) -> None:
    assert [code for code in findings(text)[0] if code != "GS203"] == ["GS207"]


WARNED = [
    "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts DESC) AS n FROM bronze.x) WHERE n = 1",
    "SELECT *, row_number() OVER w AS n FROM bronze.x WINDOW w AS (PARTITION BY k ORDER BY ts DESC)",
    "SELECT * FROM bronze.x QUALIFY row_number() OVER (PARTITION BY k ORDER BY ts) = 1",
    "SELECT k, lag(a) OVER (PARTITION BY k ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, lead(a) OVER (PARTITION BY k ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, ts, a, b, lag(a) OVER (PARTITION BY k ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, ntile(4) OVER (ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, nth_value(a, 2) OVER (PARTITION BY k ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, first_value(a) OVER (PARTITION BY k ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, last(a) OVER (PARTITION BY k ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, sum(a) OVER (PARTITION BY k ORDER BY ts ROWS UNBOUNDED PRECEDING) AS f FROM bronze.x",
    "SELECT k, collect_list(a) OVER (PARTITION BY k ORDER BY ts) AS f FROM bronze.x",
    "SELECT k, max_by(a, ts) AS f FROM bronze.x GROUP BY k",
    "SELECT k, min_by(struct(a, b), ts) AS f FROM bronze.x GROUP BY k",
    "SELECT k, max_by(a, ts) OVER (PARTITION BY k) AS f FROM bronze.x",
    "SELECT k, mode(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, listagg(a, ',') WITHIN GROUP (ORDER BY ts) AS f FROM bronze.x GROUP BY k",
    "SELECT k, percentile_approx(a, 0.5) AS f FROM bronze.x GROUP BY k",
    "SELECT k, histogram_numeric(a, 5) AS f FROM bronze.x GROUP BY k",
    "SELECT k, hll_sketch_agg(a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, default.my_own(a) AS f FROM bronze.x",
    "SELECT c, row_number() OVER (ORDER BY count(*)) AS f FROM silver.o GROUP BY c",
]


@pytest.mark.parametrize("text", WARNED)
def test_relevant_ties_give_a_note(text: str) -> None:
    assert findings(text) == ([], 1)
    assert study(text).notes[0].line == 1


VALID = [
    # No row positions.
    "SELECT k, rank() OVER (PARTITION BY k ORDER BY ts) AS r, dense_rank() OVER (ORDER BY a) AS d FROM bronze.x",
    "SELECT k, sum(a) OVER (PARTITION BY k ORDER BY ts) AS s, max(a) OVER (PARTITION BY k) AS m FROM bronze.x",
    "SELECT k, sum(a) OVER (ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS s FROM bronze.x",
    "SELECT k, min(a) AS l, sum(b) AS s, approx_count_distinct(a) AS d, median(a) AS m FROM bronze.x GROUP BY k",
    # The order includes all relevant columns.
    "SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts DESC, struct(*)) AS n FROM bronze.x",
    "SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts DESC, xxhash64(*)) AS n FROM bronze.x",
    "SELECT *, row_number() OVER (ORDER BY struct(*)) AS n FROM bronze.u",
    "SELECT k, ts, a, row_number() OVER (PARTITION BY k ORDER BY ts, a) AS n FROM bronze.x WHERE b > 1",
    "SELECT k, first_value(a) OVER (PARTITION BY k ORDER BY ts, a) AS f FROM bronze.x",
    "SELECT k, max_by(a, struct(ts, a)) AS f, min_by(ts, ts) AS g FROM bronze.x GROUP BY k",
    "SELECT k, mode(a, true) AS f, mode() WITHIN GROUP (ORDER BY a) AS g FROM bronze.x GROUP BY k",
    "SELECT k, listagg(a, ',') WITHIN GROUP (ORDER BY a) AS f FROM bronze.x GROUP BY k",
    "SELECT k, listagg(DISTINCT a, ',') WITHIN GROUP (ORDER BY a DESC) AS f FROM bronze.x GROUP BY k",
    "SELECT k, array_sort(collect_list(a)) AS f, size(array_distinct(collect_set(b))) AS n FROM bronze.x GROUP BY k",
    "SELECT k, sort_array(array_agg(a) FILTER (WHERE b > 1), false) AS f FROM bronze.x GROUP BY k",
    "SELECT k, array_sort(collect_list(a) OVER (PARTITION BY k)) AS f FROM bronze.x",
    # One value in each group.
    "SELECT k, a, first(a) AS f FROM bronze.x GROUP BY k, a",
    "SELECT id, any_value(a) AS f, collect_list(c) AS g FROM silver.o GROUP BY id",
    "SELECT o.c, any_value(c.name) AS n, sum(o.a) AS s FROM silver.o JOIN silver.c ON o.c = c.c GROUP BY o.c",
    "SELECT o.c, any_value(c.name) AS n FROM silver.o LEFT JOIN silver.c USING (c) GROUP BY o.c",
    # A key in the order.
    "SELECT *, row_number() OVER (PARTITION BY c ORDER BY ts, id) AS n FROM silver.o",
    "SELECT *, lag(a) OVER (PARTITION BY id ORDER BY ts) AS n FROM silver.o",
    "SELECT c, max_by(a, struct(ts, id)) AS f FROM silver.o GROUP BY c",
    "SELECT o.id, lag(c.name) OVER (ORDER BY o.ts, o.id) AS n FROM silver.o JOIN silver.c ON o.c = c.c",
    "SELECT o.id, lag(c.name) OVER (ORDER BY o.id, c.c) AS n FROM silver.o CROSS JOIN silver.c",
    "SELECT c, row_number() OVER (ORDER BY count(*), c) AS f FROM silver.o GROUP BY c",
    "SELECT c, lag(n) OVER (ORDER BY c) AS f FROM (SELECT c, count(*) AS n FROM silver.o GROUP BY 1)",
    "SELECT d, lag(n) OVER (ORDER BY d) AS f FROM (SELECT c AS d, count(*) AS n FROM silver.o GROUP BY ALL)",
    "WITH n AS (SELECT *, row_number() OVER (PARTITION BY k ORDER BY struct(*)) AS n FROM bronze.x) "
    "SELECT k, lag(a) OVER (ORDER BY k) AS f FROM n WHERE n = 1",
    "SELECT k, lag(k) OVER (ORDER BY k) AS f FROM (SELECT DISTINCT k FROM bronze.x)",
    "SELECT k, a, lag(k) OVER (ORDER BY k, a) AS f FROM (SELECT k, a FROM bronze.x UNION SELECT c, a FROM silver.o)",
    # LIMIT over a total order, or over one row at most.
    "SELECT * FROM silver.o ORDER BY ts DESC, id LIMIT 10",
    "SELECT id, a FROM silver.o ORDER BY 2, 1 LIMIT 10 OFFSET 5",
    "SELECT id AS i, a FROM silver.o ORDER BY a, i LIMIT 10",
    "SELECT a FROM silver.o ORDER BY ts, id LIMIT 10",
    "SELECT a, b FROM bronze.x ORDER BY b, a LIMIT 10",
    "SELECT * FROM bronze.u ORDER BY ALL LIMIT 10",
    "SELECT c, count(*) AS n FROM silver.o GROUP BY c ORDER BY n DESC, c LIMIT 3",
    "SELECT DISTINCT c FROM silver.o ORDER BY c LIMIT 3",
    "SELECT o.id, c.name FROM silver.o LEFT JOIN silver.c ON o.c = c.c ORDER BY o.id LIMIT 3",
    "SELECT a FROM bronze.x UNION ALL SELECT a FROM silver.o ORDER BY 1 DESC LIMIT 3",
    "SELECT max(a) AS m FROM bronze.x LIMIT 1",
    "SELECT k FROM bronze.x WHERE EXISTS (SELECT 1 FROM silver.o WHERE o.c = x.k LIMIT 1)",
    "SELECT k, (SELECT a FROM silver.o WHERE o.id = x.k LIMIT 1) AS a FROM bronze.x",
    "SELECT k FROM bronze.x LIMIT 0",
    "SELECT k FROM bronze.x LIMIT ALL",
]


@pytest.mark.parametrize("text", VALID)
def test_total_order_gives_no_note(text: str) -> None:
    analysis = study(text)
    assert [error for error in analysis.problems if error.code != "GS203"] == []
    assert analysis.notes == ()


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("SELECT * FROM silver.o", {("id",)}),
        ("SELECT id AS i, a FROM silver.o", {("i",)}),
        ("SELECT a FROM silver.o", set()),
        ("SELECT * FROM bronze.x", set()),
        ("SELECT c, sum(a) AS s FROM silver.o GROUP BY c", {("c",)}),
        ("SELECT sum(a) AS s FROM silver.o", {()}),
        ("SELECT c, a, sum(a) AS s FROM silver.o GROUP BY ROLLUP (c, a)", set()),
        ("SELECT c, sum(a) AS s FROM silver.o GROUP BY c, ts", set()),
        ("SELECT id, c, sum(a) AS s FROM silver.o GROUP BY c, id", {("id",)}),
        ("SELECT DISTINCT k, a FROM bronze.x", {("k", "a")}),
        ("SELECT o.*, name FROM silver.o JOIN silver.c ON o.c = c.c", {("id",)}),
        ("SELECT o.*, name FROM silver.o LEFT JOIN silver.c ON o.c = c.c", {("id",)}),
        ("SELECT o.id, c.c FROM silver.o JOIN silver.c ON o.a = c.a", {("id", "c")}),
        ("SELECT o.id, c.c FROM silver.o FULL JOIN silver.c ON o.c = c.c", set()),
        ("SELECT o.id, c.c FROM silver.o RIGHT JOIN silver.c ON o.c = c.c", {("id", "c")}),
        ("SELECT o.id FROM silver.o JOIN bronze.x ON o.c = x.k", set()),
        ("SELECT o.id FROM silver.o LEFT SEMI JOIN bronze.x ON o.c = x.k", {("id",)}),
        ("SELECT id, e FROM silver.o LATERAL VIEW explode(array(1, 2)) AS e", set()),
        ("SELECT id, explode(array(1, 2)) AS e FROM silver.o", set()),
        ("SELECT id FROM silver.o UNION ALL SELECT id FROM silver.o", set()),
        ("SELECT id, a FROM silver.o UNION SELECT id, a FROM silver.o", {("id", "a")}),
        ("SELECT id, a FROM silver.o EXCEPT SELECT k, a FROM bronze.x", {("id",), ("id", "a")}),
        ("SELECT c, a FROM silver.o WHERE id = 3", {()}),
        (
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts) n FROM bronze.x) WHERE n = 1",
            {("k",)},
        ),
    ],
)
def test_unique_columns(text: str, sets: set[tuple[str, ...]]) -> None:
    assert study(text).unique == {frozenset(one) for one in sets}


def test_every_aggregate_is_classified_by_its_dependence_on_row_order() -> None:
    kinds = [set(PICKING), set(LISTING), set(TIED), set(APPROXIMATE), set(ORDER_FREE), set(NON_DETERMINISTIC)]
    for name in AGGREGATES:
        assert sum(name in kind for kind in kinds) == 1, name
    assert {"cume_dist", "dense_rank", "percent_rank", "rank"} == WINDOWS - POSITIONAL


def test_pipelines_of_the_repository_and_the_starter_have_no_ties(tmp_path: Path) -> None:
    make_pipeline(tmp_path, "orders")
    repository = Path(__file__).parents[2]
    for root in (
        repository,
        *(file.parent for file in repository.glob("examples/*/goldsmith.yaml")),
        tmp_path,
    ):
        tables = load_project(root).tables.values()
        assert [
            (table.name, table.analysis.notes) for table in tables if table.analysis and table.analysis.notes
        ] == []
