"""Bronze tables that read a database: what is loaded, what is loaded again, and what a failing database leaves."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from goldsmith.errors import GoldsmithError
from services.postgres import Postgres
from support.homes import S3Home
from support.lake import Lake


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path, server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake on a disk with a connection `shop` to an empty database."""
    monkeypatch.setenv("SHOP_PASSWORD", server.password)
    server.sql("DROP SCHEMA public CASCADE")
    server.sql("CREATE SCHEMA public")
    lake = Lake(spark, tmp_path)
    lake.write("goldsmith.yaml", declared(server))
    return lake


def declared(server: Postgres, user: str | None = None) -> str:
    url = f"jdbc:postgresql://127.0.0.1:{server.port}/postgres"
    return (
        "profiles:\n  local:\n    connections:\n"
        f"      shop: {{url: '{url}', user: {user or server.user}, password: '${{SHOP_PASSWORD}}'}}\n"
    )


def read(lake: Lake, **keys: object) -> None:
    """Declares bronze.users with some keys of its source."""
    lines = "".join(f"  {key}: {value}\n" for key, value in {"jdbc": "shop", **keys}.items())
    lake.declare("bronze.users", f"source:\n{lines}")


def error_of(lake: Lake) -> GoldsmithError:
    error = lake.failed("bronze.users").error
    assert error is not None
    return error


USERS = """
CREATE TABLE users (id int PRIMARY KEY, name varchar(3), changed int);
INSERT INTO users VALUES (1, 'Ada', 10), (2, 'Bob', 20), (3, NULL, 30)
"""


def test_whole_table_is_compared_with_earlier_loads(shop: Lake, server: Postgres) -> None:
    server.sql(USERS)
    read(shop, table="public.users", key="id", deletes="true")
    assert shop.done()["bronze.users"].counts.written == 3
    version = shop.version("bronze.users")
    assert shop.done()["bronze.users"].status == "nothing_new"
    assert shop.version("bronze.users") == version
    server.sql("UPDATE users SET name = 'Eve' WHERE id = 2; DELETE FROM users WHERE id = 3")
    server.sql("INSERT INTO users VALUES (4, 'Dan', 40)")
    assert shop.done()["bronze.users"].counts.written == 3
    server.sql("UPDATE users SET name = 'Bob' WHERE id = 2; INSERT INTO users VALUES (3, NULL, 30)")
    assert shop.done()["bronze.users"].counts.written == 2
    assert shop.done()["bronze.users"].status == "nothing_new"
    assert shop.rows("bronze.users", "id", "name", "changed", "_deleted") == [
        (1, "Ada", 10, False),
        (2, "Bob", 20, False),
        (2, "Bob", 20, False),
        (2, "Eve", 20, False),
        (3, None, None, True),
        (3, None, 30, False),
        (3, None, 30, False),
        (4, "Dan", 40, False),
    ]
    shop.done(rebuild=["bronze.users"])
    assert len(shop.rows("bronze.users")) == 8
    assert shop.done()["bronze.users"].status == "nothing_new"


def test_history_of_a_database_table(shop: Lake, server: Postgres) -> None:
    server.sql(USERS)
    read(shop, table="users", key="id", deletes="true")
    shop.declare(
        "silver.users",
        "load: {scd2: {key: id, sequence_by: _ingested_at, delete_when: _deleted}}",
        "SELECT id, name, _deleted, _ingested_at FROM bronze.users",
    )
    shop.done()
    server.sql("UPDATE users SET name = 'Eve' WHERE id = 2; DELETE FROM users WHERE id = 3")
    shop.done()
    assert shop.rows("silver.users", "id", "name", "is_current") == [
        (1, "Ada", True),
        (2, "Bob", False),
        (2, "Eve", True),
        (3, None, False),
    ]


def test_rows_after_the_cursor_are_read_once_with_late_ones(shop: Lake, server: Postgres) -> None:
    server.sql(USERS)
    read(shop, table="users", cursor="changed", overlap=15)
    assert shop.done()["bronze.users"].counts.written == 3
    server.sql("INSERT INTO users VALUES (4, 'now', 16), (5, 'no', 14), (6, 'new', 31)")
    assert shop.done()["bronze.users"].counts.written == 2
    assert shop.done()["bronze.users"].status == "nothing_new"
    server.sql("UPDATE users SET name = 'Zoe', changed = 32 WHERE id = 1")
    assert shop.done()["bronze.users"].counts.written == 1
    assert [row[0] for row in shop.rows("bronze.users", "id")] == [1, 1, 2, 3, 4, 6]
    shop.spark.sql(f"RESTORE delta.`{shop.path('bronze.users')}` TO VERSION AS OF 0").collect()
    shop.done()
    assert [row[0] for row in shop.rows("bronze.users", "id")] == [1, 1, 2, 3, 4, 6]


