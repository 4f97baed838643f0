"""Changes outside Goldsmith: RESTORE, OPTIMIZE, VACUUM, lost logs, recreated tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from support.lake import Lake
from support.properties import Upstream

SCHEMA = "id int, n int"
MERGE = """
load: {merge: {key: id, newest_by: n}}
expectations: [{condition: "n < 100", name: small, otherwise: quarantine}]
"""
SQL = "SELECT id, n FROM bronze.src"


def test_restored_table_is_loaded_incrementally_from_its_version(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}, {"id": 2, "n": 200}])
    lake.declare("silver.t", MERGE, SQL)
    lake.done("silver")
    source.append([{"id": 1, "n": 2}, {"id": 3, "n": 300}])
    source.sql("DELETE FROM {t} WHERE id = 2")
    lake.done("silver")
    source.sql("UPDATE {t} SET n = 301 WHERE id = 3")
    source.append([{"id": 4, "n": 400}, {"id": 4, "n": 4}])
    lake.done("silver")
    expected = [(1, 2), (4, 4)]
    quarantined = [(("small",), {"id": 3, "n": 301}), (("small",), {"id": 4, "n": 400})]
    assert (lake.rows("silver.t"), lake.quarantine("silver.t")) == (expected, quarantined)
    lake.spark.sql(f"RESTORE delta.`{lake.path('silver.t')}` TO VERSION AS OF 0")
    assert lake.rows("silver.t") == [(1, 1)]
    done = lake.done("silver")
    assert [commit.mode for commit in done["silver.t"].commits] == ["incremental"]
    assert (lake.rows("silver.t"), lake.quarantine("silver.t")) == (expected, quarantined)
    assert lake.done("silver")["silver.t"].status == "nothing_new"


def test_restored_upstream_is_followed_and_an_optimized_one_ignored(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}])
    source.append([{"id": 1, "n": 2}, {"id": 2, "n": 2}])
    lake.declare("silver.t", MERGE, SQL)
    lake.done("silver")
    source.sql("OPTIMIZE {t}")
    assert lake.done("silver")["silver.t"].status == "nothing_new"
    assert lake.version("silver.t") == 0
    source.sql("RESTORE {t} TO VERSION AS OF 0")
    lake.done("silver")
    assert lake.rows("silver.t") == [(1, 1)]


def test_recreated_upstream_causes_a_rebuild(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.t", MERGE, SQL)
    lake.done("silver")
    lake.remove("bronze.src")
    source.append([{"id": 2, "n": 2}])
    source.append([{"id": 3, "n": 3}])
    outcome = lake.done("silver")["silver.t"]
    assert outcome.commits[0].mode == "rebuild"
    assert outcome.warnings
    assert lake.rows("silver.t") == [(2, 2), (3, 3)]


def test_truncated_log_of_an_upstream_causes_a_rebuild(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.t", MERGE, SQL)
    lake.done("silver")
    source.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.checkpointInterval' = '1')")
    source.sql("DELETE FROM {t} WHERE id = 1")
    source.append([{"id": 2, "n": 2}])
    for version in range(3):
        lake.home.remove(f"{source.path}/_delta_log", f"{version:020d}.json")
    outcome = lake.done("silver")["silver.t"]
    assert (outcome.commits[0].mode, len(outcome.warnings)) == ("rebuild", 1)
    assert lake.rows("silver.t") == [(2, 2)]


@pytest.fixture
def vacuum_at_once(spark: SparkSession) -> Iterator[None]:
    key = "spark.databricks.delta.retentionDurationCheck.enabled"
    spark.conf.set(key, "false")
    yield
    spark.conf.unset(key)


@pytest.mark.usefixtures("vacuum_at_once")
def test_vacuumed_changes_of_an_upstream_cause_a_full_load(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.t", MERGE, SQL)
    lake.done("silver")
    source.append([{"id": 2, "n": 2}])
    source.sql("UPDATE {t} SET n = 3 WHERE id = 2")
    source.sql("VACUUM {t} RETAIN 0 HOURS")
    outcome = lake.done("silver")["silver.t"]
    assert (outcome.commits[0].mode, len(outcome.warnings)) == ("full", 1)
    assert lake.rows("silver.t") == [(1, 1), (2, 3)]
    assert lake.done("silver")["silver.t"].status == "nothing_new"


def test_rows_written_outside_goldsmith_cause_a_rebuild(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.t", MERGE, SQL)
    lake.done("silver")
    lake.spark.sql(f"INSERT INTO delta.`{lake.path('silver.t')}` VALUES (9, 9)")
    outcome = lake.done("silver")["silver.t"]
    assert (outcome.commits[0].mode, len(outcome.warnings)) == ("rebuild", 1)
    assert lake.rows("silver.t") == [(1, 1)]


def test_table_of_foreign_origin_is_refused(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.t", MERGE, SQL)
    lake.declare("bronze.in", "source: {files: in/*.csv, format: csv}\ncolumns: {id: int}")
    lake.deliver("in/a.csv", "id\n1\n")
    for name in ("silver.t", "bronze.in"):
        lake.spark.sql("SELECT 7 AS id, 7 AS n").write.format("delta").save(lake.path(name))
    outcomes = lake.run("silver.t", "bronze.in").outcomes
    assert [outcome.error and outcome.error.code for outcome in outcomes] == ["GS406", "GS406"]
    assert lake.rows("silver.t") == lake.rows("bronze.in") == [(7, 7)]
    lake.done("silver.t", rebuild=["silver.t"])
    assert lake.rows("silver.t") == [(1, 1)]


def test_first_load_killed_after_creating_the_table_is_recovered(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", SCHEMA)
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.t", MERGE + "cluster_by: id\n", SQL)
    lake.declare("bronze.in", "source: {files: in/*.csv, format: csv}\ncolumns: {id: int}\ncluster_by: id\n")
    lake.deliver("in/a.csv", "id\n1\n")
    for name in ("silver.t", "bronze.in"):
        lake.spark.sql(f"CREATE TABLE delta.`{lake.path(name)}` (id int, n int) USING delta CLUSTER BY (id)")
    lake.done("silver.t", "bronze.in")
    assert lake.rows("silver.t") == [(1, 1)]
    assert lake.rows("bronze.in", "id") == [(1,)]
