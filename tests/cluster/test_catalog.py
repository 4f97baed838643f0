"""Tables of a project in the Hive Metastore: registered, described, repaired."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree

import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.delta.catalog import Catalog, DesiredEntry
from goldsmith.run.catalog_sync import CatalogChange, sync
from support.lake import Lake

DATABASES = ("bronze", "silver", "gold", "quarantine", "ops")


@pytest.fixture
def lake(hive: SparkSession, tmp_path: Path) -> Iterator[Lake]:
    """A project with the stack's metastore as catalog, initially empty."""
    lake = Lake(hive, tmp_path)
    lake.write("goldsmith.yaml", "name: test\nprofiles: {local: {catalog: hive}}")
    yield lake
    for name in DATABASES:
        hive.sql(f"DROP DATABASE IF EXISTS {name} CASCADE")


def flights(lake: Lake, comment: str = "Departures.") -> None:
    lake.declare(
        "bronze.d",
        f"""
        description: {comment}
        source: {{files: d/*.csv, format: csv}}
        columns:
          id: {{type: int, description: Who.}}
          paid: decimal(9,2)
        """,
    )
    lake.declare(
        "silver.d",
        """
        description: "One row each; it's clean."
        owner: analysts
        tags: [core]
        load: {merge: {key: [id], newest_by: [paid]}}
        columns: {id: {description: Who.}}
        properties: {delta.appendOnly: 'false'}
        expectations:
          - expect_column_values_to_be_between: {column: paid, min_value: 0}
            otherwise: quarantine
        """,
        "SELECT id, paid FROM bronze.d",
    )
    lake.deliver("d/1.csv", "id,paid\n1,2.50\n2,-1.00\n")


def test_concurrent_registrations_of_a_table_succeed(lake: Lake) -> None:
    location = f"file://{lake.root}"
    lake.spark.range(2).write.format("delta").save(f"{location}/t")
    catalogs = [Catalog(lake.spark.newSession()) for _ in range(4)]
    names = [f"gold{attempt}" for attempt in range(5)]
    try:
        with ThreadPoolExecutor(len(catalogs)) as pool:
            for name in names:
                list(
                    pool.map(lambda each, to=name: each.create_database(to, f"{location}/{to}", ""), catalogs)
                )
                list(
                    pool.map(
                        lambda each, to=name: each.register(DesiredEntry(f"{to}.t", f"{location}/t")),
                        catalogs,
                    )
                )
        assert [lake.spark.table(f"{name}.t").count() for name in names] == [2] * len(names)
    finally:
        for name in names:
            lake.spark.sql(f"DROP DATABASE IF EXISTS {name} CASCADE")


def synced(lake: Lake, *names: str, check: bool = False) -> list[CatalogChange]:
    run = lake.begin()
    return list(sync(lake.spark, run, run.project.select(names), check=check))


def columns(lake: Lake, name: str) -> list[tuple[str, str, str | None]]:
    rows = lake.spark.sql(f"DESCRIBE TABLE {name}").collect()
    return [(row.col_name, row.data_type, row.comment) for row in rows if row.col_name[:1] not in "#_"]


def extended(lake: Lake, name: str) -> dict[str, str]:
    rows = lake.spark.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()
    return {row.col_name: row.data_type for row in rows}


def test_run_registers_tables_with_columns_and_descriptions(lake: Lake) -> None:
    flights(lake)
    lake.done()
    spark = lake.spark
    assert {row.namespace for row in spark.sql("SHOW DATABASES").collect()} >= set(DATABASES)
    assert spark.sql("SELECT id, paid FROM silver.d").collect()[0].id == 1
    assert columns(lake, "silver.d")[0] == ("id", "int", "Who.")
    found = extended(lake, "silver.d")
    assert found["Comment"] == "One row each; it's clean."
    assert found["Type"] == "EXTERNAL"
    assert found["Location"] == f"file:{lake.path('silver.d')}"
    assert spark.sql("SELECT count(*) FROM quarantine.silver_d").first()[0] == 1
    assert spark.sql("SELECT count(*) FROM ops.table_runs").first()[0] == 2


