"""Queries by `goldsmith sql`: only read-only statements run, and values are printed as text."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from goldsmith.errors import DeclarationError, GoldsmithError
from goldsmith.run.context import Run
from goldsmith.run.sql_query import run_query
from support.command import Command, command
from support.lake import Lake

TABLE = "bronze.orders"
ESC = "\x1b]8;;http://x\x07red\x1b[0m"
ODD = 'it\'s a "test" [x] ü%20'


@pytest.fixture(scope="module")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two commits to one table, in a folder with quotes in its name."""
    folder = tmp_path_factory.mktemp("asking") / ODD
    folder.mkdir()
    lake = Lake(spark, folder)
    lake.declare(
        TABLE,
        """
        description: "Orders [red]as delivered[/]."
        source: {files: "orders/*.csv", format: csv}
        columns: {id: int, note: string, ordered_on: date}
        """,
    )
    lake.deliver("orders/a.csv", f"id,note,ordered_on\n1,{ESC},2026-01-05\n2,[bold]x[/],2026-01-06\n")
    lake.done()
    lake.deliver("orders/b.csv", "id,note,ordered_on\n3,:smile:,2026-01-07\nx,bad,2026-01-07\n")
    lake.done()
    query_rows(lake, f"SELECT 1 FROM {TABLE}")
    return lake


