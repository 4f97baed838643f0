"""Keys of columns for values in files: mistakes in them, and suggestions for values that could not be cast."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goldsmith.errors import DeclarationErrors
from goldsmith.project.format_hints import format_hints, written_as
from goldsmith.project.loading import load_project
from goldsmith.project.text_formats import pattern_mistakes

SOURCE = "source: {files: a/*.csv, format: csv}\n"


def mistakes(root: Path, column: str, *, layer: str = "bronze") -> list[tuple[str, str, str | None]]:
    """The mistakes in a table with one column `v`: code, message and hint."""
    files = {
        "goldsmith.yaml": "",
        "pipelines/p/pipeline.yaml": "",
        "pipelines/p/bronze/a.yaml": SOURCE + f"columns:\n  v: {column if layer == 'bronze' else 'int'}\n",
    }
    if layer == "silver":
        files["pipelines/p/silver/b.yaml"] = f"columns:\n  v: {column}\n"
        files["pipelines/p/silver/b.sql"] = "SELECT v FROM bronze.a"
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    try:
        load_project(root)
    except DeclarationErrors as found:
        problems = found.problems
    else:
        problems = ()
    assert {problem.where.line for problem in problems} <= {3 if layer == "bronze" else 2}
    return [(problem.code, problem.message, problem.hint) for problem in problems]


@pytest.mark.parametrize(
    "column",
    [
        "{type: date, format: dd/MM/yyyy}",
        "{type: date, format: d.M.yy}",
        "{type: date, format: yyyyDDD}",
        "{type: date, format: \"'on' MMMM d, yyyy\"}",
        "{type: timestamp, format: \"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\"}",
        "{type: timestamp, format: 'dd/MM/yyyy hh:mm a', timezone: America/New_York}",
        "{type: timestamp_ntz, format: yyyyMMddHHmm}",
        "{type: timestamp, timezone: Europe/Berlin}",
        "{type: double, decimal: ','}",
        "{type: 'decimal(9,2)', decimal: ',', thousands: '.'}",
        "{type: float, thousands: ' '}",
        "{type: int, thousands: '.'}",
        "{nulls: NA}",
        "{type: 'array<int>', nulls: [NA, '-']}",
    ],
)
def test_valid_keys(tmp_path: Path, column: str) -> None:
    assert mistakes(tmp_path, column) == []


@pytest.mark.parametrize(
    ("column", "code", "message", "hint"),
    [
        (
            "{type: int, format: dd}",
            "GS110",
            "`format` of the column `v` needs a column of the type date",
            "decimal",
        ),
        ("{format: dd/MM/yyyy}", "GS110", "needs a column of the type date", "type: date"),
        ("{type: date, format: dd/mm/yyyy}", "GS103", "does not determine a day", "dd/MM/yyyy"),
        ("{type: date, format: MM/yyyy}", "GS103", "does not determine a day", "dd/MM/yyyy"),
        ("{type: date, format: ''}", "GS103", "has no letters", "dd/MM/yyyy"),
        ('{type: date, format: "dd \'MM yyyy"}', "GS103", "quote without an end", "dd/MM/yyyy"),
        ("{type: date, format: DD/MM/YYYY}", "GS103", "has the letter `Y`", "dd/MM/yyyy"),
        ("{type: date, format: 'EEE, dd MMM yyyy'}", "GS103", "day of the week", "dd/MM/yyyy"),
        ("{type: date, format: dd/MMMMM/yyyy}", "GS103", "`M` occurs at most 4 times", "dd/MM/yyyy"),
        (
            "{type: date, format: 'dd/MM/yyyy HH:mm'}",
            "GS103",
            "has a time, which the type `date`",
            "dd/MM/yyyy",
        ),
        ("{type: timestamp, format: 'dd/MM/yyyy hh:mm'}", "GS103", "hour of twelve", "dd/MM/yyyy"),
        ("{type: timestamp_ntz, format: 'yyyy-MM-dd HH:mmX'}", "GS103", "has a time zone", "dd/MM/yyyy"),
        ("{type: string, decimal: ','}", "GS110", "needs a column of a numeric type", "decimal"),
        ("{type: int, decimal: ','}", "GS110", "has no effect on whole numbers", "Remove"),
        ("{type: double, thousands: '.'}", "GS110", "marks both decimals and thousands", "decimal"),
        (
            "{type: date, timezone: Europe/Berlin}",
            "GS110",
            "needs a column of the type timestamp",
            "timezone",
        ),
        (
            "{type: timestamp, timezone: Berlin}",
            "GS103",
            "is `Berlin`, which is not a time zone",
            "Europe/Berlin",
        ),
        (
            "{type: timestamp, format: 'yyyy-MM-dd HH:mmX', timezone: Asia/Tokyo}",
            "GS110",
            "no effect",
            "Remove",
        ),
        ("{type: double, decimal: ';'}", "GS103", "cannot be `;`", None),
        ("{type: double, decimals: ','}", "GS102", "Unknown key `decimals`", "`decimal`"),
    ],
)
def test_mistake_is_reported_with_a_hint(
    tmp_path: Path, column: str, code: str, message: str, hint: str | None
) -> None:
    found = mistakes(tmp_path, column)
    assert [each[0] for each in found] == [code]
    assert message in found[0][1]
    assert hint is None or hint in str(found[0][2])


def test_keys_are_for_bronze_only(tmp_path: Path) -> None:
    ((code, message, _),) = mistakes(tmp_path, "{type: date, format: dd/MM/yyyy}", layer="silver")
    assert code == "GS110"
    assert "is for bronze tables only" in message


def test_quoted_text_of_a_pattern_is_no_letter() -> None:
    assert list(pattern_mistakes("yyyy'Y''E'MMdd", "date")) == []


@pytest.mark.parametrize(
    ("kind", "texts", "keys"),
    [
        ("date", ["05/01/2026"], ("format: dd/MM/yyyy", "format: MM/dd/yyyy")),
        ("date", ["05/01/2026", "31/01/2026"], ("format: dd/MM/yyyy",)),
        ("date", ["05/01/2026", "01/31/2026"], ("format: MM/dd/yyyy",)),
        ("date", ["5/1/2026", "31/12/2026"], ("format: d/M/yyyy",)),
        ("date", ["20260131"], ("format: yyyyMMdd",)),
        ("date", ["31.01.26"], ("format: dd.MM.yy",)),
        ("date", ["Jan 31, 2026"], ('format: "MMM dd, yyyy"',)),
        ("date", ["31/01/2026", "20260131"], ()),
        ("date", ["31/02/2026"], ()),
        ("timestamp", ["31.01.2026 09:30"], ('format: "dd.MM.yyyy HH:mm"',)),
        ("timestamp_ntz", ["31/01/2026"], ("format: dd/MM/yyyy",)),
        ("decimal(9,2)", ["12,50", "-3,0"], ('decimal: ","',)),
        ("double", ["1.234,50", "12"], ('decimal: ",", thousands: "."',)),
        ("bigint", ["1,234", "12,345,678"], ('thousands: ","',)),
        ("decimal(9,2)", ["1,234.50"], ('thousands: ","',)),
        ("decimal(9,2)", ["1\u00a0234,50"], ('decimal: ",", thousands: " "',)),
        ("int", ["1.234", "12.345.678"], ('thousands: "."',)),
        ("int", ["1,234"], ('thousands: ","',)),
        ("int", ["1,5"], ()),
        ("double", ["1,234.50", "7"], ('thousands: ","',)),
        ("double", ["1'234.5"], ('thousands: "\'"',)),
        ("timestamp", ["05/01/2026 09:30"], ('format: "dd/MM/yyyy HH:mm"', 'format: "MM/dd/yyyy HH:mm"')),
        ("int", ["many"], ()),
        ("string", ["31/01/2026"], ()),
    ],
)
def test_way_of_writing_is_recognized(kind: str, texts: list[str], keys: tuple[str, ...]) -> None:
    assert written_as(kind, texts) == keys


def test_hint_has_the_declaration_of_the_column() -> None:
    rows = [
        (("malformed",), json.dumps({"_malformed": "x"})),
        (("cast(a as decimal(9,2))", "other"), json.dumps({"a": "12,50", "d": "2026-01-31"})),
        (("cast(a as decimal(9,2))", "cast(d as date)"), json.dumps({"a": "1,5", "d": "31.01.2026"})),
        (("cast(n as int)",), json.dumps({"n": "many"})),
        (("cast(e as date)",), json.dumps({"e": "05/01/2026"})),
    ]
    assert list(format_hints(rows)) == [
        'Values such as `12,50` are read by `a: {type: "decimal(9,2)", decimal: ","}`.',
        "Values such as `31.01.2026` are read by `d: {type: date, format: dd.MM.yyyy}`.",
        "Values such as `05/01/2026` are read by `e: {type: date, format: dd/MM/yyyy}`, or with `format: MM/dd/yyyy`.",
    ]


@pytest.mark.parametrize(
    ("line", "is_array"), [("[", True), (' [{"id": 1},', True), ("[1, 2]", False), ("x", False)]
)
def test_array_of_json_that_is_read_by_lines_is_recognized(line: str, is_array: bool) -> None:
    rows = [
        (("malformed",), json.dumps({"_malformed": line})),
        (("malformed",), json.dumps({"_malformed": "]"})),
    ]
    assert [("multiLine: true" in hint) for hint in format_hints(rows)] == [True] * is_array
