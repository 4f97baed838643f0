"""Maintenance: fewer files, the same rows, and no file removed that a table still has to read."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.entry_batches import EntryBatch
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.original_rows import BAD
from goldsmith.engine.delta.quarantine import QuarantineTable
from goldsmith.errors import DeclarationError
from goldsmith.quality.judge import OUTCOME, REASONS
from goldsmith.run.maintaining import MaintenanceResult, maintain
from goldsmith.run.purging import purge
from support.lake import Lake

BRONZE = """
    source: {files: orders/*.csv, format: csv}
    columns: {id: int, amount: int}
"""
SILVER = """
    load: {merge: {key: id, newest_by: _source_file}}
    expectations:
      - expect_column_values_to_be_between: {column: amount, min_value: 0}
        otherwise: quarantine
"""
QUERY = "SELECT id, amount, _source_file FROM bronze.orders"


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    lake = Lake(spark, tmp_path)
    lake.declare("bronze.orders", BRONZE)
    lake.declare("silver.orders", SILVER, QUERY)
    lake.deliver("orders/a.csv", "id,amount\n1,10\n2,-5\n")
    lake.done()
    return lake


def maintained(lake: Lake, *names: str, dry_run: bool = False) -> dict[str, MaintenanceResult]:
    run = lake.begin()
    chosen = run.project.select(names)
    done = maintain(lake.spark, run, chosen, ops=not names, dry_run=dry_run, parallel=2)
    assert [each.error for each in done if each.error] == []
    return {each.table: each for each in done}


def older(lake: Lake, name: str, days: float, *, after: int = -1) -> None:
    """Dates the commits after a version, and their removed files, back by some days."""
    by = int(days * 24 * 3600 * 1000)
    for path in sorted(Path(lake.path(name), "_delta_log").glob("*.json")):
        if int(path.stem) <= after:
            continue
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        for action in actions:
            if "commitInfo" in action:
                action["commitInfo"]["timestamp"] -= by
            if "remove" in action:
                action["remove"]["deletionTimestamp"] -= by
        path.write_text("".join(json.dumps(action) + "\n" for action in actions))
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    lake.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]


def files_older(lake: Lake, name: str, days: float) -> None:
    then = datetime.now(UTC).timestamp() - days * 24 * 3600
    for path in Path(lake.path(name)).rglob("*.parquet"):
        os.utime(path, (then, then))


def test_compaction_reduces_files_and_keeps_the_ledger(lake: Lake) -> None:
    for number in range(3):
        lake.deliver(f"orders/b{number}.csv", f"id,amount\n{number + 10},7\n")
        lake.done()
    before, quarantined = lake.rows("silver.orders"), lake.quarantine("silver.orders")
    done = maintained(lake)
    assert done["bronze.orders"].compacted == (4, 1)
    assert done["silver.orders"].removed == 0
    assert "ops.table_runs" in done
    assert lake.rows("silver.orders") == before
    assert lake.quarantine("silver.orders") == quarantined
    outcomes = lake.done()
    assert {outcome.status for outcome in outcomes.values()} == {"nothing_new"}
    assert outcomes["bronze.orders"].counter == 5
    lake.deliver("orders/c.csv", "id,amount\n30,7\n31,-1\n")
    outcomes = lake.done()
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert outcomes["silver.orders"].commits[0].mode == "incremental"
    assert len(lake.quarantine("silver.orders")) == 2
    modes = {row.mode for row in lake.table("ops.table_runs").select("mode").collect()}
    assert modes == {"first", "incremental"}


def test_repeated_maintenance_commits_nothing(lake: Lake) -> None:
    maintained(lake)
    versions = {name: lake.version(name) for name in ("bronze.orders", "silver.orders", "ops.table_runs")}
    maintained(lake)
    assert versions == {name: lake.version(name) for name in versions}


def test_newest_commit_of_a_compacted_table_contains_the_bookmark(lake: Lake) -> None:
    lake.deliver("orders/b.csv", "id,amount\n3,7\n")
    lake.done()
    maintained(lake, "bronze.orders")
    log = TableLog(lake.path("bronze.orders"))
    metadata = log.commit(log.version()).metadata
    assert metadata is not None
    assert (metadata.mode, metadata.counter, metadata.files) == ("maintenance", 3, ())


def test_old_files_are_removed_unless_a_reader_needs_them(lake: Lake) -> None:
    run_bronze = lambda: lake.done("bronze.orders")  # noqa: E731
    for number in range(3):
        lake.deliver(f"orders/b{number}.csv", f"id,amount\n{number + 10},7\n")
        run_bronze()
    maintained(lake, "bronze.orders")
    older(lake, "bronze.orders", 20)
    files_older(lake, "bronze.orders", 20)
    planned = maintained(lake, "bronze.orders", dry_run=True)["bronze.orders"]
    assert (planned.held_by, planned.removed) == ("silver.orders", 0)
    assert maintained(lake, "bronze.orders")["bronze.orders"].removed == 0
    outcomes = lake.done("silver.orders")
    assert outcomes["silver.orders"].commits[0].mode == "incremental"
    planned = maintained(lake, "bronze.orders", dry_run=True)["bronze.orders"]
    assert planned.held_by is None
    assert planned.removed == 4
    assert maintained(lake, "bronze.orders")["bronze.orders"].removed == 4
    assert maintained(lake, "bronze.orders", dry_run=True)["bronze.orders"].removed == 0
    assert len(lake.rows("bronze.orders")) == 5
    lake.deliver("orders/c.csv", "id,amount\n30,7\n")
    assert lake.done()["silver.orders"].commits[0].mode == "incremental"


def test_foreign_change_is_detected_after_maintenance(lake: Lake) -> None:
    lake.table("silver.orders").limit(1).write.format("delta").mode("append").save(lake.path("silver.orders"))
    maintained(lake)
    outcome = lake.done()["silver.orders"]
    assert outcome.reason == "changed outside Goldsmith"
    assert [row[:2] for row in lake.rows("silver.orders")] == [(1, 10)]


def test_entries_of_a_killed_run_are_removed_after_maintenance(lake: Lake) -> None:
    lake.deliver("orders/b.csv", "id,amount\n3,7\n")
    lake.done()
    quarantined = lake.quarantine("silver.orders")
    assert len(quarantined) == 1
    quarantine = QuarantineTable(lake.spark, lake.begin().quarantine_path("silver.orders"))
    judged = lake.table("silver.orders").select(
        "id",
        F.lit("quarantine").alias(OUTCOME),
        F.array(F.lit("left")).alias(REASONS),
        F.lit(None).cast("map<string,string>").alias(BAD),
    )
    quarantine.add(judged, ["id"], EntryBatch("killed", 3, datetime.now(UTC)))
    maintained(lake)
    lake.deliver("orders/c.csv", "id,amount\n4,7\n")
    lake.done()
    assert lake.quarantine("silver.orders") == quarantined


def retain(lake: Lake, retention: str) -> None:
    lake.write("goldsmith.yaml", f"{lake.home.declared}\nretention: {retention}\n")


def test_rows_older_than_the_retention_expire(lake: Lake) -> None:
    lake.done()
    retain(lake, "{quarantine: 1d, ops: 1d}")
    assert all(each.expired == 0 for each in maintained(lake).values())
    assert len(lake.quarantine("silver.orders")) == 1
    retain(lake, "{quarantine: 1s, ops: 1s}")
    runs, verdicts = (lake.table(f"ops.{name}").count() for name in ("table_runs", "expectations"))
    expected = {"quarantine.silver_orders": 1, "ops.table_runs": runs, "ops.expectations": verdicts}
    for dry_run in (True, False):
        done = maintained(lake, dry_run=dry_run)
        assert {name: each.expired for name, each in done.items() if each.expired} == expected
    assert (
        lake.quarantine("silver.orders") == lake.rows("ops.table_runs") == lake.rows("ops.expectations") == []
    )
    # The ledger stays, no expired record is restored, and the loads continue.
    assert len(lake.rows("ops.files")) == 1
    assert lake.idle() is not None
    lake.deliver("orders/b.csv", "id,amount\n3,30\n4,-1\n")
    done = lake.done()
    assert [outcome.counts.rows_in for outcome in done.values()] == [2, 2]
    assert lake.rows("silver.orders", "id") == [(1,), (3,)]
    assert len(lake.quarantine("silver.orders")) == 1
    assert lake.table("ops.table_runs").count() == 2


def test_purged_rows_are_gone_and_others_stay(lake: Lake) -> None:
    lake.deliver("orders/b.csv", "id,amount\n3,-30\n4,-1\nx,5\n")
    lake.done()
    run = lake.begin()
    silver, bronze = run.project.tables["silver.orders"], run.project.tables["bronze.orders"]
    assert purge(lake.spark, run, silver, "id = 3", dry_run=True) == 1
    assert len(lake.quarantine("silver.orders")) == 3
    assert purge(lake.spark, run, silver, "id = 3 OR amount = -1") == 2
    assert purge(lake.spark, run, silver, "id = 3") == 0
    assert [row["id"] for _, row in lake.quarantine("silver.orders")] == [2]
    assert purge(lake.spark, run, bronze, "id = 'x'") == 1
    with pytest.raises(DeclarationError, match="--where is invalid"):
        purge(lake.spark, run, silver, "nothing = 1")
    assert {outcome.status for outcome in lake.done().values()} == {"nothing_new"}
    lake.declare("silver.orders", SILVER.replace("min_value: 0", "min_value: -5"), QUERY)
    lake.done()
    assert lake.rows("silver.orders", "id") == [(1,), (2,), (4,)], (
        "a rebuild reads the rows from bronze again"
    )
    assert sorted(row["id"] for _, row in lake.quarantine("silver.orders")) == [3]
