"""Checks the names and types of declared columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.column_types import WrongTypeError, check_type
from goldsmith.project.models import CHANGE_FEED
from goldsmith.project.tables import Table

_TYPES = "As in int, date, decimal(9,2), array<string> or struct<a:int,b:string>."
IMPOSSIBLE = re.compile(r"[ ,;{}()\n\t=]")
"""Characters that the column names of a Delta table cannot have."""
_HOLDS_MAP = re.compile(r"(^|[:<,]\s*)(map\s*<|variant\s*($|[,>]))")


def declared_columns(table: Table) -> Iterator[DeclarationError]:
    """Mistakes in a table's `columns`: GS103 and GS105."""
    seen: dict[str, str] = {}
    for name, column in table.spec.columns.items():
        where = table.where("columns", name)
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield DeclarationError(
                "GS105",
                f"`{first}` and `{name}` are the same column: names are case-insensitive.",
                where=where,
                hint="Keep one of them.",
            )
        if column.type is not None and name.lower() in table.load.added_columns:
            yield DeclarationError(
                "GS110",
                f"`{name}` cannot have a declared type: `{table.load.kind}` adds this column.",
                where=table.where("columns", name, "type"),
                hint="Remove the type. `valid_from` and `valid_to` have that of the first `sequence_by` column.",
            )
        elif column.type is not None:
            try:
                check_type(column.type)
            except WrongTypeError as error:
                message = f"The type of `{name}` cannot be read: {error}."
                at = table.where("columns", name, "type")
                yield DeclarationError("GS103", message, where=at, hint=error.hint or _TYPES)


def own_columns(table: Table) -> Iterator[DeclarationError]:
    """Columns of a query whose names Delta does not support, or Goldsmith or Delta's change feed reserves: GS110."""
    for name in table.row_columns or ():
        if name.lower() in table.load.added_columns:
            yield DeclarationError(
                "GS110",
                f"The query has a column `{name}`, which `{table.load.kind}` adds itself.",
                where=table.where("load", table.load.kind),
                hint="Rename the query's column: `... AS another_name`.",
            )
        reserved = name.lower().startswith("_gs_") or name.lower() in CHANGE_FEED
        # Delta can append a column whose name has a backtick, but cannot merge or update it.
        if not reserved and not IMPOSSIBLE.search(name) and "`" not in name:
            continue
        reason = "Goldsmith or Delta reserves the name" if reserved else "Delta does not support the name"
        hint = "Rename it: `... AS another_name`."
        yield DeclarationError(
            "GS110", f"The query has a column `{name}`: {reason}.", where=table.where(), hint=hint
        )


IRREPLACEABLE = "The column `{}` has a backtick in its name: Delta cannot replace a part of such a table."
KEEP_REPLACED = "Rename the column in the files, or declare another `on_replaced` or `load`."


def irreplaceable(names: Iterable[str]) -> tuple[str, ...]:
    """The column names with which Delta can only append to a table and replace all of it."""
    return tuple(name for name in names if "`" in name)


def incomparable_keys(table: Table) -> Iterator[DeclarationError]:
    """Key columns that are declared as a map or a variant: GS110."""
    types = {name.lower(): column.type or "" for name, column in table.spec.columns.items()}
    for name in table.load.compared:
        if _HOLDS_MAP.search(types.get(name.lower(), "").lower()):
            message = incomparable(name, types[name.lower()])
            yield DeclarationError(
                "GS110", message, where=table.where("load", table.load.kind), hint=EXTRACT_A_VALUE
            )


def incomparable(name: str, kind: str) -> str:
    """The message for a key column of a type whose values cannot be compared."""
    return f"`{name}` is {kind}: values that contain a map or a variant cannot be compared."


EXTRACT_A_VALUE = "Extract a single value from it, as in `payload:id::string AS id`."
