"""Concurrent runs on S3, without a lock: Delta's log resolves conflicts."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.delta.log import TableLog
from goldsmith.run import attempt
from goldsmith.run.first_rows import first_rows
from goldsmith.run.ledger import known_files
from goldsmith.run.planning import plan_table
from goldsmith.run.preview import preview
from goldsmith.run.quarantine_reasons import reasons
from goldsmith.run.recovery import recover
from goldsmith.run.table_status import table_statuses
from support.avro_files import avro
from support.flights_lake import FlightsLake
from support.homes import S3Home
from support.lake import Lake
from support.workbooks import workbook

RULE = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, amount: int}
expectations:
  - expect_column_values_to_be_between: {column: amount, max_value: 5}
    otherwise: quarantine
"""


def test_files_with_any_name_are_loaded_once(lake: Lake) -> None:
    names = ("a b", "100%", "%20", "plus+and&", "{x},[y]", "größe-€-😀", "back\\slash")
    lake.declare("bronze.orders", RULE)
    for number, name in enumerate(names):
        lake.deliver(f"orders/{name}.csv", f"id,amount\n{number},1\n")
    lake.done()
    assert lake.rows("bronze.orders", "id", "_source_file") == [
        (number, f"orders/{name}.csv") for number, name in enumerate(names)
    ]
    assert lake.done()["bronze.orders"].status == "nothing_new"
    lake.deliver("orders/a b.csv", "id,amount\n9,1\n")
    assert lake.done()["bronze.orders"].counts.written == 1
    lake.remove("ops.files")
    lake.deliver("orders/z.csv", "id,amount\n10,1\n")
    assert lake.done()["bronze.orders"].counts.written == 1


def test_workbooks_and_whole_documents_are_loaded_once(lake: Lake) -> None:
    lake.declare("bronze.sheets", "source: {files: x/*.xlsx, format: excel}\ncolumns: {id: int}\n")
    lake.declare(
        "bronze.pages",
        "source: {files: x/*.json, format: json, options: {records: items}}\ncolumns: {id: int}\n",
    )
    lake.deliver("x/a+b ü.xlsx", workbook(("id",), (1,), (2,)))
    lake.declare("bronze.elements", "source: {files: x/*.xml, format: xml}\ncolumns: {id: int}\n")
    lake.deliver("x/a+b ü.json", '{"items": [{"id": 1},\n{"id": 2}]}')
    lake.deliver("x/a+b ü.xml", "<r><i id='1'/><i id='2'/></r>")
    lake.declare("bronze.records", "source: {files: x/*.avro, format: avro}")
    lake.deliver("x/a+b ü.avro", avro([("id", "int")], [1], [2]))
    lake.done()
    tables = {
        "bronze.sheets": "xlsx",
        "bronze.pages": "json",
        "bronze.elements": "xml",
        "bronze.records": "avro",
    }
    for name, file in ((name, f"x/a+b ü.{ending}") for name, ending in tables.items()):
        assert lake.rows(name, "id", "_source_file") == [(1, file), (2, file)]
        assert lake.done()[name].status == "nothing_new"


def test_status_plans_and_rows_on_s3_equal_those_of_spark(lake: Lake) -> None:
    # The log is listed from the last checkpoint.
    lake.declare("bronze.orders", RULE + 'properties: {delta.checkpointInterval: "1"}\n')
    lake.declare("silver.orders", "load: {merge: {key: [id]}}", "SELECT id, amount FROM bronze.orders")
    for amount in (4, 9, 3):
        lake.deliver(f"orders/{amount}.csv", f"id,amount\n1,{amount}\n")
        lake.done()
    assert lake.home.sizes(f"{lake.path('bronze.orders')}/_delta_log", "_last_checkpoint")
    lake.deliver("orders/new.csv", "id,amount\n3,1\n")
    run = lake.begin()
    names = tuple(run.project.tables)
    assert table_statuses(None, run) == table_statuses(lake.spark, run)
    assert reasons(None, run) == reasons(lake.spark, run)
    steps = preview(None, run, names)
    assert steps == preview(lake.spark, run, names)
    assert [step.action for step in steps] == ["incremental", "look again"]
    for name in ("silver.orders", "ops.table_runs"):
        found, expected = first_rows(None, run, name, 50), first_rows(lake.spark, run, name, 50)
        assert (found.columns, found.moments) == (expected.columns, expected.moments)
        assert sorted(map(str, found.rows)) == sorted(map(str, expected.rows))
    table, log = run.project.tables["bronze.orders"], TableLog(run.path("bronze.orders"))
    assert known_files(None, run, table, log, None) == known_files(lake.spark, run, table, log, None)
    lake.remove("bronze.orders")
    assert not log.state().exists