@pytest.fixture
def goldsmith(shop: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command with the session of the tests."""

    @contextmanager
    def open_spark(*_: object, **__: object) -> Iterator[SparkSession]:
        yield shop.spark

    for module in ("opening", "spark_sql", "run", "quarantine", "report"):
        monkeypatch.setattr(f"goldsmith.cli.{module}.open_spark", open_spark)
    return command(monkeypatch, capsys)


def test_session_used_by_another_project_reads_this_one(shop: Lake, tmp_path: Path) -> None:
    other = Lake(shop.spark, tmp_path)
    other.declare(TABLE, "source: {files: o/*.csv, format: csv}\ncolumns: {id: int}")
    other.deliver("o/a.csv", "id\n9\n")
    other.done()
    query = f"SELECT id FROM {TABLE} ORDER BY id"
    for _ in range(2):
        assert query_rows(other, query) == [(9,)]
        assert query_rows(shop, query) == [(1,), (2,), (3,)]


def test_aggregates_over_dates_and_quoted_columns(shop: Lake, tmp_path: Path) -> None:
    assert query_rows(shop, f"SELECT max(ordered_on) FROM {TABLE}") == [("2026-01-07",)]
    other = Lake(shop.spark, tmp_path)
    other.declare(TABLE, "source: {files: o/*.csv, format: csv}\ncolumns: {a`b: int}")
    other.deliver("o/a.csv", "a`b\n9\n4\n")
    other.done()
    assert query_rows(other, f"SELECT min(`a``b`), count(*) FROM {TABLE}") == [(4, 2)]


def query_rows(lake: Lake, query: str) -> list[tuple[Any, ...]]:
    return [
        tuple(row) for row in run_query(lake.spark, Run.begin(lake.project(), None), query, limit=10).rows
    ]


def commits(lake: Lake) -> list[str]:
    """The names of the table's commit files on disk."""
    return sorted(path.name for path in Path(lake.path(TABLE), "_delta_log").glob("*.json"))


PATH = "delta.`{path}`"
WRITING = [
    "INSERT INTO {t} SELECT * FROM {t}",
    "INSERT OVERWRITE {t} SELECT * FROM {t} WHERE false",
    "WITH a AS (SELECT * FROM {t}) INSERT INTO {t} SELECT * FROM a",
    "FROM {t} INSERT INTO {t} SELECT *",
    "FROM {t} INSERT INTO {t} SELECT * WHERE id = 1 INSERT INTO {t} SELECT * WHERE id = 2",
    "INSERT INTO {t} REPLACE WHERE id = 1 SELECT * FROM {t} WHERE id = 1",
    "/* a query */ INSERT -- really\nINTO {t} TABLE {t}",
    "EXECUTE IMMEDIATE 'DELETE FROM {t}'",
    "EXECUTE IMMEDIATE 'INSERT INTO {t} SELECT * FROM {t} WHERE id = ?' USING 1",
    "TRUNCATE TABLE {t}",
    "RESTORE TABLE {t} TO VERSION AS OF 0",
    "DELETE FROM {t}",
    "DELETE FROM IDENTIFIER('{t}')",
    "UPDATE {t} SET id = 0",
    "MERGE INTO {t} USING (SELECT 1 AS k) s ON id = k WHEN MATCHED THEN DELETE",
    "BEGIN DELETE FROM {t}; END",
    "BEGIN IF true THEN DELETE FROM {t}; END IF; END",
    "BEGIN SELECT 1; END",
    "ALTER TABLE {t} SET TBLPROPERTIES (x = 'y')",
    "ALTER TABLE {t} ADD COLUMN z int",
    "DROP TABLE {t}",
    "OPTIMIZE {t}",
    "VACUUM {t}",
    "COMMENT ON TABLE {t} IS 'mine'",
    "ANALYZE TABLE {t} COMPUTE STATISTICS",
    "CREATE TABLE bronze.mine AS SELECT * FROM {t}",
    "CREATE OR REPLACE TABLE {t} AS SELECT 1 AS id",
    "CREATE TABLE bronze.mine SHALLOW CLONE {t}",
    "CREATE TEMPORARY VIEW mine AS SELECT * FROM {t}",
    "CREATE VIEW IDENTIFIER('bronze.mine') AS SELECT 1",
    "CACHE TABLE {t}",
    "CACHE TABLE IDENTIFIER('{t}')",
    "UNCACHE TABLE IF EXISTS {t}",
    "REFRESH TABLE {t}",
    "INSERT OVERWRITE DIRECTORY '{path}/out' USING csv SELECT * FROM {t}",
    "EXPLAIN DELETE FROM {t}",
    "EXPLAIN EXTENDED INSERT INTO {t} SELECT * FROM {t}",
    "EXPLAIN EXECUTE IMMEDIATE 'DELETE FROM {t}'",
    "EXPLAIN CACHE TABLE IDENTIFIER('{t}')",
    "CALL spark_catalog.system.rollback('{t}', 0)",
    "SET spark.sql.ansi.enabled = false",
    "RESET",
    "USE bronze",
    "DECLARE VARIABLE x = 1",
    "ADD JAR '{path}/x.jar'",
    "CREATE FUNCTION mine AS 'java.lang.Math'",
    "SELECT 1; DELETE FROM {t}",
    "DELETE FROM {t};",
    "FROM {t} |> INSERT INTO {t}",
    f"DELETE FROM {PATH}",
    f"WITH a AS (SELECT 1) INSERT INTO {PATH} TABLE {{t}}",
    "SELECT TRANSFORM(id) USING 'touch {path}/ran' FROM {t}",
    "SELECT reflect('java.lang.System', 'setProperty', 'gs.ran', '1')",
    "SELECT * FROM {t} WHERE id = (SELECT java_method('java.lang.Math', 'abs', 1))",
    "SELECT try_reflect('java.lang.Math', 'abs', 1) FROM {t}",
    "SELECT transform(array(1), x -> reflect('java.lang.Math', 'abs', x)) FROM {t}",
]


@pytest.mark.parametrize("query", WRITING)
def test_statement_other_than_a_read_is_refused_without_effect(shop: Lake, query: str) -> None:
    before, folders = (
        commits(shop),
        sorted(path.name for path in Path(shop.path(TABLE)).parent.iterdir()),
    )
    with pytest.raises(DeclarationError) as refused:
        query_rows(shop, query.format(t=TABLE, path=shop.path(TABLE)))
    assert refused.value.code == "GS201", refused.value
    assert refused.value.exit_code == 2
    assert commits(shop) == before
    assert sorted(path.name for path in Path(shop.path(TABLE)).parent.iterdir()) == folders
    assert shop.spark.conf.get("spark.sql.ansi.enabled") == "true"
    assert not shop.spark.catalog.isCached(TABLE)
    system = shop.spark._jvm.java.lang.System  # type: ignore[union-attr]
    assert system.getProperty("gs.ran") is None


READING = [
    "SELECT count(*) FROM {t}",
    "select id from {t} where note not like '%DELETE FROM x; INSERT%'",
    "WITH a AS (SELECT * FROM {t}) SELECT * FROM a WHERE id IN (SELECT max(id) FROM a)",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n",
    "FROM {t} SELECT id",
    "FROM {t} |> WHERE id > 1 |> AGGREGATE count(*) GROUP BY note",
    "TABLE {t}",
    "VALUES (1), (2)",
    "SELECT * FROM {t} VERSION AS OF 1",
    "SELECT * FROM table_changes('{t}', 1)",
    "SELECT * FROM IDENTIFIER('bronze' || '.orders')",
    "SELECT * FROM `spark_catalog`.`bronze`.`orders`",
    "SELECT a.id, e.c FROM {t} a, LATERAL explode(array(1, 2)) AS e(c)",
    "SELECT * FROM {t} LEFT JOIN {t} b USING (id) ORDER BY ALL LIMIT 1;",
    "SELECT note, sum(id) OVER w FROM {t} WINDOW w AS (ORDER BY id)",
    "SELECT * FROM {t} PIVOT (count(note) FOR id IN (1, 2))",
    "SELECT note, count(*) FROM {t} GROUP BY ROLLUP (note) HAVING count(*) > 0",
    "SELECT id FROM {t} UNION SELECT 9 EXCEPT SELECT 1",
    "SELECT /*+ REPARTITION(2) */ * FROM {t} TABLESAMPLE (100 PERCENT)",
    "DESCRIBE {t}",
    "DESCRIBE HISTORY {t}",
    "DESCRIBE DETAIL {t}",
    "SHOW COLUMNS IN {t}",
    "SHOW TBLPROPERTIES {t}",
    "EXPLAIN SELECT * FROM {t}",
    "SELECT date_add(DATE '9999-12-31', 20) AS beyond, ordered_on FROM {t}",
    "/* silver.none */ SELECT 'gold.none' -- ops.none",
    "WITH silver AS (SELECT 1 AS x) SELECT silver.x FROM silver",
]


@pytest.mark.parametrize("query", READING)
def test_read_only_statements_return_rows(shop: Lake, query: str) -> None:
    before = commits(shop)
    assert query_rows(shop, query.format(t=TABLE))
    assert commits(shop) == before


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What PySpark's loggers of failed queries print: each error with its stack as JSON."""
    printed: list[str] = []

    class Recorder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            printed.append(record.getMessage())

    recorder = Recorder()
    loggers = [PySparkLogger.getLogger(f"{kind}QueryContextLogger") for kind in ("SQL", "DataFrame")]
    for logger in loggers:
        logger.addHandler(recorder)
    yield printed
    for logger in loggers:
        logger.removeHandler(recorder)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("SELECT nope FROM bronze.orders", "GS203", "`nope`"),
        ("SELECT FROM bronze.orders WHERE", "GS201", "(line 1, column"),
        ("SELECT * FROM bronze.orderz", "GS202", "`bronze.orderz`"),
        ("SELECT * FROM orders", "GS202", "`orders`"),
        ("SELECT * FROM silver.x", "GS202", "`silver.x`"),
        ("SELECT * FROM quarantine.bronze_none", "GS202", "bronze_none"),
        ("SELECT :id", "GS203", "parameter"),
        ("SELECT 1 / 0", "GS403", "Division by zero"),
    ],
)
def test_error_is_one_message_without_a_stack(
    shop: Lake, logged: list[str], query: str, code: str, message: str
) -> None:
    with pytest.raises(GoldsmithError) as raised:
        query_rows(shop, query)
    assert raised.value.code == code
    assert message in raised.value.message
    assert "\n" not in raised.value.message
    assert "SQLSTATE" not in raised.value.message or code == "GS403"
    assert logged == []