def test_deleted_rows_are_found_beside_a_cursor(shop: Lake, server: Postgres) -> None:
    server.sql(
        "CREATE TABLE users (id int, at timestamptz); INSERT INTO users SELECT n, now() FROM generate_series(1, 5) n"
    )
    read(shop, table="users", key="id", cursor="at", overlap="10m", deletes="true")
    shop.done()
    server.sql("DELETE FROM users WHERE id = 2; INSERT INTO users VALUES (6, now())")
    counts = shop.done()["bronze.users"].counts
    assert counts.written == 2
    assert shop.done()["bronze.users"].status == "nothing_new"
    server.sql("INSERT INTO users VALUES (2, now())")
    assert shop.done()["bronze.users"].counts.written == 1
    assert shop.rows("bronze.users", "id", "_deleted")[1:4] == [(2, False), (2, False), (2, True)]


def test_ranges_leave_no_row_out(shop: Lake, server: Postgres) -> None:
    server.sql(
        "CREATE TABLE users AS SELECT n AS id, CASE WHEN n % 7 > 0 THEN n END AS part FROM generate_series(1, 999) n"
    )
    read(shop, query="SELECT id, part FROM users WHERE id < 900", key="id", split_by="part", parallel=4)
    assert shop.done()["bronze.users"].counts.written == 899
    assert shop.table("bronze.users").select("id").distinct().count() == 899


def test_types_are_kept(shop: Lake, server: Postgres) -> None:
    server.sql(
        """CREATE TABLE users AS SELECT 1 AS id, 12345678901234567890.1234567890123456789::numeric AS any_scale,
        9.10::numeric(9,2) AS price, DATE '2024-02-29' AS day, TIMESTAMP '2024-03-31 02:30:00.123456' AS local_time,
        TIMESTAMPTZ '2024-03-31 02:30:00+02' AS moment, true AS flag, 1.5::float8 AS share, 7::bigint AS large,
        '{"a": 1.10}'::jsonb AS doc, ARRAY['x', NULL] AS tags, '\\xdeadbeef'::bytea AS bytes"""
    )
    read(shop, table="users", key="id")
    shop.done()
    types = dict(shop.table("bronze.users").dtypes)
    assert {name: kind for name, kind in types.items() if not name.startswith("_")} == {
        "id": "int",
        "any_scale": "string",
        "price": "decimal(9,2)",
        "day": "date",
        "local_time": "timestamp_ntz",
        "moment": "timestamp",
        "flag": "boolean",
        "share": "double",
        "large": "bigint",
        "doc": "string",
        "tags": "array<string>",
        "bytes": "binary",
    }
    row = shop.table("bronze.users").selectExpr(
        "any_scale",
        "CAST(price AS string)",
        "CAST(local_time AS string)",
        "CAST(moment AS string)",
        "tags",
        "doc",
    )
    assert [tuple(row) for row in row.collect()] == [
        (
            "12345678901234567890.1234567890123456789",
            "9.10",
            "2024-03-31 02:30:00.123456",
            "2024-03-31 00:30:00",
            ["x", None],
            '{"a": 1.10}',
        )
    ]
    assert shop.done()["bronze.users"].status == "nothing_new"


def test_database_that_goes_away_leaves_nothing(shop: Lake, server: Postgres) -> None:
    server.sql("CREATE TABLE users AS SELECT n AS id FROM generate_series(1, 3000) n")
    read(shop, query="SELECT id, pg_sleep(0.003)::text AS slow FROM users", key="id")
    ended = threading.Event()

    def end_reads() -> None:
        while not ended.is_set():
            done = server.sql(
                "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'goldsmith' AND state = 'active' AND query LIKE '%pg_sleep%' "
                "AND query NOT LIKE '%1=0%' AND now() - query_start > interval '0.2 s') t"
            )
            if done != "0":
                return
            time.sleep(0.05)

    thread = threading.Thread(target=end_reads)
    thread.start()
    try:
        error = error_of(shop)
    finally:
        ended.set()
        thread.join()
    assert error.code == "GS310", str(error)
    assert error.retryable
    assert "terminat" in error.message
    assert shop.version("bronze.users") == -1
    read(shop, table="users", key="id")
    assert shop.done()["bronze.users"].counts.written == 3000


