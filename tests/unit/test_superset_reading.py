"""Which statements Superset sends."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "superset/src/goldsmith_superset/reading.py"
SPEC = importlib.util.spec_from_file_location("reading", FILE)
assert SPEC is not None
assert SPEC.loader is not None
reading = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(reading)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  select\t1",
        "-- who asked\nSELECT 1",
        "/* a\n* comment */ WITH x AS (SELECT 1) SELECT * FROM x",
        "((SELECT 1) UNION (SELECT 2))",
        "SHOW TABLES IN gold",
        "DESCRIBE gold.t",
        "USE `gold`",
        "VALUES (1)",
    ],
)
def test_what_reads_is_sent(sql: str) -> None:
    assert reading.reads(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SET",
        "set spark.sql.ansi.enabled=false",
        "ADD JAR 'x'",
        "CACHE TABLE bronze.t",
        "REFRESH TABLE gold.t",
        "EXPLAIN SELECT 1",
        "DROP TABLE t",
        "FROM t INSERT INTO x SELECT *",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "BEGIN SELECT 1; END",
        "/* a /* SELECT */ ADD JAR 'x' */ SELECT 1",
        "/* /* */ SELECT 1 */ ADD JAR 'x'",
        "-- SELECT\nADD JAR 'x'",
        "-- a\\\nSELECT 1\nADD JAR 'x'",
        "-- a\rADD JAR 'x'\nSELECT 1",
        "/* SELECT",
        "`SELECT`",
        "SELECTED",
        "DESCRIBED x",
    ],
)
def test_what_does_more_is_not(sql: str) -> None:
    assert not reading.reads(sql)
