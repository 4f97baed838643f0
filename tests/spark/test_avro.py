"""Avro files as a source of bronze."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from goldsmith.errors import GoldsmithError
from support.avro_files import avro, logical
from support.lake import Lake

SOURCE = "source: {files: t/*.avro*, format: avro}\n"
AMOUNT = logical("bytes", "decimal", precision=38, scale=10)
POINT = {
    "type": "record",
    "name": "point",
    "fields": [{"name": "x", "type": "double"}, {"name": "on", "type": ["null", logical("int", "date")]}],
}
FIELDS: list[tuple[str, Any]] = [
    ("id", "long"),
    ("amount", ["null", AMOUNT]),
    ("on", logical("int", "date")),
    ("at", logical("long", "timestamp-millis")),
    ("local", logical("long", "local-timestamp-micros")),
    ("side", {"type": "enum", "name": "side", "symbols": ["BUY", "SELL"]}),
    ("points", {"type": "array", "items": POINT}),
    ("tags", {"type": "map", "values": "int"}),
    ("raw", "bytes"),
    ("ratio", "float"),
]
EXACT = Decimal("1234567890123456789012345678.0123456789")
POINTS = [{"x": 0.5, "on": None}, {"x": -0.0, "on": date(2026, 2, 1)}]
MOMENT = 1_769_817_600_001
ROW = [1, EXACT, date(2026, 1, 31), MOMENT, MOMENT, "SELL", POINTS, {"a": 1}, b"\x00\xff", 0.1]
LAST = [2, None, 3_000_000, -1, -1, "BUY", [], {}, b"", float("inf")]
BIG = 2**40


def refusal(lake: Lake) -> GoldsmithError:
    error = lake.failed("bronze.t").error
    assert error is not None
    return error


def numbers(*values: int, kind: Any = "int", codec: str = "null") -> bytes:
    return avro([("id", "int"), ("v", kind)], *enumerate(values), codec=codec)


def test_types_and_values_are_kept_up_to_silver(lake: Lake) -> None:
    lake.declare("bronze.t", SOURCE)
    lake.declare("silver.t", "load: {merge: {key: id}}", "SELECT * FROM bronze.t")
    lake.deliver("t/a.avro", avro(FIELDS, ROW, codec="snappy"))
    lake.deliver("t/b.avro.gz", gzip.compress(avro(FIELDS, LAST, codec="deflate")))
    counts = lake.done()["bronze.t"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (2, 2, 0)
    types = dict(lake.table("bronze.t").dtypes)
    assert {name: types[name] for name, _ in FIELDS} == {
        "id": "bigint",
        "amount": "decimal(38,10)",
        "on": "date",
        "at": "timestamp",
        "local": "timestamp_ntz",
        "side": "string",
        "points": "array<struct<x:double,on:date>>",
        "tags": "map<string,int>",
        "raw": "binary",
        "ratio": "float",
    }
    plain = ("id", "amount", "side", "hex(raw)")
    texts = tuple(f"string(`{name}`)" for name in ("on", "at", "local", "points", "tags", "ratio"))
    points = "[{0.5, null}, {-0.0, 2026-02-01}]"
    first = ("2026-01-31", "2026-01-31 00:00:00.001", "1970-01-21 11:36:57.600001", points, "{a -> 1}", "0.1")
    last = ("+10183-09-21", "1969-12-31 23:59:59.999", "1969-12-31 23:59:59.999999", "[]", "{}", "Infinity")
    for name in ("bronze.t", "silver.t"):
        found = lake.table(name).selectExpr(*plain, *texts).orderBy("id").collect()
        assert [tuple(row) for row in found] == [
            (1, EXACT, "SELL", "00FF", *first),
            (2, None, "BUY", "", *last),
        ]
    assert lake.rows("bronze.t", "id", "_source_file") == [(1, "t/a.avro"), (2, "t/b.avro.gz")]
    assert all(not outcome.commits for outcome in lake.done().values())
    lake.done(rebuild=["bronze.t"])
    assert lake.table("bronze.t").count() == 2


def test_declared_types_quarantine_other_values(lake: Lake) -> None:
    lake.declare("bronze.t", f"{SOURCE}columns: {{id: int, v: tinyint}}\n")
    lake.deliver("t/a.avro", numbers(1, 300))
    lake.deliver("t/b.avro", avro([("V", "string"), ("ID", "long")], ["7", 2], ["x", 3]))
    counts = lake.done()["bronze.t"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (4, 2, 2)
    assert lake.rows("bronze.t", "id", "v") == [(0, 1), (2, 7)]
    assert sorted((reasons, row["v"]) for reasons, row in lake.quarantine("bronze.t")) == [
        (("cast(v as tinyint)",), "300"),
        (("cast(v as tinyint)",), "x"),
    ]


def test_changed_schemas_follow_the_policies(lake: Lake) -> None:
    lake.declare("bronze.t", SOURCE)
    lake.deliver("t/a.avro", numbers(1))
    lake.done()
    lake.deliver("t/b.avro", numbers(BIG, kind="long"))
    error = refusal(lake)
    assert (error.code, "v of `bronze.t` has the type int, and bigint in the files" in error.message) == (
        "GS405",
        True,
    )
    assert "`on_widened_type: widen`" in str(error.hint)
    lake.declare("bronze.t", f"{SOURCE}on_widened_type: widen\non_changed_type: quarantine")
    assert "v is bigint, was int" in lake.done()["bronze.t"].reason
    assert lake.rows("bronze.t", "id", "v") == [(0, 1), (0, BIG)]
    lake.deliver(
        "t/c.avro",
        avro([("id", "int"), ("v", "string"), ("w", "boolean")], [5, "5", True], [6, "six", False]),
    )
    counts = lake.done()["bronze.t"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (2, 1, 1)
    assert lake.rows("bronze.t", "id", "v", "w") == [(0, 1, None), (0, BIG, None), (5, 5, True)]
    lake.declare(
        "bronze.t", f"{SOURCE}columns: {{id: int, v: bigint}}\non_new_column: fail\non_missing_column: fail\n"
    )
    lake.deliver("t/d.avro", avro([("id", "int")], [7]))
    assert "lacks declared columns: v" in refusal(lake).message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            numbers(*range(100), codec="deflate")[:-20],
            "truncated or damaged: a block does not end with its marker",
        ),
        (numbers(*range(100))[:40], "not Avro, or its header is damaged"),
        (b"", "not Avro"),
        (b"id,v\n1,2\n", "not Avro"),
        (numbers(1).replace(b"null", b"lzox", 1), "the codec `lzox`, which is not read"),
        (avro([("v", logical("long", "time-micros"))], [-1]), "not a time of day"),
    ],
    # Each file has a random marker, and workers have to give a test the same name.
    ids=range(6),
)
def test_unreadable_file_loads_nothing_until_it_is_replaced(lake: Lake, content: bytes, message: str) -> None:
    lake.declare("bronze.t", SOURCE)
    lake.deliver("t/a b.avro", content)
    lake.deliver("t/c.avro", numbers(3))
    error = refusal(lake)
    assert error.code == "GS302"
    assert message in error.message
    assert str(error.where.file).endswith("t/a b.avro")
    assert "Deliver the file again" in str(error.hint)
    lake.deliver("t/a b.avro", numbers(1))
    assert lake.done()["bronze.t"].counts.written == 2


def test_text_that_is_not_utf_8_is_quarantined(lake: Lake) -> None:
    lake.declare("bronze.t", SOURCE)
    good = avro([("s", "string")], ["abcd"], ["x"])
    lake.deliver("t/a.avro", good.replace(b"abcd", b"ab\xffd"))
    counts = lake.done()["bronze.t"].counts
    assert (counts.written, counts.quarantined) == (1, 1)
    [(reasons, row)] = lake.quarantine("bronze.t")
    assert (reasons, row["s"]) == (("not_in_encoding",), "ab\ufffdd")


def test_moments_are_exact_at_a_change_of_the_clock(lake: Lake) -> None:
    lake.declare("bronze.t", f"{SOURCE}columns: {{at: timestamp}}\n")
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    lake.deliver("t/a.avro", avro([("at", logical("long", "timestamp-micros"))], [moment]))
    lake.done()
    assert lake.table("bronze.t").selectExpr("unix_seconds(at)").collect()[0][0] == int(moment.timestamp())
    assert lake.table("bronze.t").where("_source_modified IS NULL OR _source_size IS NULL").count() == 0
