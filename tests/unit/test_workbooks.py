"""Excel workbooks: the text of cells, and workbooks whose values are not clear."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from goldsmith.engine.ingest.workbooks import Sheet, cell_text, first_row, rows
from goldsmith.errors import SourceError, Where
from support.workbooks import workbook

WHERE = Where(file=Path("a.xlsx"), table="bronze.orders")
ONLY = Sheet(None, header=True)


def saved(fill: Callable[[Workbook], None]) -> io.BytesIO:
    book = Workbook()
    fill(book)
    found = io.BytesIO()
    book.save(found)
    found.seek(0)
    return found


def sheet_of(*values: list[Any]) -> io.BytesIO:
    return io.BytesIO(workbook(*values))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (" a ", " a "),
        (True, "true"),
        (7, "7"),
        (7.0, "7"),
        (-0.5, "-0.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e20, "1e+20"),
        (datetime(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 9, 30), "2026-01-31 09:30:00"),
        (datetime(2026, 1, 31, 0, 0, 0, 500000), "2026-01-31 00:00:00.500000"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
        ("#N/A", "#N/A"),
    ],
)
def test_text_of_a_cell(value: object, text: str | None) -> None:
    assert cell_text(value) == text


def test_rows_that_are_not_empty_follow_the_header() -> None:
    content = sheet_of([], ["id", "name", None], [1, "Ada"], [None, None], [2, None, "more"])
    assert first_row(content, ONLY, WHERE) == ("id", "name")
    content.seek(0)
    assert list(rows(content, ONLY, WHERE)) == [("1", "Ada", None), ("2", None, "more")]
    content.seek(0)
    assert len(list(rows(content, Sheet(None, header=False), WHERE))) == 3


def test_empty_sheet_has_no_rows() -> None:
    assert first_row(sheet_of(), ONLY, WHERE) is None
    assert list(rows(sheet_of(), ONLY, WHERE)) == []


def two_sheets(book: Workbook) -> None:
    book.active.title = "Orders"  # type: ignore[union-attr]
    book.create_sheet("Notes").append(["n"])


def hidden_sheet(book: Workbook) -> None:
    two_sheets(book)
    book["Orders"].append(["id"])
    book["Notes"].sheet_state = "hidden"


def merged(book: Workbook) -> None:
    book.active.append(["id", "name"])  # type: ignore[union-attr]
    book.active.append([1, "a"])  # type: ignore[union-attr]
    for cells in ("A2:A3", "B2:B3", "C2:C3", "D2:D3"):
        book.active.merge_cells(cells)  # type: ignore[union-attr]


def formula(book: Workbook) -> None:
    book.active.append(["id", "=1+1"])  # type: ignore[union-attr]


def test_hidden_sheets_are_not_read() -> None:
    assert first_row(saved(hidden_sheet), ONLY, WHERE) == ("id",)
    assert first_row(saved(hidden_sheet), Sheet("Notes", header=True), WHERE) == ("n",)


@pytest.mark.parametrize(
    ("content", "sheet", "words"),
    [
        (saved(two_sheets), ONLY, ("several sheets: Orders, Notes", "sheet: Orders")),
        (saved(two_sheets), Sheet("Order", header=True), ("no sheet `Order`", "Orders, Notes")),
        (saved(merged), ONLY, ("merged cells: A2:A3, B2:B3, C2:C3 and 1 more", "Unmerge")),
        (saved(formula), ONLY, ("formulas without a saved value: B1", "save")),
        (io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), ONLY, ("old workbook", ".xlsx")),
        (io.BytesIO(b"id,name\n"), ONLY, ("not an Excel workbook", "CSV")),
        (io.BytesIO(b"PK\x03\x04 cut off"), ONLY, ("damaged", ".xlsx")),
    ],
)
def test_workbook_without_clear_values_is_refused(
    content: io.BytesIO, sheet: Sheet, words: tuple[str, str]
) -> None:
    content.seek(0)
    with pytest.raises(SourceError) as caught:
        list(rows(content, sheet, WHERE))
    assert caught.value.code == "GS302"
    assert caught.value.where == WHERE
    assert words[0] in caught.value.message
    assert words[1] in str(caught.value.hint)


def edited(content: bytes, edit: Callable[[bytes], bytes]) -> io.BytesIO:
    """A workbook with another text of its sheet."""
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(found, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, edit(text) if name.endswith("sheet1.xml") else text)
    found.seek(0)
    return found


def test_formula_may_have_the_empty_text_as_its_value() -> None:
    content = saved(formula).getvalue()
    for value in (b"<v></v>", b"<v/>"):
        cell = b'<c r="B1" t="str"><f>1+1</f>' + value + b"</c>"
        found = edited(content, lambda text, cell=cell: re.sub(rb'<c r="B1".*?</c>', cell, text))
        assert list(rows(found, Sheet(None, header=False), WHERE)) == [("id", None)]


def test_zip_file_of_something_else_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
    content.seek(0)
    with pytest.raises(SourceError, match="not an Excel workbook"):
        first_row(content, ONLY, WHERE)


def test_truncated_workbook_is_refused() -> None:
    whole = sheet_of(["id"], *([each] for each in range(1000))).getvalue()
    for end in (100, len(whole) // 2, len(whole) - 10):
        with pytest.raises(SourceError, match="not an Excel workbook"):
            list(rows(io.BytesIO(whole[:end]), ONLY, WHERE))


def test_workbook_with_a_changed_byte_is_refused() -> None:
    whole = sheet_of(["id"], *([each] for each in range(1000))).getvalue()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset
    for distance in (60, 61, 100, 500):
        damaged = bytearray(whole)
        damaged[at + distance] ^= 0xFF
        with pytest.raises(SourceError, match="not an Excel workbook"):
            list(rows(io.BytesIO(bytes(damaged)), ONLY, WHERE))
