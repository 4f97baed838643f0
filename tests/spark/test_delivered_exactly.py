"""Bronze and its quarantine contain the delivered values exactly, according to a reader without Spark.

All cases are loaded in one run. Each is a table with one file.
"""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from differential.delivered import SYSTEM, Declared, Expected, observed, read
from support.lake import Lake

TYPES = {
    "id": "bigint",
    "small": "tinyint",
    "amount": "decimal(30,5)",
    "ratio": "double",
    "single": "float",
    "day": "date",
    "at": "timestamp",
    "local": "timestamp_ntz",
    "yes": "boolean",
    "bytes": "binary",
    "name": "string",
}
VALUES = {
    "id": ["0", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "12.50", "1e2", ""],
    "small": ["127", "-128", "128", "", "x"],
    "amount": ["12345678901234567890.12345", "0.1", "1.234567", "1e-5", "1e-6", "-0", "9" * 25, "9" * 26, ""],
    "ratio": ["0.1", "1e400", "NaN", "-0.0", "4.9e-324", "0.1", "-Infinity", "1d", ""],
    "single": ["0.5", "16777217", "1e39", "0.1", "NaN", ""],
    "day": ["0001-01-01", "9999-12-31", "20240-01-01", "2024-01-01 12:00", "2024-02-30", "today", ""],
    "at": ["2024-01-01T00:00:00.123456Z", "2024-01-01 00:00:00.1234567", "20240-01-01 00:00:00", "12:00", ""],
    "local": ["2024-01-01 00:00:00.1", "2024-01-01T00:00:00+02:00", ""],
    "yes": ["true", "N", "on", ""],
    "bytes": ["ab", "é", ""],
    "name": [
        "",
        " ",
        'a"b',
        "a,b",
        "\u2028\x85",
        "\U0001f600",
        "\x00nul\x00",
        "NULL",
        "'",
        "\\",
        "\\N",
        "é" * 3,
    ],
}


def quoted(value: str, drawn: random.Random) -> str:
    if any(character in value for character in ',"\r\n') or drawn.random() < 0.2:
        return '"' + value.replace('"', '""') + '"'
    return value


def typed_csv(seed: int, rows: int = 120) -> bytes:
    """Rows drawn from the extremes of each type, most of them with at most one invalid column."""
    drawn = random.Random(seed)
    lines = [",".join(TYPES)]
    for _ in range(rows):
        values = {name: found[0] for name, found in VALUES.items()}
        for name in drawn.sample(list(TYPES), drawn.randint(0, 2)):
            values[name] = drawn.choice(VALUES[name])
        line = ",".join(quoted(values[name], drawn) for name in TYPES)
        match drawn.randint(0, 20):
            case 0:
                line = line.replace(",", "", 1)
            case 1:
                line += ",extra"
            case 2:
                line += '"'
            case 3:
                line = f'"{line}'
            case 4:
                line = f'"x"y,{line}'
        lines.append(line)
    return ("\r\n".join(lines) + drawn.choice(("", "\r\n"))).encode()


def raw_csv(seed: int, rows: int = 150) -> str:
    """Random text of CSV's special characters."""
    drawn = random.Random(seed)
    return "a,b\n" + "".join(drawn.choice('ab,,"" \n\n\r#') for _ in range(rows * 6))


def raw_json(seed: int, rows: int = 120) -> bytes:
    """Documents, most of them valid, with numbers in all notations."""
    drawn = random.Random(seed)
    numbers = [
        "1.10",
        "1e400",
        "-0",
        "12345678901234567890.12345",
        "0.1234567890123456789",
        "1E+2",
        "9" * 40,
        "5",
    ]
    texts = [
        '"x"',
        '""',
        r'"\u00e9\"\\\/\n"',
        r'"\ud83d\ude00"',
        r'"\ud800"',
        '"1.10"',
        '" "',
        "null",
        "true",
        "false",
    ]
    nested = [
        "[1.10, 2]",
        '{"x": 0.1234567890123456789 , "y":[1.10]}',
        "[]",
        "{ }",
        '[{"a":"]}"}]',
        "[[1],[2.0]]",
    ]
    broken = ["01", "+1", "NaN", "1.", "'x'", "[1", "tru", "{1:2}", '"a"1', "[1,]", '{"a":[1,,2]}']

    def value() -> str:
        return drawn.choice(drawn.choice((numbers, texts, nested) if drawn.random() < 0.95 else (broken,)))

    lines = []
    for _ in range(rows):
        keys = drawn.sample(["id", "amount", "name", "point", "tags", "by_key"], drawn.randint(0, 4))
        space = drawn.choice(("", " ", "\t"))
        line = (
            f"{space}{{{space}"
            + f",{space}".join(f'"{key}"{space}:{space}{value()}' for key in keys)
            + f"{space}}}{space}"
        )
        match drawn.randint(0, 25):
            case 0:
                line += drawn.choice(("]", "x", "{}", ",{}", "] ["))
            case 1:
                line = line.replace("}", ',"id":7,"ID":8}', 1)
            case 2:
                line = drawn.choice(("[1]", "5", "null", '"x"', "", "  ", "[{}]"))
        lines.append(line)
    return "\n".join(lines).encode()