def test_second_run_changes_no_catalog_entry(lake: Lake) -> None:
    flights(lake)
    lake.done()
    versions = {name: lake.version(name) for name in ("bronze.d", "silver.d")}
    lake.done()
    assert synced(lake, check=True) == []
    assert {name: lake.version(name) for name in versions} == versions


def test_changed_descriptions_reach_the_catalog(lake: Lake) -> None:
    flights(lake)
    lake.done()
    flights(lake, "Departures of the day.")
    lake.done()
    assert extended(lake, "bronze.d")["Comment"] == "Departures of the day."
    lake.deliver("d/2.csv", "id,paid,note\n3,1.00,late\n")
    lake.done()
    assert ("note", "string", None) in columns(lake, "bronze.d")


def test_next_run_registers_a_dropped_table(lake: Lake) -> None:
    flights(lake)
    lake.done()
    lake.spark.sql("DROP TABLE silver.d")
    assert [(change.name, change.repaired) for change in synced(lake, check=True)] == [("silver.d", False)]
    lake.done()
    assert lake.spark.table("silver.d").count() == 1
    assert extended(lake, "silver.d")["Comment"] == "One row each; it's clean."


def test_dropped_database_loses_no_rows(lake: Lake) -> None:
    flights(lake)
    lake.done()
    lake.spark.sql("DROP DATABASE silver CASCADE")
    assert lake.table("silver.d").count() == 1
    assert {change.name for change in synced(lake)} == {"silver", "silver.d"}
    assert lake.spark.table("silver.d").count() == 1
    assert synced(lake, check=True) == []


def test_entry_of_another_path_is_reported_by_runs_and_moved_by_sync(lake: Lake, tmp_path: Path) -> None:
    flights(lake)
    lake.spark.sql("CREATE DATABASE IF NOT EXISTS silver")
    lake.spark.sql(f"CREATE TABLE silver.d (x int) USING delta LOCATION '{tmp_path}/elsewhere'")
    result = lake.run()
    assert [error.code for error in result.errors] == ["GS431"]
    assert "elsewhere" in result.errors[0].message
    assert synced(lake, "silver.d")[0].repaired
    assert lake.spark.table("silver.d").columns == ["id", "paid"]
    lake.done()


def test_foreign_entry_with_the_name_is_kept(lake: Lake) -> None:
    flights(lake)
    lake.spark.sql("CREATE DATABASE IF NOT EXISTS silver")
    lake.spark.sql("CREATE VIEW silver.d AS SELECT 1 AS one")
    assert [error.code for error in lake.run().errors] == ["GS431"]
    change = next(item for item in synced(lake) if item.name == "silver.d")
    assert not change.repaired
    assert lake.spark.table("silver.d").columns == ["one"]


def test_entry_without_a_table_is_removed(lake: Lake) -> None:
    flights(lake)
    lake.done()
    rmtree(lake.path("silver.d"))
    lake.spark.catalog.refreshByPath(lake.path("silver.d"))
    changes = synced(lake, "silver.d")
    assert [(item.name, item.problem) for item in changes] == [
        ("silver.d", "is registered, and there is no table at its location")
    ]
    assert not lake.spark.catalog.tableExists("silver.d")
    assert not Path(lake.path("silver.d")).exists(), "nothing was made at the empty location"


def test_manual_changes_of_entries_are_corrected(lake: Lake) -> None:
    flights(lake)
    lake.done()
    lake.spark.sql("ALTER TABLE silver.d SET TBLPROPERTIES ('goldsmith.owner' = 'me')")
    lake.spark.sql("COMMENT ON TABLE silver.d IS 'mine'")
    synced(lake)
    assert extended(lake, "silver.d")["Comment"] == "One row each; it's clean."
    assert synced(lake, check=True) == []
