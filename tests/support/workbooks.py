"""Excel workbooks of tests."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook


def workbook(*rows: Sequence[Any]) -> bytes:
    """A workbook with one sheet of these rows."""
    book, found = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(list(row))  # type: ignore[union-attr]
    book.save(found)
    return found.getvalue()
