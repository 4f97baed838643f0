"""Reads of a table's log, and settings that depend on a load's size."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql.types import DataType, StructType, VariantType

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.spark_types import types_in
from goldsmith.engine.launch.session import SMALL, sized
from support.lake import Lake


def test_commit_with_large_metadata_is_read_completely(lake: Lake) -> None:
    lake.declare("bronze.t", "source: {files: t/*.csv, format: csv}\ncolumns: {id: int}\n")
    names = [f"t/{number:03}-{'äß€😀' * 9}.csv" for number in range(120)]
    for name in names:
        lake.deliver(name, "id\n1\n")
    lake.done()
    commit = TableLog(lake.path("bronze.t")).commit(0)
    assert commit.metadata is not None
    assert [file.path for file in commit.metadata.files] == sorted(names)
    assert TableLog(lake.path("bronze.t")).size() == sum(lake.home.sizes(lake.path("bronze.t"), ".parquet"))


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


_TYPES = """
a tinyint, b smallint, c int, d bigint, e float, f double, g decimal(38,18), h string, i binary, j boolean, k date,
l timestamp, m timestamp_ntz, n interval day to second, o interval year to month, p interval hour,
q array<struct<x:int,y:array<map<string,decimal(5,1)>>>>, r map<bigint,struct<`odd name`:timestamp>>,
s string collate UTF8_LCASE, t array<string collate UNICODE_CI>, u map<string collate UTF8_LCASE,string>,
v struct<w:string collate UTF8_LCASE>
"""


def test_types_have_the_names_of_spark(spark: SparkSession) -> None:
    schema = DataType.fromDDL(" ".join(_TYPES.split()))
    assert isinstance(schema, StructType)
    schema.add("variant", VariantType()).add("nothing", "void")
    expected = {field.name: field.dataType.simpleString() for field in schema.fields}
    assert types_in(schema.json()) == expected
