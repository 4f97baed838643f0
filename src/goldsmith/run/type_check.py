"""Checks that declared types of columns are those of the table."""

from __future__ import annotations

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import Bookmark
from goldsmith.errors import RunError
from goldsmith.project.column_types import same_type
from goldsmith.project.tables import Table


def check_types_unchanged(table: Table, log: TableLog, bookmark: Bookmark, hint: str) -> None:
    """Raises RunError GS405 if a changed declaration changes the type of a column."""
    if bookmark.metadata.definition == table.definition:
        return
    current = {name.lower(): kind for name, kind in log.types().items()}
    for name, column in table.spec.columns.items():
        kind = current.get(name.lower())
        if kind is not None and column.type and not same_type(column.type, kind):
            raise RunError(
                "GS405",
                f"The column {name} of `{table.name}` has the type {kind}, and is now declared as {column.type}.",
                where=table.where("columns", name),
                hint=hint,
            )
