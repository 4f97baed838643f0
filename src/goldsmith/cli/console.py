"""How things are said in a terminal: errors, tables, numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goldsmith.errors import DeclarationErrors, GoldsmithError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def tell_error(error: GoldsmithError) -> None:
    """What is wrong, where, and what to do."""
    problems: Sequence[GoldsmithError] = error.problems if isinstance(error, DeclarationErrors) else (error,)
    for problem in problems:
        err.print(f"[bold red]{problem.code}[/] {escape(problem.message)}", soft_wrap=True)
        where = _near(str(problem.where))
        if where:
            err.print(f"      [dim]at[/] {escape(where)}", soft_wrap=True)
        if problem.hint:
            err.print(f"      [dim]do[/] {escape(problem.hint)}", soft_wrap=True)
        if problem.retryable:
            err.print("      [dim]The same call may succeed later.[/]")
    if len(problems) > 1:
        err.print(f"[bold]{len(problems)} mistakes.[/]")


def _near(where: str) -> str:
    """The place with its path as seen from here, where it is below."""
    return where.removeprefix(f"{Path.cwd()}/")


def tell_warning(text: str) -> None:
    err.print(f"[yellow]![/] {escape(text)}", soft_wrap=True)


def tell_json(value: Any) -> None:
    """A value for machines, on standard output."""
    sys.stdout.write(json.dumps(value, default=as_json, indent=2) + "\n")


def error_as_dict(error: GoldsmithError) -> dict[str, Any]:
    where = {key: value for key, value in asdict(error.where).items() if value is not None}
    return {
        "code": error.code,
        "message": error.message,
        "where": where,
        "hint": error.hint,
        "retryable": error.retryable,
    }


def as_json(value: object) -> object:
    """A value that JSON does not have, as one that it has."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, frozenset | set | tuple):
        return list(value)
    return str(value)


def table(title: str | None, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Rows for the eye; numbers stand to the right."""
    rows = [list(row) for row in rows]
    shown = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold dim",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for at, column in enumerate(columns):
        numeric = any(isinstance(row[at], int | float) for row in rows) and not any(
            isinstance(row[at], str) for row in rows
        )
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=at == 0)
    for row in rows:
        shown.add_row(*[cell(value) for value in row])
    return shown


def cell(value: object) -> str:
    match value:
        case None:
            return "[dim]-[/]"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return escape(str(value))


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
