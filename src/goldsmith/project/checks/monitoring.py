"""Checks of what a table declares for its time at rest: how fresh it must be."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.suggest import hint_for
from goldsmith.project.tables import Table


def monitored(table: Table) -> Iterator[DeclarationError]:
    """What is wrong with `fresh_within`: a column that is not there, or that holds no instants or dates."""
    freshness = table.freshness
    if freshness is None or freshness.column is None:
        return
    columns, where = table.columns, table.where("fresh_within", freshness.column)
    if columns is None:
        return
    types = {name.lower(): kind for name, kind in columns.items()}
    if freshness.column.lower() not in types:
        yield DeclarationError(
            "GS203",
            f"`{table.name}` has no column `{freshness.column}`.",
            where=where,
            hint=hint_for(freshness.column, columns),
        )
        return
    kind = types[freshness.column.lower()]
    if (kind or "").lower() not in ("date", "timestamp", "timestamp_ltz"):
        told = f"is of type {kind}" if kind else "has no declared type"
        yield DeclarationError(
            "GS110",
            f"`fresh_within` needs a date or a timestamp, and `{freshness.column}` {told}.",
            where=where,
            hint="Declare its type under `columns`, name another column, or give the age alone: it then counts "
            "from the last load.",
        )
