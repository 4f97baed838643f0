"""Which statements Superset sends."""

from __future__ import annotations

import pytest
from goldsmith_superset import reading


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


ANSWER = "Error running query: {}\n\tat org.apache.spark.Some(Some.scala:1)"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            ANSWER.format("[NO] org.apache.spark.sql.AnalysisException: [NO] There is no `t`.\nIs it `u`?"),
            "[NO] There is no `t`.\nIs it `u`?",
        ),
        (ANSWER.format("java.lang.SecurityException: reflect runs code."), "reflect runs code."),
        (
            ANSWER.format("[NO] There is no `t`; line 1 pos 5;\n'Project [*]\n+- 'Rel [t]\n"),
            "[NO] There is no `t`; line 1 pos 5",
        ),
        (ANSWER.format("Why not?"), "Why not?"),
        ("java.net.ConnectException: Connection refused", "Connection refused"),
        ("", ""),
    ],
)
def test_the_server_s_trouble_is_told_without_its_call_stack(message: str, told: str) -> None:
    assert reading.of_the_server(message) == told


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("failed to resolve sockaddr for thrift-server:10000", reading.AWAY),
        ("Could not connect to any of [('172.19.0.9', 10000)]", reading.AWAY),
        ("TSocket read 0 bytes", reading.AWAY),
        ("unexpected exception", reading.AWAY),
        ("Bad status: 3 (b'Error validating the login')", "Bad status: 3 (b'Error validating the login')"),
    ],
)
def test_a_server_that_is_away_is_told(message: str, told: str) -> None:
    assert reading.of_the_way(message) == told