def test_control_characters_in_values_are_escaped(
    goldsmith: Command, shop: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    for arguments in (("sql", f"SELECT id, note FROM {TABLE}"), ("table", "show", TABLE)):
        ended = goldsmith(*arguments, folder=shop.root)
        assert ended.code == 0, ended.err
        assert "\x1b" not in ended.out
        assert "\x07" not in ended.out
        assert r"\x1b]8;;http://x\x07red\x1b[0m" in ended.out
        assert "[bold]x[/]" in ended.out
        assert ":smile:" in ended.out
    assert "Orders [red]as delivered[/]." in ended.out


def test_json_output_has_unescaped_values(goldsmith: Command, shop: Lake) -> None:
    query = (
        f"SELECT id, note, ordered_on, CAST(ordered_on AS timestamp_ntz) AS moment FROM {TABLE} WHERE id = 1"
    )
    ended = goldsmith("sql", query, "--json", folder=shop.root)
    assert json.loads(ended.out) == [
        {"id": 1, "note": ESC, "ordered_on": "2026-01-05", "moment": "2026-01-05T00:00:00"}
    ]


def test_control_characters_in_messages_are_escaped(goldsmith: Command, shop: Lake) -> None:
    ended = goldsmith("sql", "SELECT `\x1b[31m[red]` FROM bronze.orders", folder=shop.root)
    assert ended.code == 2
    assert "\x1b" not in ended.err
    assert r"\x1b[31m[red]" in ended.err


def test_control_characters_in_quarantined_values_are_escaped(goldsmith: Command, shop: Lake) -> None:
    shop.deliver("orders/c.csv", "id,note,ordered_on\ny,\u202e[red]\x9b,2026-01-08\nz,x,2026-01-08\n")
    ended = goldsmith("run", folder=shop.root)
    assert ended.code == 0, ended.err
    last = ended.out.strip().splitlines()[-1]
    assert "Done, but most rows of a load were not written:" in last
    assert "bronze.orders 2 of 2 rows quarantined (100 %)" in last
    assert "goldsmith quarantine show bronze.orders" in ended.err
    output = goldsmith("quarantine", "show", TABLE, folder=shop.root).out
    assert r"\u202e[red]\x9b" in output
    ended = goldsmith("status", folder=shop.root)
    assert "3 rows in quarantine" in ended.out
    assert "2 of 2 rows quarantined (100 %)" in ended.err
    found = json.loads(goldsmith("status", "--json", folder=shop.root).out)
    assert "2 of 2 rows quarantined" in found[0]["warning"]


def test_run_names_an_added_column(goldsmith: Command, shop: Lake) -> None:
    shop.deliver("orders/d.csv", "id,note,ordered_on,gate\n4,x,2026-01-09,A1\n")
    ended = goldsmith("run", folder=shop.root)
    assert "new column gate" in ended.out
    [(reason,)] = query_rows(shop, "SELECT reason FROM ops.table_runs WHERE reason LIKE '%gate%'")
    assert reason.endswith("new column gate")
    shop.deliver("orders/e.csv", "id,note,ordered_on,gate\n5,x,2026-01-09,A1\n")
    assert "new column" not in goldsmith("run", folder=shop.root).out


def test_changed_declarations_are_announced_before_the_next_load(goldsmith: Command, shop: Lake) -> None:
    declared = shop.root / "pipelines/p/bronze/orders.yaml"
    shop.declare("silver.days", "load: {merge: {key: id}}", "SELECT id, ordered_on FROM bronze.orders")
    assert goldsmith("run", folder=shop.root).code == 0
    assert "next load" not in goldsmith("status", folder=shop.root).err
    declared.write_text(declared.read_text().replace("id: int", "id: bigint"))
    shop.declare("silver.days", "load: {merge: {key: id}}", "SELECT id, ordered_on AS day FROM bronze.orders")
    rebuilt = "silver.days: The next load computes the whole table: the declaration changed."
    refused = "bronze.orders: The next load will fail with GS405. The column id of `bronze.orders` has the type int, "
    lines = goldsmith("status", folder=shop.root).err
    assert rebuilt in lines
    assert refused + "and is now declared as bigint." in lines
    announced = json.loads(goldsmith("status", "--json", folder=shop.root).out)
    assert [row["table"] for row in announced if row["next_load"]] == ["bronze.orders", "silver.days"]
    shop.declare(
        "silver.days",
        "load: {merge: {key: id}}\nincremental: required",
        "SELECT id, ordered_on AS day FROM bronze.orders",
    )
    assert "silver.days: The next load will fail with GS509." in goldsmith("status", folder=shop.root).err
    assert goldsmith("report", folder=shop.root).code == 0
    page = (shop.root / ".goldsmith/report.html").read_text()
    assert "The next load will fail with GS405." in page
    assert "The next load will fail with GS509." in page
