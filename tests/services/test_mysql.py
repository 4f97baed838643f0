"""Bronze tables that read MySQL by its driver, here from a MariaDB server."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from services.mariadb import MariaDb
from services.test_databases import error_of, read
from support.lake import Lake


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path, maria: MariaDb, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake on a disk with a connection `shop` to an empty database."""
    monkeypatch.setenv("SHOP_PASSWORD", maria.password)
    maria.sql("DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4", "mysql")
    lake = Lake(spark, tmp_path)
    url = f"jdbc:mysql://127.0.0.1:{maria.port}/shop"
    lake.write(
        "goldsmith.yaml",
        "profiles:\n  local:\n    connections:\n"
        f"      shop: {{url: '{url}', user: {maria.user}, password: '${{SHOP_PASSWORD}}'}}\n",
    )
    return lake


def test_types_and_values_are_kept(shop: Lake, maria: MariaDb) -> None:
    maria.sql(
        """CREATE TABLE users (id int PRIMARY KEY, tiny tinyint(1), flag bit(1), u bigint unsigned, price decimal(9,2),
        exact decimal(65,30), f float, d double, `day` date, at timestamp(6), local datetime(6), y year, t time(3),
        side enum('BUY', 'SELL'), doc json, bytes varbinary(4), name char(5), body text);
        SET time_zone = '+00:00';
        INSERT INTO users VALUES (1, 2, 1, 18446744073709551615, 9.10,
        12345678901234567890123456789012345.012345678901234567890123456789, 0.1, 0.1, '2024-02-29',
        '2024-03-31 01:30:00.123456', '2024-03-31 02:30:00.123456', 2024, '23:59:59.125', 'SELL', '{"a": 1.10}',
        x'00ff', 'Bob', CONVERT(x'c39ff09f9880' USING utf8mb4)), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""
    )
    read(shop, table="users", key="id")
    shop.done()
    types = dict(shop.table("bronze.users").dtypes)
    assert {name: kind for name, kind in types.items() if not name.startswith("_")} == {
        "id": "int",
        "tiny": "tinyint",
        "flag": "boolean",
        "u": "decimal(20,0)",
        "price": "decimal(9,2)",
        "exact": "string",
        "f": "float",
        "d": "double",
        "day": "date",
        "at": "timestamp",
        "local": "timestamp_ntz",
        "y": "int",
        "t": "string",
        "side": "string",
        "doc": "string",
        "bytes": "binary",
        "name": "string",
        "body": "string",
    }
    texts = ("u", "price", "exact", "f", "d", "day", "at", "local", "t")
    row = shop.table("bronze.users").where("id = 1")
    assert row.selectExpr(*[f"string(`{name}`)" for name in texts]).collect()[0] == (
        "18446744073709551615",
        "9.10",
        "12345678901234567890123456789012345.012345678901234567890123456789",
        "0.1",
        "0.1",
        "2024-02-29",
        "2024-03-31 01:30:00.123456",
        "2024-03-31 02:30:00.123456",
        "23:59:59.125",
    )
    others = row.select("tiny", "flag", "y", "side", "doc", "bytes", "name", "body").collect()[0]
    assert tuple(others) == (2, True, 2024, "SELL", '{"a": 1.10}', b"\x00\xff", "Bob", "\u00df\U0001f600")
    assert shop.rows("bronze.users", "id", "t", "name")[1] == (2, None, None)
    assert shop.done()["bronze.users"].status == "nothing_new"


def test_changes_and_deletes_are_found_from_a_cursor_on(shop: Lake, maria: MariaDb) -> None:
    maria.sql(
        """CREATE TABLE users (id int PRIMARY KEY, name varchar(9), at datetime(6) NOT NULL);
        INSERT INTO users VALUES (1, 'Ada', '2026-01-01 10:00'), (2, 'Bob', '2026-01-01 10:05'), (3, NULL, '2026-01-01 10:10')"""
    )
    read(shop, table="users", key="id", cursor="at", overlap="6m", deletes="true")
    assert shop.done()["bronze.users"].counts.written == 3
    assert shop.done()["bronze.users"].status == "nothing_new"
    maria.sql(
        """UPDATE users SET name = 'Eve', at = '2026-01-01 10:11' WHERE id = 1; DELETE FROM users WHERE id = 3;
        INSERT INTO users VALUES (4, 'late', '2026-01-01 10:06'), (5, 'too late', '2026-01-01 10:01')"""
    )
    assert shop.done()["bronze.users"].counts.written == 3
    assert shop.rows("bronze.users", "id", "name", "_deleted") == [
        (1, "Ada", False),
        (1, "Eve", False),
        (2, "Bob", False),
        (3, None, False),
        (3, None, True),
        (4, "late", False),
    ]
    assert shop.done()["bronze.users"].status == "nothing_new"


def test_ranges_of_a_query_leave_no_row_out(shop: Lake, maria: MariaDb) -> None:
    maria.sql("CREATE TABLE users AS SELECT seq AS `order`, IF(seq % 7, seq, NULL) AS part FROM seq_1_to_999")
    query = "SELECT `order`, part FROM users WHERE `order` < 900"
    read(shop, query=f'"{query}"', key="order", split_by="part", parallel=4)
    assert shop.done()["bronze.users"].counts.written == 899
    assert shop.table("bronze.users").select("order").distinct().count() == 899


def test_database_that_goes_away_leaves_nothing(shop: Lake, maria: MariaDb) -> None:
    maria.sql("CREATE TABLE users AS SELECT seq AS id FROM seq_1_to_300")
    read(shop, query='"SELECT id, sleep(0.03) AS slow FROM users"', key="id")
    ended = threading.Event()

    def end_reads() -> None:
        running = (
            "SELECT group_concat(concat('KILL ', id) SEPARATOR ';') FROM information_schema.processlist "
            "WHERE user = 'shop' AND info LIKE '%sleep%' AND info NOT LIKE '%1=0%' AND time_ms > 200"
        )
        while not ended.is_set():
            found = maria.sql(running)
            if found != "NULL":
                maria.sql(found)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=end_reads)
    thread.start()
    try:
        error = error_of(shop)
    finally:
        ended.set()
        thread.join()
    assert (error.code, error.retryable) == ("GS310", True), str(error)
    assert "The query of the connection `shop` cannot be read" in error.message
    assert shop.version("bronze.users") == -1
    read(shop, table="users", key="id")
    assert shop.done()["bronze.users"].counts.written == 300


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"table": "user_", "key": "id"}, "Table 'shop.user_' doesn't exist"),
        ({"table": "users", "key": "idd"}, "has no column `idd`"),
        ({"query": "SELECT id FRM users", "key": "id"}, "You have an error in your SQL syntax"),
    ],
)
def test_wrong_declarations_are_explained(
    shop: Lake, maria: MariaDb, keys: dict[str, object], words: str
) -> None:
    maria.sql("CREATE TABLE users AS SELECT 1 AS id")
    read(shop, **keys)
    error = error_of(shop)
    assert (error.code, error.retryable) == ("GS310", False), str(error)
    assert words in error.message
    assert maria.password not in f"{error.message} {error.hint}"


def test_refused_log_in_is_explained(shop: Lake, maria: MariaDb, monkeypatch: pytest.MonkeyPatch) -> None:
    maria.sql("CREATE TABLE users AS SELECT 1 AS id")
    read(shop, table="users", key="id")
    monkeypatch.setenv("SHOP_PASSWORD", "wrong")
    error = error_of(shop)
    assert (error.code, error.retryable) == ("GS310", False), str(error)
    assert "Access denied for user 'shop'" in error.message
