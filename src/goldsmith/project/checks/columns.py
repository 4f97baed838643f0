"""Checks of the declared columns by themselves: their names and their types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.column_types import WrongTypeError, check_type
from goldsmith.project.models import CHANGE_FEED
from goldsmith.project.tables import Table

_TYPES = "As in int, date, decimal(9,2), array<string> or struct<a:int,b:string>."
IMPOSSIBLE = re.compile(r"[ ,;{}()\n\t=]")
"""What no column of a Delta table can have in its name."""
_HOLDS_MAP = re.compile(r"(^|[:<,]\s*)(map\s*<|variant\s*($|[,>]))")


def declared_columns(table: Table) -> Iterator[DeclarationError]:
    """The mistakes in a table's `columns`: GS103 and GS105."""
    seen: dict[str, str] = {}
    for name, column in table.spec.columns.items():
        where = table.where("columns", name)
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield DeclarationError(
                "GS105",
                f"`{first}` and `{name}` are one column: case does not count.",
                where=where,
                hint="Keep one of them.",
            )
        if column.type is not None:
            try:
                check_type(column.type)
            except WrongTypeError as error:
                told = f"The type of `{name}` cannot be read: {error}."
                at = table.where("columns", name, "type")
                yield DeclarationError("GS103", told, where=at, hint=error.hint or _TYPES)


def own_columns(table: Table) -> Iterator[DeclarationError]:
    """The columns of a derived table that Delta cannot have, or that Goldsmith or Delta's change feed has itself: GS110."""
    for name in table.columns or ():
        feeds = name.lower().startswith("_gs_") or name.lower() in CHANGE_FEED
        # Delta can append a column with a backtick, and neither merge nor update it.
        if not feeds and not IMPOSSIBLE.search(name) and "`" not in name:
            continue
        told = "a name that Goldsmith or Delta keeps for itself" if feeds else "what no column can be called"
        hint = "Rename it: `... AS another_name`."
        yield DeclarationError(
            "GS110", f"The query has a column `{name}`: {told}.", where=table.where(), hint=hint
        )


def incomparable_keys(table: Table) -> Iterator[DeclarationError]:
    """Columns that tell rows apart and are declared as a map or a variant: GS110."""
    types = {name.lower(): column.type or "" for name, column in table.spec.columns.items()}
    for name in table.load.named:
        if _HOLDS_MAP.search(types.get(name.lower(), "").lower()):
            told = incomparable(name, types[name.lower()])
            yield DeclarationError(
                "GS110", told, where=table.where("load", table.load.kind), hint=TAKE_A_PART
            )


def incomparable(name: str, kind: str) -> str:
    """What is wrong with a column of this type that tells rows apart."""
    return f"`{name}` is {kind}: values that hold a map or a variant cannot be told apart."


TAKE_A_PART = "Take a part of it that is a single value, as in `payload:id::string AS id`."
