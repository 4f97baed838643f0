"""The types and values of Avro files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from goldsmith.engine.ingest.avro import AvroError, avro_records, avro_schema
from support.avro_files import avro, logical

DECIMAL = logical("bytes", "decimal", precision=38, scale=10)
LONG_DECIMAL = logical("bytes", "decimal", precision=50, scale=2)
FIXED = {"type": "fixed", "name": "code", "size": 3}
FIXED_DECIMAL = {**logical("fixed", "decimal", precision=9, scale=2), "name": "price", "size": 4}
UUIDS = {**logical("fixed", "uuid"), "name": "id", "size": 16}
ENUM = {"type": "enum", "name": "side", "symbols": ["BUY", "SELL"]}
POINT = {
    "type": "record",
    "name": "point",
    "fields": [{"name": "at", "type": logical("long", "timestamp-millis")}],
}
ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
UNSCALED = 12345678901234567890123456789012345678

CASES: list[tuple[str, Any, Any, str, Any]] = [
    ("long", "long", -(2**63), "bigint", -(2**63)),
    ("float", "float", 0.1, "float", 0.10000000149011612),
    ("bytes", "bytes", b"\x00\xff", "binary", b"\x00\xff"),
    ("null", "null", None, "string", None),
    (
        "decimal",
        DECIMAL,
        Decimal(f"-{UNSCALED}e-10"),
        "decimal(38,10)",
        f"-{str(UNSCALED)[:-10]}.{str(UNSCALED)[-10:]}",
    ),
    ("decimal of 50 digits", LONG_DECIMAL, Decimal("1" * 48 + ".25"), "string", "1" * 48 + ".25"),
    ("decimal in fixed", FIXED_DECIMAL, Decimal("-1234567.89"), "decimal(9,2)", "-1234567.89"),
    ("fixed", FIXED, b"abc", "binary", b"abc"),
    ("enum", ENUM, "SELL", "string", "SELL"),
    ("uuid", logical("string", "uuid"), ID, "string", str(ID)),
    ("uuid in fixed", UUIDS, ID.bytes, "string", str(ID)),
    ("date", logical("int", "date"), date(1969, 12, 31), "date", -1),
    ("day after 9999", logical("int", "date"), 3_000_000, "date", 3_000_000),
    (
        "millis",
        logical("long", "timestamp-millis"),
        253_500_000_000_001,
        "timestamp",
        253_500_000_000_001_000,
    ),
    ("micros", logical("long", "timestamp-micros"), -(2**63), "timestamp", -(2**63)),
    ("nanos", logical("long", "timestamp-nanos"), 2**62 + 1, "bigint", 2**62 + 1),
    ("local millis", logical("long", "local-timestamp-millis"), 1, "timestamp_ntz", 1000),
    ("local micros", logical("long", "local-timestamp-micros"), 1, "timestamp_ntz", 1),
    ("time in millis", logical("int", "time-millis"), 86_399_999, "string", "23:59:59.999"),
    ("time in micros", logical("long", "time-micros"), 3_600_000_001, "string", "01:00:00.000001"),
    ("unknown logical type", logical("string", "iban"), "DE1", "string", "DE1"),
    ("logical type of another base", logical("string", "date"), "x", "string", "x"),
    ("optional", ["null", logical("int", "date")], date(1970, 1, 2), "date", 1),
    ("optional null", ["null", POINT], None, "struct<at:timestamp>", None),
    ("optional record", ["null", POINT], {"at": 2}, "struct<at:timestamp>", (2000,)),
    ("int or long", ["null", "int", "long"], 2**40, "bigint", 2**40),
    ("text or number", ["string", "null", "long"], 5, "struct<member0:string,member1:bigint>", (None, 5)),
    (
        "enum or record",
        ["null", ENUM, POINT],
        ("side", "BUY"),
        "struct<member0:string,member1:struct<at:timestamp>>",
        ("BUY", None),
    ),
    (
        "array",
        {"type": "array", "items": ["null", DECIMAL]},
        [Decimal(1), None],
        "array<decimal(38,10)>",
        [Decimal("1.0000000000"), None],
    ),
    (
        "map",
        {"type": "map", "values": POINT},
        {"a": {"at": 1}},
        "map<string,struct<at:timestamp>>",
        {"a": (1000,)},
    ),
]


def read(content: bytes) -> list[tuple[Any, ...]]:
    return list(avro_records(content))


@pytest.mark.parametrize(
    ("kind", "value", "spark", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_type_and_value_are_kept(kind: Any, value: Any, spark: str, expected: Any) -> None:
    content = avro([("v", kind)], [value])
    assert avro_schema(io.BytesIO(content)).simpleString() == f"struct<v:{spark}>"
    [(found,)] = read(content)
    assert (found, type(found)) == (expected, type(expected)) or str(found) == expected


def test_named_type_may_be_used_again() -> None:
    content = avro([("a", POINT), ("b", ["null", "point"])], [{"at": 1}, {"at": 2}])
    assert (
        avro_schema(io.BytesIO(content)).simpleString()
        == "struct<a:struct<at:timestamp>,b:struct<at:timestamp>>"
    )
    assert read(content) == [((1000,), (2000,))]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "bzip2", "xz"])
def test_every_cut_and_most_changed_bytes_of_a_file_are_detected(codec: str) -> None:
    rows: Sequence[Sequence[Any]] = [[number, f"text {number}"] for number in range(200)]
    content = avro([("n", "long"), ("s", "string")], *rows, codec=codec, sync_interval=500)
    assert read(content) == [tuple(row) for row in rows]
    sync = content[-16:]
    ends = [at + 16 for at in range(len(content)) if content.startswith(sync, at)]
    assert len(ends) > 2
    for cut in range(len(content)):
        if cut in ends:
            continue  # A file that ends between two blocks is complete.
        with pytest.raises(AvroError):
            read(content[:cut])
    for at in range(ends[0], len(content), 7):
        try:
            found = read(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        except AvroError:
            continue
        assert len(found) == 200


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not Avro"),
        (b"PAR1\x15\x04", "not Avro"),
        (b"id,name\n1,a\n", "not Avro"),
        (b"<html>503</html>", "not Avro"),
        (
            avro([("n", "int")], [1]).replace(b"null", b"lzox", 1),
            "the codec `lzox`, which is not read: null, deflate",
        ),
        (avro([("n", "int"), ("N", "int")], [1, 2]), "two fields `n`, which differ only in case"),
        (avro([("n", ["null", "r"])], [None]), "the record r contains itself"),
        (avro([("n", logical("long", "time-micros"))], [-1]), "not a time of day"),
        (avro([("n", logical("long", "timestamp-millis"))], [2**60]), "out of range"),
        (avro([("n", ENUM)], ["BUY"]).replace(b'["BUY", "SELL"]', b'["BUY"]        '), None),
        (avro([]), "without fields"),
    ],
    # Each file has a random marker, and workers have to give a test the same name.
    ids=range(11),
)
def test_file_that_cannot_be_read_is_an_error(content: bytes, message: str | None) -> None:
    if message is None:
        assert read(content) == [("BUY",)]
        return
    with pytest.raises(AvroError, match=message):
        read(content)


def test_text_that_is_not_utf_8_is_marked() -> None:
    content = avro([("s", "bytes")], [b"a\xff"]).replace(b'"bytes"', b'"string"')
    # The schema is one byte longer: its length, and that of no other value.
    length = content.index(b"avro.schema") + 11
    content = content[:length] + bytes([content[length] + 2]) + content[length + 1 :]
    assert read(content) == [("a\ufffd",)]
