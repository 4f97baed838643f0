"""A cast gives the exact value or none: text compared with an independent reader, and typed values."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import DataType

from differential.delivered import Misfit, cast, observed
from goldsmith.engine.delta.original_rows import BAD
from goldsmith.engine.ingest.casting import cast_exactly
from goldsmith.engine.ingest.shape import shape

KINDS = [
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal(10,0)",
    "decimal(9,2)",
    "decimal(38,18)",
    "decimal(38,0)",
    "boolean",
    "date",
    "timestamp",
    "timestamp_ntz",
    "binary",
    "varchar(5)",
    "array<decimal(9,2)>",
    "struct<x:int,y:decimal(38,20),z:string>",
    "map<int,double>",
    "array<struct<a:array<int>,v:string>>",
]
# fmt: off
TEXTS = [
    "", " 12 ", "12", "-0", "+5", "12.50", "12.00", "1e2", "1.5e1", "10e-1", "0e-9", ".5", "5.", "x",
    "1.2.3", "1_0", "127", "128", "32768", "2147483648", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "3.14159", "3.1400", "3.141e0", "314e-2", "12345678.9", "0.1", "16777217",
    "9007199254740993", "1e-400", "1e400", "-1e39", "inf", "-Infinity", "NaN", "5d", "1.5f", "0x1p3",
    "1.7976931348623157e308", "4.9e-324", "12345678901234567890.123456789012345678",
    "12345678901234567890.1234567890123456789", "9" * 38, "9" * 39, "2024-01-02", "2024-1-2",
    "2024-01-02 00:00:00", "2024-01-02T00:00", "2024-01-02 12:00:00", "today", "now", "2024",
    "2024-01", "12024-01-01", "-0001-01-01", "0001-01-01", "9999-12-31", "2024-02-30", "2023-02-29",
    "2024-01-02 12:00:00.123456", "2024-01-02 12:00:00.1234567", "2024-01-02 12:00:00.1234560",
    "12:00", "2024-01-02T12:00:00Z", "2024-01-02T12:00:00+01:00", "2024-01-02 12:00:00 Europe/Berlin",
    "2024-01-02 junk", "9999-12-31 23:30:00-01:00", "2024-01-02 24:00:00", "2024-01-02 12",
    "1582-10-10", "1900-01-01 00:00:00", "yes", "T", "on", "1", "0", "false", "abcdef", "n\xe9\u20ac",
    "\U0001f600", "2024-01-02T12:00:00.123456789+02:00", "[1.5,2]", "[1.555]", "[]", "[1", "[null]",
    '["1.25"]', "{}", '{"x":1,"x":2}', '{"x":"east"}', '{"z":"a\\"b"}',
    '{"x":1,"y":0.12345678901234567890,"z":{"q":[1.10, 2]}}', '{"y":0.123456789012345678901}',
    '{"1":1.5}', '{"1":1,"01":2}', '{"a":1}', '[{"a":[1,2],"v":1e400}, {"a":[],"v":[ 1 ]}]',
    '[{"a":[1.5]}]', "[[[[1]]]]",
]
# fmt: on


def numbers(seed: int) -> list[str]:
    """Numbers as text, in all sizes and notations."""
    drawn = random.Random(seed)
    found = []
    for _ in range(150):
        digits = "".join(
            drawn.choice("0123456789") for _ in range(drawn.choice((1, 2, 5, 9, 17, 20, 38, 39)))
        )
        at = drawn.randint(0, len(digits))
        point = "." if drawn.random() < 0.6 else ""
        exponent = f"e{drawn.randint(-45, 45)}" if drawn.random() < 0.3 else ""
        found.append(f"{drawn.choice(('', '', '-', '+'))}{digits[:at]}{point}{digits[at:]}{exponent}")
    return found


def wanted(text: str, kind: str) -> Any:
    try:
        return cast(text, kind)
    except Misfit:
        return None


def test_text_is_cast_exactly_or_rejected(spark: SparkSession) -> None:
    texts = [*TEXTS, *numbers(13)]
    rows = spark.createDataFrame([(at, text) for at, text in enumerate(texts)], "at int, x string")
    string = DataType.fromDDL("string")
    frame = rows.selectExpr(
        "at",
        *[f"{cast_exactly('x', string, DataType.fromDDL(kind)).sql} AS c{n}" for n, kind in enumerate(KINDS)],
    )
    found = sorted(observed(frame, frame.columns), key=lambda row: row["at"])
    wrong = [
        (text, kind, row[f"c{n}"], wanted(text, kind))
        for text, row in zip(texts, found, strict=True)
        for n, kind in enumerate(KINDS)
        if row[f"c{n}"] != wanted(text, kind)
    ]
    assert wrong == []


# A value, its type, the declared type, and whether the declared type can represent the value.
TYPED = [
    ("9007199254740993", "bigint", "double", False),
    ("9007199254740992", "bigint", "double", True),
    ("9223372036854775807", "bigint", "double", False),
    ("2147483647", "int", "float", False),
    ("double('9.223372036854775808E18')", "double", "bigint", False),
    ("5.5", "double", "int", False),
    ("float('2147483648')", "float", "int", False),
    ("0.1", "double", "float", False),
    ("0.5", "double", "float", True),
    ("double('NaN')", "double", "float", True),
    ("double('NaN')", "double", "decimal(9,2)", False),
    ("3.14159", "double", "decimal(9,2)", False),
    ("3.14159", "decimal(12,5)", "decimal(9,2)", False),
    ("3.14", "decimal(12,5)", "decimal(9,2)", True),
    ("1234567890123456789012345678.5", "decimal(38,10)", "decimal(38,0)", False),
    ("0.12345678901234567890", "decimal(38,20)", "double", False),
    ("TIMESTAMP '2024-01-01 00:00:01'", "timestamp", "date", False),
    ("TIMESTAMP '2024-01-01 00:00:00'", "timestamp", "date", True),
    ("TIMESTAMP '2024-01-01 00:00:00.5'", "timestamp", "bigint", False),
    ("2", "int", "boolean", False),
    ("X'ff'", "binary", "string", False),
    ("X'6162'", "binary", "string", True),
    ("named_struct('a', 1.255)", "struct<a:decimal(5,3)>", "struct<a:decimal(5,2)>", False),
    ("named_struct('a', 'x')", "struct<a:string>", "struct<a:int>", False),
    ("array('1', 'x')", "array<string>", "array<int>", False),
    ("array('1', NULL)", "array<string>", "array<int>", True),
    ("map('1', 2D, '01', 3D)", "map<string,double>", "map<int,int>", False),
    ("map('1', 2D)", "map<string,double>", "map<int,int>", True),
]


def test_lossy_cast_of_a_typed_value_is_a_violation(spark: SparkSession) -> None:
    values = ", ".join(f"CAST({value} AS {given}) AS c{n}" for n, (value, given, _, _) in enumerate(TYPED))
    shaped = shape(spark.sql(f"SELECT {values}"), {f"c{n}": kind for n, (_, _, kind, _) in enumerate(TYPED)})
    row = shaped.frame.selectExpr(f"map_keys({BAD}) AS bad", f"{shaped.reasons} AS reasons").collect()[0]
    wrong = {f"c{n}" for n, (_, _, _, fits) in enumerate(TYPED) if not fits}
    assert set(row.bad) == wrong
    assert len(row.reasons) == len(wrong)


def test_impossible_cast_is_a_violation_of_each_value(spark: SparkSession) -> None:
    for given in [*KINDS, "string", "variant", "array<variant>", "array<struct<a:int>>", "map<string,int>"]:
        for wanted in [*KINDS, "string", "variant"]:
            frame = spark.sql(f"SELECT CAST(NULL AS {given}) AS v")
            found = shape(frame, {"v": wanted})
            kind = "string" if wanted.startswith("varchar") else DataType.fromDDL(wanted).simpleString()
            assert found.frame.schema["v"].dataType.simpleString() == kind, given
    made = spark.sql(
        "SELECT 3L AS day, array(3) AS n, named_struct('a', 1) AS b, CAST(NULL AS bigint) AS none"
    )
    shaped = shape(made, {"day": "date", "n": "int", "b": "array<int>", "none": "date"})
    row = shaped.frame.selectExpr("day", "n", "b", "none", f"{shaped.reasons} AS reasons").collect()[0]
    assert row[:4] == (None, None, None, None)
    assert row.reasons == ["cast(day as date)", "cast(n as int)", "cast(b as array<int>)"]


@pytest.mark.parametrize("text", ['[1, "x", 1.10]', "null", '{"a":[]}'])
def test_nested_variant_is_parsed_or_a_violation(spark: SparkSession, text: str) -> None:
    string, kind = DataType.fromDDL("string"), DataType.fromDDL("struct<v:variant>")
    texts = (f'{{"v":{text}}}', '{"v":1e400}', '{"v":12345678901234567890123456789012345678901}')
    rows = spark.createDataFrame(list(enumerate(texts)), "at int, x string")
    found = rows.selectExpr("at", f"({cast_exactly('x', string, kind).sql}) IS NULL AS none").orderBy("at")
    assert [row.none for row in found.collect()] == [False, True, True]
