"""Excel workbooks (.xlsx): the rows of a sheet as text."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from goldsmith.errors import GoldsmithError, NotReady, SourceError, Where

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

Texts = tuple[str | None, ...]
"""The values of a row; None for an empty cell."""

_SAVE_HINT = "Open it in Excel and save it as .xlsx, or deliver it as CSV."
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([^"]+)"')
# A cell with a formula, and no value after it. A formula whose result is the empty text has a value: an empty one.
_NEVER_COMPUTED = re.compile(
    rb'<(?:\w+:)?c\s(?P<attributes>[^>]*?r="(?P<cell>[A-Z]+[0-9]+)"[^>]*)>\s*'
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?P<value><(?:\w+:)?v\s*(?:/>|></(?:\w+:)?v>)\s*)?</(?:\w+:)?c>"
)
_INTEGRAL = 10**15
"""Excel has 15 digits."""


@dataclass(frozen=True)
class Sheet:
    """A sheet. name: of the sheet; None for the only one. header: whether its first row names the columns."""

    name: str | None
    header: bool


def first_row(stream: BinaryIO, sheet: Sheet, where: Where) -> Texts | None:
    """The values of the first row that is not empty, without empty cells at its end; None if all are.

    Raises as `rows` does.
    """
    found = next(_rows(stream, sheet.name, where, at_most=1), None)
    if found is None:
        return None
    last = max(at for at, value in enumerate(found) if value is not None)
    return found[: last + 1]


def rows(stream: BinaryIO, sheet: Sheet, where: Where) -> Iterator[Texts]:
    """The rows that are not empty, without the header.

    Raises SourceError GS302 for a file that is not a workbook, has no such sheet or several, merged cells, or formulas
    without values; NotReady GS903 if openpyxl is not installed.
    """
    return islice(_rows(stream, sheet.name, where), int(sheet.header), None)


def _rows(stream: BinaryIO, name: str | None, where: Where, at_most: int | None = None) -> Iterator[Texts]:
    content = stream.read()
    try:
        found = _sheet(content, name, where)
        if found is None:
            return
        yield from islice(_filled(found), at_most)
    except GoldsmithError:
        raise
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, SyntaxError, EOFError) as error:
        raise _refused(
            f"A file is not an Excel workbook (.xlsx), or it is damaged: {error}", _SAVE_HINT, where
        ) from error


def _filled(sheet: ReadOnlyWorksheet) -> Iterator[Texts]:
    for cells in sheet.iter_rows():
        values = tuple(cell_text(cell.value) for cell in cells)
        if any(value is not None for value in values):
            yield values


def _sheet(content: bytes, name: str | None, where: Where) -> ReadOnlyWorksheet | None:
    """The sheet of a workbook, checked; None if the file has no sheet of cells."""
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError:
        raise NotReady(
            "GS903",
            "Excel workbooks need openpyxl, which is not installed.",
            hint="Install Goldsmith with the extra `excel`.",
        ) from None
    if not content.startswith(b"PK"):
        old = content.startswith(b"\xd0\xcf\x11\xe0")
        reason = ": it is an old workbook (.xls), or one with a password" if old else ""
        raise _refused(f"A file is not an Excel workbook (.xlsx){reason}.", _SAVE_HINT, where)
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    names = [sheet.title for sheet in book.worksheets]
    chosen = [sheet for sheet in book.worksheets if sheet.title == name] if name is not None else visible
    if name is not None and not chosen:
        raise _refused(f"A workbook has no sheet `{name}`.", f"It has: {', '.join(names)}.", where)
    if len(chosen) > 1:
        hint = f"Declare one, as in `options: {{sheet: {visible[0].title}}}`, and the others in tables of their own."
        raise _refused(
            f"A workbook has several sheets: {', '.join(sheet.title for sheet in visible)}.", hint, where
        )
    if not chosen:
        return None
    _refuse_unclear(chosen[0], content, where)
    return chosen[0]


def _refuse_unclear(sheet: ReadOnlyWorksheet, content: bytes, where: Where) -> None:
    """Raises SourceError GS302 for cells whose values are not in the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read(sheet._worksheet_path)
    merged = sorted(match.decode() for match in _MERGED.findall(text))
    if merged:
        raise _refused(
            f"The sheet `{sheet.title}` has merged cells: {_some(merged)}.",
            "Unmerge them in Excel, and give each cell its value: a merged cell has one for all.",
            where,
        )
    never = [
        match["cell"].decode()
        for match in _NEVER_COMPUTED.finditer(text)
        if not (match["value"] and b't="str"' in match["attributes"])
    ]
    if never:
        raise _refused(
            f"The sheet `{sheet.title}` has formulas without a saved value: {_some(never)}.",
            "Open the workbook in Excel and save it: this computes them.",
            where,
        )


def _some(cells: Sequence[str], most: int = 3) -> str:
    more = f" and {len(cells) - most} more" if len(cells) > most else ""
    return ", ".join(cells[:most]) + more


def _refused(message: str, hint: str, where: Where) -> SourceError:
    return SourceError("GS302", message, where=where, hint=hint)


def cell_text(value: object) -> str | None:
    """A cell's value as text: numbers with all their digits, dates as ISO 8601, and a midnight as a date.

    An empty text is an empty cell, as in CSV.
    """
    match value:
        case None | "":
            return None
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < _INTEGRAL:
            return str(int(value))
        case float():
            return repr(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return str(value)
