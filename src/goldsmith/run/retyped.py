"""Declared columns that have another type than the table's."""

from __future__ import annotations

from goldsmith.engine.delta.log import Bookmark, TableLog
from goldsmith.engine.ingest.shape import same_type
from goldsmith.errors import RunError
from goldsmith.project.tables import Table


def refuse_retyped(table: Table, log: TableLog, bookmark: Bookmark, hint: str) -> None:
    """Raises RunError GS405 if a changed declaration gives a column another type than the table has."""
    if bookmark.metadata.definition == table.definition:
        return
    held = {name.lower(): kind for name, kind in log.types().items()}
    for name, column in table.spec.columns.items():
        kind = held.get(name.lower())
        if kind is not None and column.type and not same_type(column.type, kind):
            raise RunError(
                "GS405",
                f"`{table.name}` holds {name} as {kind}, and it is declared as {column.type} now.",
                where=table.where("columns", name),
                hint=hint,
            )
