"""Files of fixed width: fields, missing and surplus characters, headers and encodings. Each line is accounted for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from support.lake import Lake

NAME = "bronze.orders"


@pytest.fixture
def lake(unrecorded_lake: Lake) -> Lake:
    return unrecorded_lake


def declare(lake: Lake, widths: str, columns: str, options: str = "", keys: str = "") -> None:
    lake.declare(
        NAME,
        f"source: {{files: orders/*, format: fixed_width, options: {{widths: {widths}{options}}}}}\n"
        f"columns: {{{columns}}}\n{keys}\n",
    )


def counts(lake: Lake, **options: Any) -> tuple[int, int, int]:
    """Loads the table and returns the rows in, written and quarantined."""
    found = lake.done(**options)[NAME].counts
    return found.rows_in, found.written, found.quarantined


def test_fields_are_cut_by_characters_and_cast_to_their_types(lake: Lake) -> None:
    declare(lake, "[4, 6, 10, 5]", "id: int, name: string, day: date, price: 'decimal(9,2)'")
    lake.deliver(
        "orders/a.txt",
        "   1Ada   2026-01-31 9.50\n"
        "0002Größe\U0001f600          10   \r\n"
        "\n"
        "   \t  \n"
        "   3\n"
        "   4Bo\t\x00  2026-13-01 1.00\n"
        "   x  Cy  2026-01-01 3.14159\n"
        "   6Di    2026-01-02 1.00extra\n"
        "   7 a b  2026-01-03 7.00  \t\n"
        "   8E",
    )
    lake.deliver("orders/empty.txt", "")
    lake.deliver("orders/blank.txt", "\n \n")
    lake.deliver("orders/b.txt", b"\xef\xbb\xbf   9Fay\n")
    assert counts(lake) == (9, 6, 3)
    assert lake.rows(NAME, "id", "name", "day", "price") == [
        (1, "Ada", date(2026, 1, 31), Decimal("9.50")),
        (2, "Größe\U0001f600", None, Decimal("10.00")),
        (3, None, None, None),
        (7, "a b", date(2026, 1, 3), Decimal("7.00")),
        (8, "E", None, None),
        (9, "Fay", None, None),
    ]
    held = dict(lake.quarantine(NAME))
    assert held["cast(day as date)",]["name"] == "Bo"
    malformed = sorted(
        row["_malformed"] for reasons, row in lake.quarantine(NAME) if reasons == ("malformed",)
    )
    assert malformed == ["   6Di    2026-01-02 1.00extra", "   x  Cy  2026-01-01 3.14159"]
    assert counts(lake) == (0, 0, 0)


def test_header_names_the_columns_of_each_file(lake: Lake) -> None:
    declare(lake, "[4, 6]", "id: int, name: string", ", header: true")
    lake.deliver("orders/a.txt", "\nID  name  \n   1Ada\n\n   2Bo\n")
    lake.deliver("orders/b.txt", "nameid\nCy     3\n")
    lake.deliver("orders/c.txt", "id  new\n   4more\n")
    error = lake.failed(NAME).error
    assert error is not None
    assert (error.code, str(error.where.file)) == ("GS305", "orders/c.txt")
    declare(lake, "[4, 6]", "id: int, name: string", ", header: true", "on_missing_column: fill")
    assert counts(lake) == (4, 4, 0)
    assert lake.rows(NAME, "id", "name", "new") == [
        (1, "Ada", None),
        (2, "Bo", None),
        (3, "Cy", None),
        (4, None, "more"),
    ]


def test_bytes_that_are_not_in_the_encoding_are_quarantined(lake: Lake) -> None:
    declare(lake, "[4, 6]", "id: int, name: string")
    content = "   1größe\n   2Ada\n".encode("latin-1")
    lake.deliver("orders/a.txt", content)
    assert counts(lake) == (2, 1, 1)
    ((reasons, row),) = lake.quarantine(NAME)
    assert reasons == ("not_in_encoding",)
    assert row["id"] in (1, "1")
    declare(lake, "[4, 6]", "id: int, name: string", ", encoding: iso-8859-1")
    assert counts(lake, rebuild=[NAME]) == (2, 2, 0)
    assert lake.rows(NAME, "id", "name") == [(1, "größe"), (2, "Ada")]


def test_single_column_and_own_line_separator(lake: Lake) -> None:
    declare(lake, "[5]", "name: string", ", lineSep: '|'")
    lake.deliver("orders/a.txt", "Ada  | a b |toolong|")
    assert counts(lake) == (3, 2, 1)
    assert lake.rows(NAME, "name") == [("Ada",), ("a b",)]


def test_release_cuts_a_malformed_line_by_the_corrected_widths(lake: Lake) -> None:
    declare(lake, "[4, 3]", "id: int, name: string")
    lake.deliver("orders/a.txt", "   1Ada\n   2Barbara\n")
    assert counts(lake) == (2, 1, 1)
    declare(lake, "[4, 8]", "id: int, name: string")
    assert lake.release(NAME).released == 1
    assert lake.rows(NAME, "id", "name") == [(1, "Ada"), (2, "Barbara")]
    assert lake.quarantine(NAME) == []


def test_blank_lines_of_a_single_column_are_rows_also_in_a_file_without_others(lake: Lake) -> None:
    source = "source: {files: 'notes/*.txt', format: fixed_width, options: {widths: [4]}}\ncolumns: {note: string}\n"
    lake.declare("bronze.notes", source)
    lake.deliver("notes/blank.txt", "\n  \n")
    lake.deliver("notes/some.txt", "\na\n\n")
    assert lake.done()["bronze.notes"].counts.rows_in == 5
    assert sorted(note is None for (note,) in lake.rows("bronze.notes", "note")) == [
        False,
        True,
        True,
        True,
        True,
    ]
    lake.deliver("notes/empty.txt", "")
    assert lake.done()["bronze.notes"].counts.rows_in == 0
