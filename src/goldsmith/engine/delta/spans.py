"""What a span of an upstream's versions changed, from its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.spark_types import types_in

_ROW_BY_ROW = ("MERGE", "UPDATE", "DELETE")
"""Operations whose change feed has only the changed rows."""


@dataclass(frozen=True)
class Span:
    """The versions of an upstream with after < version <= until, and what they changed.

    rewritten: whole files were replaced, including unchanged rows. rows: the number of rows in added files; None if
    files have no statistics. schema_change: a change of columns across which the changes cannot be read with one
    schema; None if there is none.
    """

    after: int
    until: int
    added: bool
    removed: bool
    rewritten: bool
    rows: int | None
    schema_change: str | None = None

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed)


def read_span(log: TableLog, after: int, until: int) -> Span:
    """Reads what a span changed from the log. Raises HistoryGone if the log no longer has it."""
    added = removed = rewritten = False
    rows: int | None = 0
    schemas: list[str] = []
    for commit in log.commits(after, until):
        schemas += [commit.schema] if commit.schema is not None else []
        added = added or commit.added
        removed = removed or commit.removed
        rows = None if rows is None or commit.added_rows is None else rows + commit.added_rows
        rewritten = rewritten or (commit.removed and commit.operation not in _ROW_BY_ROW)
    return Span(after, until, added, removed, rewritten, rows, _schema_change(log, after, schemas))


def _schema_change(log: TableLog, after: int, schemas: Sequence[str]) -> str | None:
    """What a sequence of schemas changed in the columns of a version. schemas: as JSON, oldest first.

    Comments, nullability and columns added at the end are ignored: older rows have NULL in new columns.
    """
    if not schemas:
        return None
    former = log.types(after)
    for schema in schemas:
        types = types_in(schema)
        for name, kind in former.items():
            if name not in types:
                return f"the column {name} was removed"
            if types[name] != kind:
                return f"the type of {name} changed from {kind} to {types[name]}"
        former = types
    return None
