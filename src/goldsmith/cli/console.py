"""Prints text, tables and errors; values are neither control sequences for the terminal nor markup."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleDimensions, RenderableType
from rich.table import Table
from rich.text import Text

from goldsmith.errors import DeclarationErrors, GoldsmithError

_CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
"""Control and format characters, line separators and surrogates, which a terminal interprets or does not show.

Except the line feed, and the two joiners that scripts and emoji need.
"""

_SHORTEST = 10
"""The minimum width of a table's first column."""

_READABLE = 16
"""The minimum width of a column of data whose values are wrapped."""

_WIDE = 10_000
"""The width of an output that is not a terminal: one line per row of a table."""


def visible(text: str) -> str:
    """Text with control characters as escapes: ESC as `\\x1b`."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Terminal(Console):
    """Prints text as `visible` returns it, without markup and emoji codes. For colours, use `styled`."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Called for all text that is printed, also in tables."""
        return super().render_str(visible(text), **options)

    @property
    def size(self) -> ConsoleDimensions:
        found = super().size
        # With FORCE_COLOR, `is_terminal` is true for a pipe too.
        if self.file.isatty() or "COLUMNS" in os.environ:
            return found
        return ConsoleDimensions(_WIDE, found.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size


out = Terminal()
err = Terminal(stderr=True)


def styled(*parts: str | tuple[str, str]) -> Text:
    """Text from plain parts and parts with a style: `styled(("Done:", "green"), f" {count} rows")`."""
    return Text.assemble(
        *(visible(part) if isinstance(part, str) else (visible(part[0]), part[1]) for part in parts)
    )


def print_error(error: GoldsmithError) -> None:
    """Prints an error's code and message, place and hint."""
    problems: Sequence[GoldsmithError] = error.problems if isinstance(error, DeclarationErrors) else (error,)
    for problem in problems:
        err.print(styled((problem.code, "bold red"), f" {problem.message}"), soft_wrap=True)
        where = _relative(str(problem.where))
        if where:
            err.print(styled("      ", ("at", "dim"), f" {where}"), soft_wrap=True)
        if problem.hint:
            err.print(styled("      ", ("do", "dim"), f" {problem.hint}"), soft_wrap=True)
        if problem.retryable:
            err.print(
                styled("      ", ("Retryable: the same command may succeed later.", "dim")), soft_wrap=True
            )
    if len(problems) > 1:
        err.print(styled((f"{len(problems)} mistakes.", "bold")))


def _relative(where: str) -> str:
    """The place, with a path below the working directory as a relative path."""
    return where.removeprefix(f"{Path.cwd()}/")


def print_traceback() -> None:
    """Prints the traceback of the exception that is being handled."""
    err.print(traceback.format_exc(), soft_wrap=True)


def print_warning(text: str) -> None:
    """Prints a warning to standard error."""
    err.print(styled(("!", "yellow"), f" {text}"), soft_wrap=True)


def print_warnings(texts: Iterable[str]) -> None:
    """Prints warnings to standard error."""
    for text in texts:
        print_warning(text)


def print_json(value: Any) -> None:
    """Prints a value as JSON to standard output."""
    sys.stdout.write(json.dumps(value, default=as_json, indent=2) + "\n")


def error_as_dict(error: GoldsmithError) -> dict[str, Any]:
    """An error for JSON output."""
    where = {key: value for key, value in asdict(error.where).items() if value is not None}
    return {
        "code": error.code,
        "message": error.message,
        "where": where,
        "hint": error.hint,
        "retryable": error.retryable,
    }


def as_json(value: object) -> object:
    """A value of a type that JSON lacks, as one that it has."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, frozenset | set | tuple):
        return list(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return str(value)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None, exact: bool = False
) -> Table:
    """A table for people. Numbers are right-aligned. exact: print numbers without rounding and grouping."""
    rows = [list(row) for row in rows]
    shown = Table(
        title=styled(title) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="bold dim",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for at, column in enumerate(columns):
        values = [row[at] for row in rows if row[at] is not None]
        numeric = bool(values) and all(map(_is_number, values))
        shown.add_column(
            _one_line(column), justify="right" if numeric else "left", overflow="fold", no_wrap=at == 0
        )
    for row in rows:
        shown.add_row(*[cell(value, exact=exact) for value in row])
    return shown


def rows_within(
    width: int, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> Iterable[RenderableType]:
    """Rows of data as a table if its columns stay readable at this width, else with one line per column."""
    needed = [
        max([len(column), *(cell(row[at], exact=True).cell_len for row in rows)])
        for at, column in enumerate(columns)
    ]
    if not rows or sum(min(cells, _READABLE) + 1 for cells in needed) <= width:
        return [table(columns, rows, exact=True)]
    return [
        table(["column", "value"], zip(columns, row, strict=True), title=f"Row {number:,}", exact=True)
        for number, row in enumerate(rows, start=1)
    ]


def _is_number(value: object) -> bool:
    if isinstance(value, Text):
        return value.plain.replace(",", "").isdigit()
    return isinstance(value, int | float | Decimal)


def table_within(width: int, columns: Mapping[str, Sequence[object]], expendable: Sequence[str]) -> Table:
    """A table with one line per row. To fit the width, columns are omitted, then the first one is shortened.

    expendable: the columns to omit, in this order.
    """
    needed = {
        name: 1 + max([len(name), *(cell(value).cell_len for value in values)])
        for name, values in columns.items()
    }
    for name in expendable:
        if sum(needed.values()) > width:
            del needed[name]
    shown = table(list(needed), zip(*(columns[name] for name in needed), strict=True))
    for column in shown.columns:
        column.no_wrap = True
        column.overflow = "ellipsis"
    first, *others = needed.values()
    shown.columns[0].width = max(min(first, width - sum(others)) - 1, _SHORTEST)
    return shown


def cell(value: object, *, exact: bool = False) -> Text:
    """A value on one line; None is a dash."""
    match value:
        case None:
            return Text("-", "dim")
        case Text():
            return value
        case bool():
            return Text(str(value).lower() if exact else "yes" if value else "no")
        case int() if not exact:
            return Text(f"{value:,}")
        case float() if not exact:
            return Text(f"{value:,.1f}")
        case Decimal():
            return Text(f"{value:f}")
        case datetime():
            return Text(f"{value:%Y-%m-%d %H:%M:%S}")
        case bytes() | bytearray():
            return Text(f"X'{value.hex().upper()}'")
        case _:
            return Text(_one_line(str(value)))


def _one_line(text: str) -> str:
    return visible(text).replace("\n", "\\n")


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: `1 row`, `1,200 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
