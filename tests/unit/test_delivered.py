"""The independent reader of delivered files agrees with Python's strict csv.reader and json."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.delivered import Declared, Misfit, QuarantinedRow, cast, fields_of, members_of, read
from support.examples import examples

LINES = st.text('ab," x', max_size=12)


def strictly(line: str) -> list[str] | None:
    try:
        rows = list(csv.reader([line], strict=True))
    except csv.Error:
        return None
    return rows[0] or [""] if rows else None


@given(LINES)
def test_fields_equal_those_of_the_strict_reader(line: str) -> None:
    found = fields_of(line, ",", '"')
    assert (None if found is None else [value for value, _ in found]) == strictly(line)


@given(st.lists(st.text('ab,"', max_size=6), max_size=8))
def test_multiline_records_equal_those_of_the_strict_reader(lines: list[str]) -> None:
    lines = [line for line in lines if line]
    text = "a,b\n" + "".join(f"{line}\n" for line in lines)
    reader = csv.reader(io.StringIO(text), strict=True)
    wanted: list[list[str] | None] = []
    while True:
        try:
            wanted.append(next(reader))
        except csv.Error:
            wanted.append(None)
        except StopIteration:
            break
    found = read(text.encode(), Declared("csv", {"a": "string", "b": "string"}, {"multiLine": True}))
    right = [row for row in wanted[1:] if row is not None and len(row) == 2]
    assert [[row["a"] or "", row["b"] or ""] for row in found.rows] == right
    assert found.rows_in == len(wanted) - 1


@examples(40)
@given(
    st.dictionaries(
        st.text(max_size=3), st.recursive(st.none() | st.floats() | st.text(), st.lists), max_size=3
    )
)
def test_members_are_the_exact_text_of_the_values(document: dict[str, object]) -> None:
    given_text = json.dumps(document)
    found = members_of(given_text)
    assert found is not None
    assert "{" + ", ".join(f"{json.dumps(key)}: {raw}" for key, raw in found) + "}" == given_text


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12.50", "decimal(9,1)", Decimal("12.5")),
        ("1e2", "decimal(5,0)", Decimal(100)),
        ("12024-01-01", "date", "+12024-01-01"),
        ("2024-01-01 00:00", "date", "2024-01-01"),
        ("9999-12-31 23:30:00-01:00", "timestamp", "+10000-01-01 00:30:00"),
        ('{"1":[1.10]}', "map<int,array<string>>", ((1, ["1.10"]),)),
    ],
)
def test_valid_text_is_cast(text: str, kind: str, value: object) -> None:
    assert cast(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12.50", "decimal(10,0)"),
        ("1e400", "double"),
        ("1e39", "float"),
        ("2024-01-01 12:00", "date"),
        ("today", "date"),
        ("2024-01-01T00:00:00Z", "timestamp_ntz"),
        ("2024-01-01 00:00:00.1234567", "timestamp"),
        ("128", "tinyint"),
        ('{"a":1,"a":2}', "struct<a:int>"),
        ("[1.5]", "array<int>"),
    ],
)
def test_invalid_text_is_a_misfit(text: str, kind: str) -> None:
    with pytest.raises(Misfit):
        cast(text, kind)


def test_malformed_line_is_quarantined_unchanged() -> None:
    found = read(b'{"a":1,"A":2}\n{"a":1.10}\n', Declared("json"))
    assert found.rows == [{"a": "1.10"}]
    assert found.quarantined == [QuarantinedRow(("malformed",), malformed='{"a":1,"A":2}')]
