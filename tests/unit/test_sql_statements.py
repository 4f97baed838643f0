"""SQL text is split at semicolons between statements, and only reading statements are sent to a server."""

from __future__ import annotations

import pytest

from goldsmith.errors import DeclarationError
from goldsmith.project.sql.reads import require_read
from goldsmith.project.sql.statements import Statements, split


@pytest.mark.parametrize(
    ("text", "complete", "rest"),
    [
        ("select 1; select ';' ;", ("select 1", "select ';'"), ""),
        ("select 1;\n-- done;\n", ("select 1",), ""),
        ("select 1 -- first;\n, 2; select", ("select 1 -- first;\n, 2",), "select"),
        ('select /* ; */ `a;b`, "c;";', ('select /* ; */ `a;b`, "c;"',), ""),
        ("select 'not closed; ;", (), "select 'not closed; ;"),
        ("select 1 /* not closed ;", (), "select 1 /* not closed ;"),
        (";; ;", (), ""),
        ("", (), ""),
        ("select 'é' ; select '🙂';", ("select 'é'", "select '🙂'"), ""),
    ],
)
def test_text_is_split_at_semicolons_between_statements(
    text: str, complete: tuple[str, ...], rest: str
) -> None:
    assert split(text) == Statements(complete, rest)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "  -- a comment\n (select 1)",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "FROM gold.days SELECT day",
        "FROM gold.days SELECT update",
        "WITH `delete` AS (SELECT update FROM gold.days) SELECT `insert`, merge FROM `delete`",
        "VALUES (1)",
        "TABLE gold.days",
        "describe gold.days",
        "DESC gold.days",
        "EXPLAIN SELECT 1",
        "SHOW COLUMNS IN gold.days",
    ],
)
def test_reading_statement_is_accepted(statement: str) -> None:
    require_read(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "-- nothing",
        "INSERT INTO gold.days SELECT 1",
        "WITH a AS (SELECT 1) INSERT INTO gold.days SELECT * FROM a",
        "FROM gold.days INSERT INTO silver.days SELECT *",
        "FROM (SELECT 1) INSERT INTO silver.days SELECT *",
        "WITH a AS (SELECT 1) FROM a INSERT INTO gold.days SELECT *",
        "WITH a AS (SELECT 1) DELETE FROM gold.days",
        "WITH a AS (SELECT 1)",
        "DROP TABLE gold.days",
        "/* SELECT */ DELETE FROM gold.days",
        "CREATE TABLE a AS SELECT 1",
        "CACHE TABLE gold.days",
        "SET spark.sql.ansi.enabled = false",
        "USE gold",
        "select 'not closed",
    ],
)
def test_other_statement_is_refused(statement: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        require_read(statement)
    assert caught.value.code == "GS201"
