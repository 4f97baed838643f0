"""Columns of Parquet files whose type changes: widened, quarantined, or an error."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from support.lake import Lake
from support.parquet_files import ints, parquet

SOURCE = "source: {files: t/*.parquet, format: parquet}\n"
BIG = 2**40


def test_widened_types_reach_every_table(lake: Lake) -> None:
    lake.declare("bronze.t", f"{SOURCE}on_widened_type: widen")
    lake.declare("silver.a", "load: append", "SELECT id, v FROM bronze.t")
    lake.declare("silver.m", "load: {merge: {key: id}}", "SELECT id, v, d, at FROM bronze.t")
    old = {
        "d": pa.array([Decimal("1.25")], pa.decimal128(5, 2)),
        "f": pa.array([0.5], pa.float32()),
        "at": pa.array([date(2026, 1, 31)]),
    }
    lake.deliver("t/a.parquet", parquet(id=[1], v=ints(1), **old))
    lake.done()
    new = {
        "d": pa.array([Decimal("99999.1234")], pa.decimal128(12, 4)),
        "f": pa.array([0.1], pa.float64()),
        "at": pa.array([datetime(2026, 2, 1, 9, 30)], pa.timestamp("us")),
    }
    lake.deliver("t/b.parquet", parquet(id=[2], v=[BIG], **new))
    done = lake.done()
    assert "v is bigint, was int; d is decimal(12,4), was decimal(5,2)" in done["bronze.t"].reason
    assert "the type of v changed from int to bigint" in done["silver.m"].reason
    rows = [
        (1, 1, Decimal("1.2500"), 0.5, datetime(2026, 1, 31)),
        (2, BIG, Decimal("99999.1234"), 0.1, datetime(2026, 2, 1, 9, 30)),
    ]
    assert lake.rows("bronze.t", "id", "v", "d", "f", "at") == rows
    assert lake.rows("silver.m", "id", "v", "d", "at") == [(*row[:3], row[4]) for row in rows]
    assert lake.rows("silver.a", "id", "v") == [(1, 1), (2, BIG)]

    lake.deliver("t/c.parquet", parquet(id=[3], v=ints(3), **old))
    lake.done()
    rows.append((3, 3, *rows[0][2:]))
    assert lake.rows("bronze.t", "id", "v", "d", "f", "at") == rows
    assert all(not outcome.commits for outcome in lake.done().values())
    lake.done(rebuild=["bronze.t", "silver.a"])
    assert lake.rows("bronze.t", "id", "v", "d", "f", "at") == rows
    assert lake.rows("silver.a", "id", "v") == [(1, 1), (2, BIG), (3, 3)]


def test_widest_type_of_one_load_is_used(lake: Lake) -> None:
    lake.declare("bronze.t", SOURCE)
    lake.deliver("t/a.parquet", parquet(id=[1], v=ints(1)))
    lake.deliver("t/b.parquet", parquet(id=[2], v=[BIG]))
    lake.done()
    assert lake.rows("bronze.t", "id", "v") == [(1, 1), (2, BIG)]


def test_wider_type_is_an_error_by_default(lake: Lake) -> None:
    lake.declare("bronze.t", SOURCE)
    lake.deliver("t/a.parquet", parquet(id=[1], v=ints(1)))
    lake.done()
    lake.deliver("t/b.parquet", parquet(id=[2], v=[2]))
    error = lake.failed("bronze.t").error
    assert error is not None
    assert error.code == "GS405"
    assert "The column v of `bronze.t` has the type int, and bigint in the files." in error.message
    assert "`on_widened_type: widen`" in str(error.hint)
    assert lake.rows("bronze.t", "id", "v") == [(1, 1)]


def test_values_of_another_type_are_quarantined_if_declared(lake: Lake) -> None:
    lake.declare("bronze.t", SOURCE)
    lake.deliver("t/a.parquet", parquet(id=[1], v=ints(1)))
    lake.done()
    lake.deliver("t/b.parquet", parquet(id=[2, 3], v=["2", "x"]))
    error = lake.failed("bronze.t").error
    assert error is not None
    assert "`on_changed_type: quarantine`" in str(error.hint)

    lake.declare("bronze.t", f"{SOURCE}on_changed_type: quarantine")
    counts = lake.done()["bronze.t"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (2, 1, 1)
    expected = [(1, 1), (2, 2)]
    for _ in range(2):
        assert lake.rows("bronze.t", "id", "v") == expected
        ((reasons, row),) = lake.quarantine("bronze.t")
        assert (reasons, row["v"]) == (("cast(v as int)",), "x")
        lake.done(rebuild=["bronze.t"])


def test_column_that_no_new_file_has_keeps_its_type(lake: Lake) -> None:
    lake.declare("bronze.t", f"{SOURCE}columns: {{id: bigint, v: {{}}}}\non_missing_column: fill")
    lake.deliver("t/a.parquet", parquet(id=[1], v=ints(1)))
    lake.done()
    lake.deliver("t/b.parquet", parquet(id=[2]))
    lake.done()
    assert lake.rows("bronze.t", "id", "v") == [(1, 1), (2, None)]
