"""Reads of a table's log, and settings that depend on a load's size."""

from __future__ import annotations

from pyspark.sql import SparkSession

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.launch.session import SMALL, sized
from support.lake import Lake


def test_commit_with_large_metadata_is_read_completely(lake: Lake) -> None:
    lake.declare("bronze.t", "source: {files: t/*.csv, format: csv}\ncolumns: {id: int}\n")
    names = [f"t/{number:03}-{'äß€😀' * 9}.csv" for number in range(120)]
    for name in names:
        lake.deliver(name, "id\n1\n")
    lake.done()
    commit = TableLog(lake.spark, lake.path("bronze.t")).commit(0)
    assert commit.metadata is not None
    assert [file.path for file in commit.metadata.files] == sorted(names)
    assert TableLog(lake.spark, lake.path("bronze.t")).size() == sum(
        lake.home.sizes(lake.path("bronze.t"), ".parquet")
    )


def test_small_load_writes_one_file(lake: Lake) -> None:
    lake.declare("bronze.t", "source: {files: t/*.csv, format: csv}\ncolumns: {id: int, k: int}\n")
    lake.declare(
        "silver.t",
        "load: overwrite\n",
        "SELECT id, max(k) AS k FROM bronze.t GROUP BY id",
    )
    lake.deliver("t/a.csv", "id,k\n" + "".join(f"{number},{number % 7}\n" for number in range(500)))
    lake.done()
    assert len(lake.home.sizes(lake.path("silver.t"), ".parquet")) == 1


def test_settings_by_size_are_reset_after_the_load(spark: SparkSession) -> None:
    session = spark.newSession()
    keys = ("spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions")

    def settings() -> list[str | None]:
        return [session.conf.get(key) for key in keys]

    before = settings()
    with sized(session, SMALL):
        assert settings() == ["false", "1"]
    with sized(session, SMALL, declared=keys[1:]):
        assert settings() == ["false", before[1]]
    assert settings() == before
    for size in (SMALL + 1, None):
        with sized(session, size):
            assert settings() == before
