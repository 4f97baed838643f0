"""Files loaded partly or completely: rows not as declared are quarantined, and no row is lost.

All cases are loaded in one run. Each is a table.
"""

from __future__ import annotations

import bz2
import gzip
import os
from dataclasses import dataclass
from typing import Any

import pytest
from pyspark.sql import SparkSession

from support.lake import Lake

FULL = b"id,name\n1,Ada\n2,Bo\n"
BOTH = [(1, "Ada"), (2, "Bo")]


@dataclass(frozen=True)
class Case:
    """A table and its files."""

    files: dict[str, str | bytes]
    source: str = "format: csv"
    columns: str = "id: int, name: string"
    keys: str = ""


CASES: dict[str, Case] = {}


class Loaded:
    """The run of all cases, and the content of the tables after it."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        for name, case in CASES.items():
            declared = (
                f"source: {{files: {name}/**/*, {case.source}}}\ncolumns: {{{case.columns}}}\n{case.keys}\n"
            )
            lake.declare(f"bronze.{name}", declared)
            for file, content in case.files.items():
                lake.deliver(f"{name}/{file}", content)
        os.mkfifo(lake.root / ".goldsmith/landing/hidden/pipe.csv")
        self.outcomes = lake.done()

    def counts(self, name: str) -> tuple[int, int, int]:
        """Rows in, written and quarantined."""
        found = self.outcomes[f"bronze.{name}"].counts
        return found.rows_in, found.written, found.quarantined

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        return self.lake.rows(f"bronze.{name}", *(columns or ("id", "name")))

    def reasons(self, name: str, key: str) -> dict[str | None, tuple[str, ...]]:
        """The reasons of each quarantined row, by the text of one of its columns."""
        return {row.get(key): reasons for reasons, row in self.lake.quarantine(f"bronze.{name}")}

    def malformed(self, name: str) -> list[str]:
        """The text of the quarantined records, whose only reason is that they are malformed."""
        entries = self.lake.quarantine(f"bronze.{name}")
        assert {reasons for reasons, _ in entries} == {("malformed",)}
        return sorted(row["_malformed"] for _, row in entries)


@pytest.fixture(scope="module")
def loaded(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return Loaded(Lake(spark, tmp_path_factory.mktemp("cases")))


CASES["fields"] = Case({"a.csv": "id,name\n1,Ada\n7\n8,Eve,extra\n2,Bo\n"})


def test_lines_with_too_few_or_too_many_fields_are_quarantined_unchanged(loaded: Loaded) -> None:
    assert loaded.counts("fields") == (4, 2, 2)
    assert loaded.rows("fields") == BOTH
    assert loaded.malformed("fields") == ["7", "8,Eve,extra"]


CASES["types"] = Case(
    {"a.csv": "id,name,born\n1,Ada,1815-12-10\nx,Eve,31.12.1990\n99999999999,Ed,\n"},
    columns="id: int, name: string, born: date",
)


def test_field_of_the_wrong_type_is_quarantined_with_the_cast_as_reason(loaded: Loaded) -> None:
    assert loaded.counts("types") == (3, 1, 2)
    assert loaded.reasons("types", "id") == {
        "x": ("cast(id as int)", "cast(born as date)"),
        "99999999999": ("cast(id as int)",),
    }


CASES["quotes"] = Case({"a.csv": 'id,name\n1,Ada\n7,"Eve\nof York"\n8,"Ed, Jr\n9,a,"b\n2,"Bo"\n'})


def test_line_with_an_unclosed_quote_is_quarantined(loaded: Loaded) -> None:
    assert loaded.counts("quotes") == (6, 2, 4)
    assert loaded.rows("quotes") == BOTH
    assert loaded.malformed("quotes") == ['7,"Eve', '8,"Ed, Jr', '9,a,"b', 'of York"']


CASES["multiline"] = Case(
    {"a.csv": 'id,name\n7,"Eve\nof York"\n8,"Ed, Jr"\n9\n'}, "format: csv, options: {multiLine: true}"
)


def test_newlines_in_quotes_are_loaded_with_multiline(loaded: Loaded) -> None:
    assert loaded.counts("multiline") == (3, 2, 1)
    assert loaded.rows("multiline") == [(7, "Eve\nof York"), (8, "Ed, Jr")]
    assert loaded.malformed("multiline") == ["9"]


CASES["rfc"] = Case(
    {
        "a.csv": 'id,name\r\n1,"the ""Great"", she"\r\n2,"C:\\temp\\"\r\n3,5" pipe\r\n4,\r\n'
        '5,""\r\n6, x \r\n7,"a,b"\r\n'
    }
)


def test_quotes_separators_and_backslashes_follow_rfc_4180(loaded: Loaded) -> None:
    assert loaded.counts("rfc") == (7, 7, 0)
    assert loaded.rows("rfc") == [
        (1, 'the "Great", she'),
        (2, "C:\\temp\\"),
        (3, '5" pipe'),
        (4, None),
        (5, None),
        (6, " x "),
        (7, "a,b"),
    ]


CASES["tabs"] = Case({"a.tsv": "id\tname\n1\tAda\n2\tBo\n"}, "format: csv, options: {sep: '\\t'}")
CASES["bars"] = Case({"a.txt": "id||name\n1||Ada\n2||Bo\n"}, 'format: csv, options: {delimiter: "||"}')


@pytest.mark.parametrize("name", ["tabs", "bars"])
def test_other_separators(loaded: Loaded, name: str) -> None:
    assert loaded.counts(name) == (2, 2, 0)
    assert loaded.rows(name) == BOTH


CASES["firstlines"] = Case(
    {
        "mark.csv": b'\xef\xbb\xbf"id",name\n1,Ada\n',
        "comment.csv": "\n# delivered at noon\nid,name\n# half way\n2,Bo\n",
    },
    'format: csv, options: {comment: "#"}',
)


def test_byte_order_mark_blank_lines_and_comments_before_the_header_are_ignored(loaded: Loaded) -> None:
    assert loaded.counts("firstlines") == (2, 2, 0)
    assert loaded.rows("firstlines") == BOTH


OPTIONS: dict[str, tuple[str, str, list[tuple[int, str | None]]]] = {
    "quote_and_escape": (
        "quote: \"'\", escape: '\\'",
        "id,name\n1,'it\\'s, ok'\n2,\"a\"\n",
        [(1, "it's, ok"), (2, '"a"')],
    ),
    "no_quote": ("quote: ''", 'id,name\n1,"a\n', [(1, '"a')]),
    "null_and_empty": (
        "nullValue: NA, emptyValue: none",
        'id,name\n1,""\n2,NA\n3,\n',
        [(1, "none"), (2, None), (3, None)],
    ),
    "leading": ("ignoreLeadingWhiteSpace: true", 'id,name\n1,  a \n2, "b"\n', [(1, "a "), (2, "b")]),
    "trailing": ("ignoreTrailingWhiteSpace: true", 'id,name\n1,  a \n2,"b" \n', [(1, "  a"), (2, "b")]),
    "line_end": ("lineSep: '|'", "id,name|1,a|2,b\nc", [(1, "a"), (2, "b\nc")]),
    "line_end_in_quotes": ("lineSep: '|', multiLine: true", 'id,name|1,"a|b"|2,c|', [(1, "a|b"), (2, "c")]),
    "charset": ("charset: latin-1", "id,name\n1,\xe9\n", [(1, "\xe9")]),
}
for option, (given, text, _) in OPTIONS.items():
    CASES[f"option_{option}"] = Case({"a.csv": text.encode("latin-1")}, f"format: csv, options: {{{given}}}")


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_csv(loaded: Loaded, option: str) -> None:
    assert loaded.rows(f"option_{option}") == OPTIONS[option][2]


CASES["json_line_end"] = Case(
    {
        "a.json": '{"id":1,"name":"Ada"}|{"id":7} junk|{"id":8}{"id":9}|\n{"id":2,\n"name":"Bo"}|'
        r'{"id":11,"name":"\ud83d"}'
    },
    "format: json, options: {lineSep: '|'}",
)


def test_documents_end_at_the_declared_separator_and_nothing_follows_them(loaded: Loaded) -> None:
    assert loaded.rows("json_line_end") == BOTH
    assert loaded.malformed("json_line_end") == [
        '{"id":11,"name":"\\ud83d"}',
        '{"id":7} junk',
        '{"id":8}{"id":9}',
    ]
    assert loaded.counts("json_line_end") == (5, 2, 3)


CASES["latin"] = Case({"a.csv": FULL + "7,Åsa\n8,Zoë,x\n".encode("latin-1")})
CASES["declared_latin"] = Case(
    {"a.csv": "id,größe\n7,Åsa\n".encode("latin-1")},
    "format: csv, options: {encoding: iso-8859-1}",
    columns="id: int, größe: string",
)


def test_bytes_of_another_encoding_are_quarantined(loaded: Loaded) -> None:
    assert loaded.counts("latin") == (4, 2, 2)
    assert loaded.rows("latin") == BOTH
    assert loaded.reasons("latin", "id") == {
        7: ("not_in_encoding",),
        None: ("malformed", "not_in_encoding"),
    }


def test_declared_encoding_is_used(loaded: Loaded) -> None:
    assert loaded.counts("declared_latin") == (1, 1, 0)
    assert loaded.rows("declared_latin", "id", "größe") == [(7, "Åsa")]


CASES["reordered"] = Case({"a.csv": "NAME, Id\nAda,1\n", "b.csv": "id,name\n2,Bo\n"})


def test_columns_are_matched_by_name_in_any_order_and_case(loaded: Loaded) -> None:
    assert loaded.counts("reordered") == (2, 2, 0)
    assert loaded.rows("reordered") == BOTH


CASES["packed"] = Case(
    {
        "a.csv.gz": gzip.compress(b"id,name\n1,Ada\n"),
        "b.csv.bz2": bz2.compress(b"id,name\n2,Bo\n"),
    }
)


def test_compressed_files_are_loaded(loaded: Loaded) -> None:
    assert loaded.counts("packed") == (2, 2, 0)
    assert loaded.rows("packed") == BOTH


CASES["hidden"] = Case(
    {
        **dict.fromkeys(
            ("_hidden.csv", ".x.csv.tmp", "x.csv.tmp", ".x.csv", "_old/a.csv", ".git/a.csv"), b"no"
        ),
        "new/a.csv": FULL,
    }
)


def test_hidden_and_temporary_files_are_ignored(loaded: Loaded) -> None:
    assert loaded.counts("hidden") == (2, 2, 0)
    assert {row[0] for row in loaded.rows("hidden", "_source_file")} == {"hidden/new/a.csv"}


NOT_JSON = [
    '{"id":7,"name":"E',
    '{"id":8} {"id":9}',
    '[{"id":8},{"id":9}]',
    "null",
    "5",
    '{"id":1},',
    "{id:1}",
]
CASES["documents"] = Case(
    {"a.json": "\n".join(['{"id":1,"name":"Ada"}', *NOT_JSON, "", ' {"name":"Bo","id":2} '])}, "format: json"
)


def test_lines_other_than_one_json_document_are_quarantined(loaded: Loaded) -> None:
    assert loaded.counts("documents") == (9, 2, 7)
    assert loaded.rows("documents") == BOTH
    assert loaded.malformed("documents") == sorted(NOT_JSON)


CASES["nested"] = Case(
    {
        "a.json": """
            {"id":1,"at":{"x":1,"y":2},"tags":["a"]}
            {"id":2}
            {"id":{"no":3},"at":{"x":1}}
            {"id":4,"at":{"x":"east"}}
            {"id":5,"at":7}
            {"id":6,"tags":"a"}
            {"id":7.5}
        """
    },
    "format: json",
    columns="id: int, at: 'struct<x:int,y:int>', tags: array<string>",
)


def test_json_values_of_the_wrong_type_are_quarantined(loaded: Loaded) -> None:
    assert loaded.counts("nested") == (7, 2, 5)
    assert [row[0] for row in loaded.rows("nested", "id")] == [1, 2]
    by_id = loaded.reasons("nested", "id")
    assert by_id == {
        '{"no":3}': ("cast(id as int)",),
        "7.5": ("cast(id as int)",),
        4: ("cast(at as struct<x:int,y:int>)",),
        5: ("cast(at as struct<x:int,y:int>)",),
        6: ("cast(tags as array<string>)",),
    }


CASES["spellings"] = Case(
    {"a.json": '{"ID":1,"Name":"Ada","town":"York"}\n{"id":2,"NAME":"Bo"}\n'},
    "format: json",
    keys="on_new_column: ignore",
)


def test_json_keys_are_case_insensitive(loaded: Loaded) -> None:
    assert loaded.counts("spellings") == (2, 2, 0)
    assert loaded.rows("spellings") == BOTH
    assert "town" not in loaded.lake.table("bronze.spellings").columns


LATIN_JSON = '{"id":7,"name":"Åsa"}\n'.encode("latin-1")
CASES["latin_json"] = Case({"a.json": LATIN_JSON}, "format: json")
CASES["declared_latin_json"] = Case({"a.json": LATIN_JSON}, "format: json, options: {encoding: iso-8859-1}")


def test_json_in_another_encoding_is_quarantined_unless_declared(loaded: Loaded) -> None:
    assert loaded.counts("latin_json") == (1, 0, 1)
    assert loaded.reasons("latin_json", "id") == {7: ("not_in_encoding",)}
    assert loaded.counts("declared_latin_json") == (1, 1, 0)
    assert loaded.rows("declared_latin_json") == [(7, "Åsa")]
