"""Checks `fresh_within`."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.hints import hint_for
from goldsmith.project.tables import Table


def monitored(table: Table) -> Iterator[DeclarationError]:
    """Mistakes in `fresh_within`: a column that does not exist or is neither a date nor a timestamp."""
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
        reason = f"is of type {kind}" if kind else "has no declared type"
        yield DeclarationError(
            "GS110",
            f"`fresh_within` needs a date or a timestamp, and `{freshness.column}` {reason}.",
            where=where,
            hint="Declare its type under `columns`, name another column, or write the age alone, which is measured "
            "from the last load.",
        )