def test_access_keys_are_in_no_setting_log_or_table(lake: Lake) -> None:
    lake.declare("bronze.orders", RULE)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n")
    lake.done()
    context: Any = lake.spark.sparkContext
    settings = context.getConf().getAll()
    texts = [str(pair) for pair in settings]
    # Spark passes the environment's keys to S3A under names whose values its pages redact.
    hidden = re.compile("(?i)secret|password|token|access[.]?key")
    hadoop = context._jsc.hadoopConfiguration().iterator()
    while hadoop.hasNext():
        setting = hadoop.next()
        if not hidden.search(str(setting.getKey())):
            texts.append(str(setting))
    table = f"delta.`{lake.path('bronze.orders')}`"
    for query in (f"DESCRIBE HISTORY {table}", f"SHOW TBLPROPERTIES {table}", "SET -v"):
        texts += [str(row) for row in lake.spark.sql(query).collect()]
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    assert len(texts) > 500
    assert [line for line in texts if secret in line] == []
    assert not any("AWS_ACCESS_KEY_ID" in line for line in texts)


def test_inspecting_run_keeps_rows_of_a_pending_commit(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.declare("bronze.orders", RULE)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    inner = attempt.write

    def write(*arguments: Any) -> Any:
        session, run = lake.spark.newSession(), lake.begin()
        table = run.project.tables["bronze.orders"]
        plan = plan_table(session, run, table)
        recover(run, plan.handle)
        assert lake.quarantine("bronze.orders") == [], "entries of a pending commit are not listed"
        return inner(*arguments)

    monkeypatch.setattr(attempt, "write", write)
    counts = lake.done()["bronze.orders"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (2, 1, 1)
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [2]


def test_run_killed_before_its_commit_loses_the_race(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run commits after the first has written its quarantined rows, and the first is killed."""
    lake.declare("bronze.orders", RULE)
    lake.deliver("orders/a.csv", "id,amount\n1,1\n2,9\n")
    inner = attempt.write

    def write(*arguments: Any) -> Any:
        monkeypatch.setattr(attempt, "write", inner)
        lake.done()
        raise SystemExit

    monkeypatch.setattr(attempt, "write", write)
    with pytest.raises(SystemExit):
        lake.run()
    assert lake.rows("bronze.orders", "id") == [(1,)]
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [2]
    assert lake.done()["bronze.orders"].status == "nothing_new"
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [2]


def test_concurrent_processes_load_everything_once(
    spark: SparkSession, tmp_path: Path, lake: Lake, full_counts: bool
) -> None:
    lake.declare("bronze.orders", RULE)
    lake.declare("silver.orders", "load: {merge: {key: id}}", "SELECT id, amount FROM bronze.orders")
    lake.declare("gold.total", "load: overwrite", "SELECT sum(amount) AS total FROM silver.orders")
    project = FlightsLake(lake.root)
    rounds = 10 if full_counts else 1
    for number in range(rounds):
        lake.deliver(f"orders/{number}.csv", f"id,amount\n{number},1\n{number + 100},9\n")
        both = [project.command("run", "--json") for _ in range(2)]
        ended = [(process.communicate()[0], process.returncode) for process in both]
        for output, code in ended:
            failed = [table["error"] for table in json.loads(output)["tables"] if table["status"] == "failed"]
            assert {error["code"] for error in failed} <= {"GS307", "GS502"}, output
            assert code == (1 if failed else 0), output
    lake.done()
    assert [row[0] for row in lake.rows("bronze.orders", "id")] == sorted(range(rounds), key=str)
    assert [row[0] for row in lake.rows("silver.orders", "id")] == sorted(range(rounds), key=str)
    assert lake.rows("gold.total") == [(rounds,)]
    assert len(lake.quarantine("bronze.orders")) == rounds
    runs = lake.table("ops.table_runs").where("status = 'done'")
    counted = runs.groupBy("table", "counter").count().where("count > 1").collect()
    assert counted == [], "each commit is recorded once"
    assert len(lake.rows("ops.files", "path")) == rounds


def test_flights_equal_those_on_disk(
    spark: SparkSession, tmp_path: Path, home: S3Home, full_counts: bool
) -> None:
    days = 7 if full_counts else 1
    disk = FlightsLake.make(tmp_path / "disk", broken=True)
    s3 = FlightsLake.make(tmp_path / "s3", broken=True)
    (s3.root / "goldsmith.yaml").write_text(home.declared.replace("name: test", "name: flights"))
    for number in range(1, days + 1):
        for lake in (disk, s3):
            lake.feed(number, number)
            lake.load(spark)
    assert s3.content(spark) == disk.content(spark)
