"""Types of late columns: types that need a table feature, and types of files that differ."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from support.lake import Lake

SOURCE = "source: {files: t/*.csv, format: csv}\n"
SMALL = "expectations: [{condition: id < 5, name: small, otherwise: quarantine}]"
MOMENT = "2013-01-01 00:00:00"


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(spark, tmp_path)


def parquet(**columns: list[object]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def test_timestamp_ntz_column_is_added_to_existing_tables(lake: Lake) -> None:
    """It is also added to their quarantines, and by an incremental load (the query is `*`)."""
    lake.declare("bronze.t", f"{SOURCE}columns: {{id: int}}\n{SMALL}")
    for name, load in (("silver.m", "{merge: {key: [id]}}"), ("silver.a", "append")):
        lake.declare(
            name, f"load: {load}\n{SMALL.replace('5', '3')}", "SELECT * EXCEPT (_run_id) FROM bronze.t"
        )
    lake.deliver("t/a.csv", "id\n1\n4\n9\n")
    lake.done()
    lake.declare("bronze.t", f"{SOURCE}columns: {{id: int, at: timestamp_ntz}}\n{SMALL}")
    lake.deliver("t/b.csv", f"id,at\n2,{MOMENT}\n8,{MOMENT}\n3,{MOMENT}\n")
    lake.done()
    for name, quarantined in (("bronze.t", 2), ("silver.m", 2), ("silver.a", 2)):
        assert dict(lake.table(name).dtypes)["at"] == "timestamp_ntz", name
        found = lake.table(name).where(f"at = TIMESTAMP_NTZ '{MOMENT}'").count()
        assert found == (1 if name != "bronze.t" else 2), name
        assert len(lake.quarantine(name)) == quarantined, name
    assert all(not outcome.commits for outcome in lake.done().values())


def test_column_no_longer_declared_keeps_its_type_or_fails_the_load(lake: Lake) -> None:
    lake.declare("bronze.t", f"{SOURCE}columns: {{id: int, v: int}}")
    lake.deliver("t/a.csv", "id,v\n1,2\n")
    lake.done()
    lake.declare("bronze.t", f"{SOURCE}columns: {{id: int}}")
    lake.deliver("t/b.csv", "id\n2\n")
    lake.done()
    lake.deliver("t/c.csv", "id,v\n3,x\n")
    error = lake.failed("bronze.t").error
    assert error is not None
    assert error.code == "GS405"
    assert "The column v of `bronze.t` has the type int, and string in the files." in error.message
    assert "`v: int`" in str(error.hint)
    lake.declare("bronze.t", f"{SOURCE}columns: {{id: int, v: int}}")
    lake.done()
    assert lake.rows("bronze.t", "id", "v") == [(1, 2), (2, None)]
    assert len(lake.quarantine("bronze.t")) == 1


def test_changed_type_of_parquet_is_an_error_until_declared(lake: Lake) -> None:
    lake.declare("bronze.t", "source: {files: t/*.parquet, format: parquet}\ncolumns: {id: bigint}")
    lake.deliver("t/a.parquet", parquet(id=[1], v=[3]))
    lake.done()
    lake.deliver("t/b.parquet", parquet(id=[2], v=["x"]))
    error = lake.failed("bronze.t").error
    assert error is not None
    assert error.code == "GS405"
    lake.declare(
        "bronze.t", "source: {files: t/*.parquet, format: parquet}\ncolumns: {id: bigint, v: bigint}"
    )
    lake.done()
    assert lake.rows("bronze.t", "id", "v") == [(1, 3)]
    assert [reasons for reasons, _ in lake.quarantine("bronze.t")] == [("cast(v as bigint)",)]


def test_values_of_an_impossible_cast_are_quarantined(lake: Lake) -> None:
    lake.declare(
        "bronze.t", "source: {files: t/*.parquet, format: parquet}\ncolumns: {id: bigint, day: date}"
    )
    lake.deliver("t/a.parquet", parquet(id=[1, 2], day=[15706, None]))
    lake.done()
    assert lake.rows("bronze.t", "id", "day") == [(2, None)]
    ((reasons, row),) = lake.quarantine("bronze.t")
    assert reasons == ("cast(day as date)",)
    assert row["day"] == "15706"
