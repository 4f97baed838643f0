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


ANSWER = (
    'TExecuteStatementResp(status=TStatus(statusCode=3, infoMessages=["*org.apache.hive.service.cli.HiveSQLException'
    ":Error running query: x:26:25\"], sqlState='42P01', errorCode=0, errorMessage=\"Error running query: {}"
    '\\n\\tat org.apache.spark.Some(Some.scala:1)"), operationHandle=None)'
)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            ANSWER.format("[NO] org.apache.spark.sql.AnalysisException: [NO] There is no `t`.\\nIs it `u`?"),
            "[NO] There is no `t`.\nIs it `u`?",
        ),
        (ANSWER.format("java.lang.SecurityException: reflect runs code."), "reflect runs code."),
        (ANSWER.format("Why not?"), "Why not?"),
        ("failed to resolve sockaddr for thrift-server:10000", reading.AWAY),
        ("Could not connect to any of [('172.19.0.9', 10000)]", reading.AWAY),
        ("TSocket read 0 bytes", reading.AWAY),
        ("Only statements that read are sent", "Only statements that read are sent"),
        ("", ""),
    ],
)
def test_trouble_is_told_without_the_server_s_call_stack(message: str, told: str) -> None:
    assert reading.told(message) == told