def test_changed_type_is_refused(shop: Lake, server: Postgres) -> None:
    server.sql(USERS)
    read(shop, table="users", key="id")
    shop.done()
    server.sql("ALTER TABLE users ALTER COLUMN changed TYPE text")
    error = error_of(shop)
    assert error.code == "GS310"
    assert "`changed` with the type string, and earlier loads read int" in error.message
    assert "CAST(changed AS ...)" in str(error.hint)
    server.sql("ALTER TABLE users ALTER COLUMN changed TYPE int USING changed::int")
    server.sql("ALTER TABLE users ADD COLUMN mail text; UPDATE users SET mail = 'm' WHERE id = 1")
    server.sql(
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(9); UPDATE users SET name = 'Barbara' WHERE id = 2"
    )
    assert shop.done()["bronze.users"].counts.written == 2
    assert shop.rows("bronze.users", "id", "name", "mail") == [
        (1, "Ada", None),
        (1, "Ada", "m"),
        (2, "Barbara", None),
        (2, "Bob", None),
        (3, None, None),
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"table": "user_", "key": "id"}, "`user_` of the connection `shop` cannot be read"),
        ({"table": "users", "key": "idd"}, "has no column `idd`"),
        ({"table": "users", "key": "name"}, "has a `key` (name) that is NULL or not unique: NULL"),
        ({"table": "users", "cursor": "changed", "overlap": "10m"}, "`changed` of the type int, and `overlap` is 10m"),
        ({"table": "users", "key": "id", "split_by": "name", "parallel": 2}, "cannot be split by `name`"),
        ({"query": "SELECT id FRM users", "key": "id"}, "The query of the connection `shop` cannot be read: ERROR: syntax"),
    ],
)  # fmt: skip
def test_wrong_declarations_are_explained(
    shop: Lake, server: Postgres, keys: dict[str, object], words: str
) -> None:
    server.sql(USERS)
    read(shop, **keys)
    if "overlap" in keys:
        read(shop, **{key: value for key, value in keys.items() if key != "overlap"})
        shop.done()
        read(shop, **keys)
    error = error_of(shop)
    assert error.code == "GS310"
    assert words in error.message
    assert not error.retryable
    assert error.hint
    assert server.password not in f"{error.message} {error.hint}"


def test_refused_log_in_and_missing_variable(
    shop: Lake, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.sql(USERS)
    read(shop, table="users", key="id")
    monkeypatch.setenv("SHOP_PASSWORD", "wrong")
    error = error_of(shop)
    assert (error.code, error.retryable) == ("GS310", False)
    assert "password authentication failed" in error.message
    monkeypatch.delenv("SHOP_PASSWORD")
    error = error_of(shop)
    assert error.code == "GS904"
    assert "`shop` in goldsmith.yaml needs the environment variable SHOP_PASSWORD" in error.message


@pytest.mark.parametrize("storage", ["disk", "s3"])
def test_table_of_sqlite(spark: SparkSession, tmp_path: Path, home: S3Home, storage: str) -> None:
    file = tmp_path / "shop.db"
    connections = f"    connections:\n      shop: {{url: 'jdbc:sqlite:{file}'}}\n"
    lake = Lake(spark, tmp_path, home if storage == "s3" else None)
    on_disk = "profiles:\n  local:\n"
    lake.write("goldsmith.yaml", (home.declared if storage == "s3" else on_disk) + connections)
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, score REAL)")
        database.execute("INSERT INTO users VALUES (1, 'Ada', 1.5), (2, NULL, NULL)")
        database.commit()
        read(lake, table="users", key="id", deletes="true")
        lake.done()
        database.execute("DELETE FROM users WHERE id = 1")
        database.commit()
    lake.done()
    assert lake.rows("bronze.users", "id", "name", "score", "_deleted") == [
        (1, None, None, True),
        (1, "Ada", 1.5, False),
        (2, None, None, False),
    ]
