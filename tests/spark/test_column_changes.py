"""`goldsmith plan` names the changes of columns that new files bring, without Spark, as the load then reports them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goldsmith.engine.ingest.parquet_schema import FOOTER, parquet_types
from goldsmith.run.column_changes import MOST_FILES
from goldsmith.run.preview import PreviewStep, preview
from support.avro_files import avro
from support.lake import Lake
from support.parquet_files import ints, parquet

SOURCE = "source: {files: t/*.parquet, format: parquet}\n"
WIDEN = f"{SOURCE}on_widened_type: widen\n"
QUARANTINE = f"{SOURCE}on_changed_type: quarantine\n"
CSV = "source: {files: t/*.csv, format: csv}\ncolumns: {id: int, v: string}\n"


def planned(lake: Lake, table: str = "bronze.t") -> PreviewStep:
    (step,) = preview(None, lake.begin(), [table])
    return step


@pytest.mark.parametrize(
    ("declared", "former", "new", "words"),
    [
        (WIDEN, parquet(id=[1], v=ints(1)), parquet(id=[2], v=[2]), "; v is bigint, was int"),
        (WIDEN, parquet(id=[1], V=ints(1)), parquet(ID=[2], v=[2]), "; V is bigint, was int"),
        (WIDEN, parquet(id=[1], v=[1]), parquet(id=[2], v=ints(2)), ""),
        (SOURCE, parquet(id=[1]), parquet(id=[2], w=["a"], x=[0.5]), "; new columns w, x"),
        (QUARANTINE, parquet(id=[1], v=[1]), parquet(id=[2], v=["x"]), ""),
        (CSV, "id,v\n1,a\n", "v,id,w\nb,2,c\n", "; new column w"),
        (f"{CSV}on_new_column: ignore\n", "id,v\n1,a\n", "id,v,w\n2,b,c\n", ""),
        (f"{CSV}on_missing_column: fill\n", "id,v\n1,a\n", "id\n2\n", ""),
    ],
)
def test_plan_and_load_name_the_same_changes(
    lake: Lake, declared: str, former: str | bytes, new: str | bytes, words: str
) -> None:
    ending = "csv" if "csv" in declared else "parquet"
    lake.declare("bronze.t", declared)
    lake.deliver(f"t/a.{ending}", former)
    assert planned(lake).reason == lake.done()["bronze.t"].reason == "1 new file"
    lake.deliver(f"t/b.{ending}", new)
    assert planned(lake).reason == lake.done()["bronze.t"].reason == f"1 new file{words}"
    assert planned(lake).reason == "no new files"


def test_plan_says_what_a_wider_type_costs_and_what_is_quarantined(lake: Lake) -> None:
    lake.declare("bronze.t", f"{WIDEN}on_changed_type: quarantine")
    lake.declare("silver.s", "load: append", "SELECT id, v FROM bronze.t")
    lake.deliver("t/a.parquet", parquet(id=[1], v=ints(1), at=[date(2026, 1, 1)]))
    lake.done()
    lake.deliver("t/b.parquet", parquet(id=[2], v=[2], at=["never"]))
    assert planned(lake).warning == (
        "at is string in the new files and remains date: rows whose values do not fit are quarantined; "
        "the changed type makes the next load of silver.s compute the whole table"
    )
    done = lake.done()
    assert done["bronze.t"].counts.quarantined == 1
    assert "the type of v changed from int to bigint" in done["silver.s"].reason


@pytest.mark.parametrize(
    ("declared", "former", "new"),
    [
        (SOURCE, parquet(id=[1], v=ints(1)), parquet(id=[2], v=[2])),
        (SOURCE, parquet(id=[1], v=ints(1)), parquet(id=[2], v=["x"])),
        (SOURCE, parquet(id=[1]), parquet(id=[2], _run_id=["x"])),
        (SOURCE, parquet(id=[1]), parquet(id=[2])[:-30]),
        (SOURCE, parquet(id=[1]), b""),
        (f"{SOURCE}columns: {{id: bigint}}\non_new_column: fail", parquet(id=[1]), parquet(id=[2], w=[3])),
        (CSV, "id,v\n1,a\n", "id;v\n2;b\n"),
        (CSV, "id,v\n1,a\n", "id\n2\n"),
    ],
)
def test_plan_announces_the_error_of_the_load(
    lake: Lake, declared: str, former: str | bytes, new: str | bytes
) -> None:
    ending = "csv" if "csv" in declared else "parquet"
    lake.declare("bronze.t", declared)
    lake.deliver(f"t/a.{ending}", former)
    lake.done()
    lake.deliver(f"t/b.{ending}", new)
    step = planned(lake)
    error = lake.failed("bronze.t").error
    assert error is not None
    assert (step.action, step.reason, step.warning) == ("fail", f"{error.code} {error.message}", error.hint)


def test_plan_names_changes_of_avro_files(lake: Lake) -> None:
    lake.declare("bronze.t", "source: {files: t/*.avro, format: avro}\non_widened_type: widen")
    lake.deliver("t/a.avro", avro([("id", "int")], (1,)))
    lake.done()
    lake.deliver("t/b.avro", avro([("id", "long"), ("w", "string")], (2, "a")))
    assert (
        planned(lake).reason
        == lake.done()["bronze.t"].reason
        == "1 new file; new column w; id is bigint, was int"
    )


def test_newest_files_of_many_are_read(lake: Lake) -> None:
    lake.declare("bronze.t", CSV)
    lake.deliver("t/a.csv", "id,v\n0,a\n")
    lake.done()
    for number in range(MOST_FILES):
        lake.deliver(f"t/b{number:03}.csv", f"id,v\n{number},a\n")
    lake.deliver("t/c.csv", "id,v,w\n1,a,b\n")
    assert planned(lake).reason == f"{MOST_FILES + 1} new files; new column w"


def test_types_of_parquet_are_those_that_spark_reads(lake: Lake) -> None:
    columns = {
        "flag": pa.array([True]),
        "i8": pa.array([1], pa.int8()),
        "i16": pa.array([1], pa.int16()),
        "i32": ints(1),
        "i64": [1],
        "u8": pa.array([1], pa.uint8()),
        "u16": pa.array([1], pa.uint16()),
        "u32": pa.array([1], pa.uint32()),
        "u64": pa.array([1], pa.uint64()),
        "f32": pa.array([1.0], pa.float32()),
        "f64": [1.0],
        "small": pa.array([Decimal("1.5")], pa.decimal128(5, 2)),
        "large": pa.array([Decimal("1.5")], pa.decimal128(38, 18)),
        "text": ["a"],
        "coded": pa.array(["a"]).dictionary_encode(),
        "bytes": [b"a"],
        "fixed": pa.array([b"ab"], pa.binary(2)),
        "day": [date(2026, 1, 1)],
        "millis": pa.array([0], pa.timestamp("ms", "UTC")),
        "local": pa.array([0], pa.timestamp("us")),
        "with.points": [1],
        "Köln ✓": [1],
    }
    nested = {
        "items": [[1]],
        "inner": [{"text": 1}],
        "pairs": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    }
    file = lake.deliver("one.parquet", parquet(**columns, **nested))
    found = parquet_types(file.read_bytes()[-FOOTER:])
    read = {field.name: field.dataType.simpleString() for field in lake.spark.read.parquet(str(file)).schema}
    assert list(found) == list(read)
    assert {name: kind for name, kind in found.items() if kind} == {name: read[name] for name in columns}

    stamps = pa.table({"old": pa.array([0], pa.timestamp("ns"))})
    pq.write_table(stamps, file, use_deprecated_int96_timestamps=True)
    assert parquet_types(file.read_bytes()) == {"old": "timestamp"}
    pq.write_table(stamps, file)
    assert parquet_types(file.read_bytes()) == {"old": ""}

    lake.spark.sql(
        "SELECT named_struct('a', 1Y) AS s, map(1, 'x') AS m, DATE '2026-01-01' AS d"
    ).write.parquet(str(lake.root / "own"))
    (own,) = (lake.root / "own").glob("*.parquet")
    assert parquet_types(own.read_bytes()) == {"s": "struct<a:tinyint>", "m": "map<int,string>", "d": "date"}


def test_schema_larger_than_the_usual_footer_is_read(lake: Lake) -> None:
    lake.declare("bronze.t", SOURCE)
    wide = {f"a_column_with_a_rather_long_name_{number}": [number] for number in range(3000)}
    lake.deliver("t/a.parquet", parquet(id=[1]))
    lake.done()
    file = lake.deliver("t/b.parquet", parquet(**wide))
    assert int.from_bytes(file.read_bytes()[-8:-4], "little") > FOOTER
    assert planned(lake).reason.endswith("a_column_with_a_rather_long_name_2999")
