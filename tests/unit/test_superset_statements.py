"""Read-only statements and readable error messages."""

from __future__ import annotations

import pytest
from goldsmith_superset import statements


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
def test_read_only_statements_are_allowed(sql: str) -> None:
    assert statements.is_read_only(sql)


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
def test_other_statements_are_refused(sql: str) -> None:
    assert not statements.is_read_only(sql)


RESPONSE = "Error running query: {}\n\tat org.apache.spark.Some(Some.scala:1)"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            RESPONSE.format("[NO] org.apache.spark.sql.AnalysisException: [NO] There is no `t`.\nIs it `u`?"),
            "[NO] There is no `t`.\nIs it `u`?",
        ),
        (RESPONSE.format("java.lang.SecurityException: reflect runs code."), "reflect runs code."),
        (
            RESPONSE.format("[NO] There is no `t`; line 1 pos 5;\n'Project [*]\n+- 'Rel [t]\n"),
            "[NO] There is no `t`; line 1 pos 5",
        ),
        (RESPONSE.format("Why not?"), "Why not?"),
        ("java.net.ConnectException: Connection refused", "Connection refused"),
        ("", ""),
    ],
)
def test_server_message_has_no_stack_trace(message: str, expected: str) -> None:
    assert statements.server_message(message) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("failed to resolve sockaddr for thrift-server:10000", statements.NO_RESPONSE),
        ("Could not connect to any of [('172.19.0.9', 10000)]", statements.NO_RESPONSE),
        ("TSocket read 0 bytes", statements.NO_RESPONSE),
        ("unexpected exception", statements.NO_RESPONSE),
        ("Bad status: 3 (b'Error validating the login')", "Bad status: 3 (b'Error validating the login')"),
    ],
)
def test_connection_message_of_an_unreachable_server(message: str, expected: str) -> None:
    assert statements.connection_message(message) == expected