TEXT = {"a": "string", "b": "string"}
ONE = {"a": "string"}
CSV, JSON = "csv", "json"
CASES: dict[str, tuple[str, bytes, Declared]] = {
    "typed_one": ("a.csv", typed_csv(1), Declared(CSV, TYPES)),
    "typed_two": (
        "a.csv.gz",
        gzip.compress(typed_csv(2), mtime=0),
        Declared(CSV, TYPES, {"nullValue": "NULL"}),
    ),
    "multi_one": ("a.csv", raw_csv(1).encode(), Declared(CSV, TEXT, {"multiLine": True})),
    "multi_two": ("a.csv", raw_csv(2).encode(), Declared(CSV, TEXT, {"multiLine": True, "comment": "#"})),
    "lines": ("a.csv", raw_csv(3).encode(), Declared(CSV, TEXT, {"comment": "#"})),
    "swallowed": (
        "a.csv",
        b'a,b\n1,"Eve\n2,Bo\n3,"Cy"\n4,"ok\r\nok"\n5,"open\n6,x\n',
        Declared(CSV, TEXT, {"multiLine": True}),
    ),
    "one_column": ("a.csv", b"\na\n1\n\n  \n\t\n2\n\n", Declared(CSV, ONE)),
    "one_of_many_lines": ("a.csv", b'a\n\n"x\n\ny"\n\n', Declared(CSV, ONE, {"multiLine": True})),
    "tabs": ("a.tsv", b"a\tb\n\t\n1\t\n\n \n\t2\n", Declared(CSV, TEXT, {"sep": "\\t"})),
    "semicolons": (
        "a.csv",
        "a;b\nÅ;€\n;\n \n\x81;x\n".encode("latin-1", "replace"),
        Declared(CSV, TEXT, {"sep": ";"}),
    ),
    "cp1252": (
        "a.csv",
        "a;b\nÅ;€\n".encode("cp1252"),
        Declared(CSV, TEXT, {"sep": ";", "encoding": "cp1252"}),
    ),
    "tabs_cp1252": (
        "a.csv",
        "a\tb\nÅ\t€\n\t\n".encode("cp1252"),
        Declared(CSV, TEXT, {"sep": "\t", "encoding": "cp1252"}),
    ),
    "no_header": ("a.csv", b"\xef\xbb\xbf1,2\n,\n", Declared(CSV, TEXT, {"header": False})),
    "no_final_break": ("a.csv", b'a,b\r1,2\r"3",4', Declared(CSV, TEXT)),
    "huge": (
        "a.csv",
        b"a,b\n" + b"x" * 3_000_000 + b",1\n" + b"y," * 30_000 + b"\n2,3\n",
        Declared(CSV, TEXT),
    ),
    "wide": (
        "a.csv",
        ",".join(f"c{n}" for n in range(300)).encode()
        + b"\n"
        + b",".join(b"%d" % n for n in range(300))
        + b"\n,\n",
        Declared(CSV),
    ),
    "json_text": ("a.json", raw_json(1), Declared(JSON, {"id": "string"})),
    "json_typed": (
        "a.json",
        raw_json(2),
        Declared(
            JSON,
            {
                "id": "int",
                "amount": "decimal(30,5)",
                "name": "string",
                "point": "struct<x:decimal(20,19),y:array<decimal(9,1)>>",
                "tags": "array<string>",
                "by_key": "map<string,double>",
            },
        ),
    ),
    "json_issue": (
        "a.json",
        b'{"amount":12345678901234567.89,"big":12345678901234567890.12345,'
        b'"nested":{"x":0.1234567890123456789,"y":[1.10]}}\n{"amount":1e400}\n',
        Declared(JSON, {"amount": "string", "big": "decimal(30,5)", "nested": "string"}),
    ),
    "json_deep": (
        "a.json",
        b'{"a":' + b"[" * 63 + b"]" * 63 + b'}\n{"a":' + b"[" * 64 + b"]" * 64 + b"}\n",
        Declared(JSON, ONE),
    ),
    "json_cp1252": (
        "a.json",
        '{"größe":"€"}\n'.encode("cp1252"),
        Declared(JSON, {"größe": "string"}, {"encoding": "cp1252"}),
    ),
}


@pytest.fixture(scope="module")
def loaded(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Expected, Any]]:
    """The expected content of each table, with its lake and outcome."""
    lake = Lake(spark, tmp_path_factory.mktemp("delivered"))
    expected = {}
    for name, (file, content, declared) in CASES.items():
        source = {"files": f"{name}/*", "format": declared.format, "options": dict(declared.options)}
        columns = dict(declared.columns)
        lake.declare(f"bronze.{name}", json.dumps({"source": source, "columns": columns}))
        lake.deliver(f"{name}/{file}", content)
        expected[name] = read(content, declared, file)
    outcomes = {outcome.table: outcome for outcome in lake.run().outcomes}
    return {name: (expected[name], (lake, outcomes[f"bronze.{name}"])) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_bronze_contains_the_delivered_values(name: str, loaded: dict[str, tuple[Expected, Any]]) -> None:
    expected, (lake, outcome) = loaded[name]
    assert outcome.error is None
    found = outcome.counts
    table = lake.table(f"bronze.{name}")
    entries = lake.quarantine(f"bronze.{name}")
    assert set(table.columns) - set(SYSTEM) == set(expected.columns)
    rows = observed(table, expected.columns)
    assert sorted(map(repr, rows)) == sorted(map(repr, expected.rows))
    assert sorted(reasons for reasons, _ in entries) == sorted(row.reasons for row in expected.quarantined)
    malformed = [row.malformed for row in expected.quarantined if row.malformed is not None]
    assert sorted(row["_malformed"] for _, row in entries if row.get("_malformed") is not None) == sorted(
        malformed
    )
    assert (found.rows_in, found.written) == (expected.rows_in, len(expected.rows))


def test_unclosed_quote_quarantines_only_the_lines_that_it_spans() -> None:
    _, content, declared = CASES["swallowed"]
    found = read(content, declared)
    assert found.rows == [{"a": "4", "b": "ok\r\nok"}]
    assert [row.malformed for row in found.quarantined] == ['1,"Eve\n2,Bo\n3,"Cy"', '5,"open\n6,x']
