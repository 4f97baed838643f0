"""The command `status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from goldsmith.cli.console import out, plural, print_json, print_warning, styled, table_within
from goldsmith.cli.groups import Panel
from goldsmith.cli.opening import open_project, profile_name, without_spark
from goldsmith.cli.options import Json

if TYPE_CHECKING:
    from goldsmith.run.table_status import TableStatus

_EXPENDABLE = ("interval", "version", "in", "written", "ended (UTC)")
"""The columns to omit on a narrow terminal, in this order."""

_COLOURS = {"done": "green", "failed": "red", "gate": "red", "never": "dim"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel=Panel.LOOK)(status)


def status(as_json: Json = False) -> None:
    """Print the last load of every table and its quarantined rows.

    Example: `goldsmith status`
    """
    project = open_project()
    from goldsmith.run.context import Run
    from goldsmith.run.table_status import table_statuses

    run = Run.begin(project, profile_name())
    rows = without_spark(project, lambda spark: table_statuses(spark, run), quiet=as_json)
    if as_json:
        print_json(rows)
        return
    print_status(rows)


def print_status(rows: Sequence[TableStatus]) -> None:
    """Prints one line for each table, then messages and warnings of their last loads, and what is announced for the next ones."""
    columns: dict[str, Sequence[object]] = {
        "table": [r.table for r in rows],
        "last": [styled((r.status, _COLOURS.get(r.status, "yellow"))) for r in rows],
        "ended (UTC)": [f"{r.ended_at:%Y-%m-%d %H:%M}" if r.ended_at else None for r in rows],
        "in": [r.rows_in for r in rows],
        "written": [
            styled((f"{r.written:,}", "yellow")) if r.warning and r.written is not None else r.written
            for r in rows
        ],
        "quarantine": [r.quarantined or None for r in rows],
        "version": [r.version for r in rows],
        "interval": [r.interval for r in rows],
    }
    out.print(table_within(out.width, columns, _EXPENDABLE))
    for r in rows:
        for text in (r.message, r.warning, r.next_load):
            if text:
                print_warning(f"{r.table}: {text}")
    counts = Counter(r.status for r in rows)
    parts = [f"{count} {'never loaded' if name == 'never' else name}" for name, count in counts.items()]
    quarantined = sum(r.quarantined for r in rows)
    quarantine = f" {plural(quarantined, 'row')} in quarantine." if quarantined else ""
    shown = f": {', '.join(parts)}" if parts else ""
    out.print(f"\n{plural(len(rows), 'table')}{shown}.{quarantine}", soft_wrap=True)
