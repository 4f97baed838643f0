"""Checks of the columns and conditions that a table's declaration names."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.hints import after_colon, hint_for
from goldsmith.project.quarantine_limit import LIMIT
from goldsmith.project.sql import statement as sql
from goldsmith.project.sql.missing_commas import HiddenColumns
from goldsmith.project.tables import Table


def named_columns(table: Table, hidden: HiddenColumns) -> Iterator[DeclarationError]:
    """Declared columns, keys, clustering and conditions that do not match the table's columns."""
    load, form = table.load, ("load", table.load.kind)
    lists: dict[tuple[str, ...], tuple[str, ...]] = {("cluster_by",): table.spec.cluster_by}
    lists |= {(*form, key): names for key, names in load.columns.items()}
    for path, names in lists.items():
        yield from _twice(table, path, names)
    columns, rows = table.columns, table.row_columns
    if columns is None or rows is None:
        return
    wanted = [
        (name, path, rows if path[0] == "load" else columns)
        for path, names in lists.items()
        for name in names
    ]
    if table.analysis is not None:
        wanted += [(name, ("columns", name), columns) for name in table.spec.columns]
    for name, path, known in wanted:
        if name.lower() not in {column.lower() for column in known}:
            yield DeclarationError(
                "GS203",
                f"`{table.name}` has no column `{name}`.",
                where=table.where(*path),
                hint=hidden.get(name.lower()) or hint_for(name, known),
            )
    for key, condition in load.conditions.items():
        for problem in sql.check_expression(condition, rows):
            yield DeclarationError(
                problem.code,
                f"In `{key}`: {after_colon(problem.message)}",
                where=table.where(*form, key),
                hint=problem.hint,
            )


def _twice(table: Table, path: tuple[str, ...], names: tuple[str, ...]) -> Iterator[DeclarationError]:
    """Columns that one list names twice."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.get(name.lower())
        seen[name.lower()] = name
        if first is not None:
            spellings = "twice" if first == name else f"as `{first}` and as `{name}`"
            message = f"`{path[-1]}` names one column {spellings}."
            yield DeclarationError("GS105", message, where=table.where(*path), hint="Name it once.")


def conditions(table: Table) -> Iterator[DeclarationError]:
    columns = table.row_columns
    names: set[str] = set()
    for index, expectation in enumerate(table.spec.expectations):
        where = table.where("expectations", index)
        if expectation.name in names:
            yield DeclarationError(
                "GS105",
                f"Two expectations have the name `{expectation.name}`.",
                where=where,
                hint="Give one of them another `name`.",
            )
        names.add(expectation.name)
        if expectation.name == LIMIT:
            yield DeclarationError(
                "GS105",
                f"An expectation cannot have the name `{LIMIT}`, which is a key of tables.",
                where=where,
                hint="Give it another `name`.",
            )
        if expectation.kind == "condition":
            where = table.where("expectations", index, "condition")
            for problem in sql.check_expression(str(expectation.arguments["condition"]), columns):
                message = f"In `{expectation.name}`: {after_colon(problem.message)}"
                yield DeclarationError(problem.code, message, where=where, hint=problem.hint)
