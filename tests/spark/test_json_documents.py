"""JSON files that are one document each: their records, exactly as delivered, and files without records."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from support.lake import Lake

NAME = "bronze.items"
MULTI = "multiLine: true"


@pytest.fixture
def lake(unrecorded_lake: Lake) -> Lake:
    return unrecorded_lake


def declare(lake: Lake, options: str, columns: str = "id: int, name: string") -> None:
    lake.declare(
        NAME, f"source: {{files: items/*, format: json, options: {{{options}}}}}\ncolumns: {{{columns}}}\n"
    )


def counts(lake: Lake) -> tuple[int, int, int]:
    """Loads the table and returns the rows in, written and quarantined."""
    found = lake.done()[NAME].counts
    return found.rows_in, found.written, found.quarantined


def malformed(lake: Lake) -> list[Any]:
    return sorted(row["_malformed"] for _, row in lake.quarantine(NAME))


def test_each_object_of_an_array_is_a_row(lake: Lake) -> None:
    declare(lake, MULTI)
    files: dict[str, str | bytes] = {
        "a.json": '[{"id": 1, "name": "Ada"},\n {"id": 2,\n  "name": "Bo, [x] {y} \\" z"}]\n',
        "b.json": '{"id": 3,\n "name": "one object"}',
        "c.json": gzip.compress(b'\n [ {"id":4,"name":"in gzip"} ] '),
        "d.json": "[ ]",
        "e.json": " \n",
        "f.json": b'\xef\xbb\xbf[{"id":5,"name":"after a byte order mark"}]',
        "g.json": '[{"id":6,"name":{"first": "Eve",\n "of": [1.10, 1e400]}}]',
    }
    for name, content in files.items():
        lake.deliver(f"items/{name}{'.gz' if name == 'c.json' else ''}", content)
    assert counts(lake) == (6, 6, 0)
    assert lake.rows(NAME, "id", "name") == [
        (1, "Ada"),
        (2, 'Bo, [x] {y} " z'),
        (3, "one object"),
        (4, "in gzip"),
        (5, "after a byte order mark"),
        (6, '{"first": "Eve",\n "of": [1.10, 1e400]}'),
    ]
    assert counts(lake) == (0, 0, 0)


def test_numbers_and_new_columns_are_as_delivered(lake: Lake) -> None:
    declare(lake, MULTI, "big: 'decimal(30,5)', text: string")
    lake.deliver(
        "items/a.json", '[{"big":12345678901234567890.12345,"text":12345678901234567.89,"new":[1.50]}]'
    )
    assert counts(lake) == (1, 1, 0)
    ((big, text, new),) = lake.rows(NAME, "big", "text", "new")
    assert (str(big), text, new) == ("12345678901234567890.12345", "12345678901234567.89", "[1.50]")


def test_element_that_is_no_object_is_quarantined_as_its_text(lake: Lake) -> None:
    declare(lake, MULTI)
    deep = '{"id":8,"name":' + "[" * 70 + "]" * 70 + "}"
    lake.deliver(
        "items/a.json",
        '[{"id":1,"name":"Ada"}, 5, null, "a\\"b" ,[{"id":7}], {"id":9 "x"}, {"id":"x"},{"id":2}]',
    )
    assert counts(lake) == (8, 2, 6)
    assert lake.rows(NAME, "id", "name") == [(1, "Ada"), (2, None)]
    held = [row.get("_malformed") or row for _, row in lake.quarantine(NAME)]
    texts = sorted(text for text in held if isinstance(text, str))
    assert texts == ['"a\\"b"', "5", '[{"id":7}]', "null", '{"id":9 "x"}']
    lake.deliver("items/b.json", f"[{deep}]")
    assert "GS302" in str(lake.failed(NAME).error)


def test_records_are_found_below_their_keys(lake: Lake) -> None:
    declare(lake, "records: data.items")
    lake.deliver(
        "items/a.json", '{"next": null, "data": {"total": 2, "items": [{"id":1,"name":"Ada"},{"id":2}]}}'
    )
    lake.deliver("items/b.json", '{"data": {"items": []}}')
    lake.deliver("items/c.json", '{"data": {"items": {"id": 3, "name": 1.0}}}')
    assert counts(lake) == (3, 3, 0)
    assert lake.rows(NAME, "id", "name") == [(1, "Ada"), (2, None), (3, "1.0")]
    assert "next" not in lake.table(NAME).columns


@pytest.mark.parametrize(
    ("options", "content"),
    [
        (MULTI, '[{"id":1,"name":"Ada"},{"id":2'),
        (MULTI, '[{"id":1}]\n[{"id":2}]'),
        (MULTI, '[{"id":1},]'),
        (MULTI, '[{"id":1} {"id":2}]'),
        (MULTI, ',{"id":1}]'),
        (MULTI, '"a text"'),
        (MULTI, "<html>502 Bad Gateway</html>"),
        ("records: data.items", '{"error": "too many requests"}'),
        ("records: data.items", '{"data": {"items": [{"id":1}]'),
        ("records: data.items", '{"data": {"items": [{"id":1}]}} trailing'),
        ("records: data.items", '{"data": {"items": [{"id":1}], "items": [{"id":2}]}}'),
        ("records: data.items", '[{"id":1}]'),
    ],
)
def test_file_without_records_stops_the_load_and_names_the_file(
    lake: Lake, options: str, content: str
) -> None:
    declare(lake, options)
    lake.deliver("items/good.json", '{"data": {"items": [{"id":1}]}}')
    lake.deliver("items/a bad+one.json", content)
    error = lake.failed(NAME).error
    assert error is not None
    assert error.code == "GS302"
    assert str(error.where.file).endswith("items/a bad+one.json")
    assert content.split(maxsplit=1)[0] in str(error)
    assert lake.version(NAME) == -1


def test_release_reads_a_malformed_element_again(lake: Lake) -> None:
    declare(lake, MULTI, "id: int, v: variant")
    lake.deliver("items/a.json", '[{"id":1,"v":{"a":1}},{"id":2,"v":1.23e999}]')
    assert counts(lake) == (2, 1, 1)
    assert malformed(lake) == ['{"id":2,"v":1.23e999}']
    declare(lake, MULTI, "id: int, v: string")
    lake.done(rebuild=[NAME])
    assert lake.rows(NAME, "id", "v") == [(1, '{"a":1}'), (2, "1.23e999")]
