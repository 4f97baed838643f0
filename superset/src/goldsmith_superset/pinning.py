"""Adds table versions to SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_DIALECT = "spark"


class UnreadableError(ValueError):
    """The SQL cannot be parsed."""


def tables_of(sql: str, schema: str | None = None) -> set[str]:
    """The tables that a statement reads, as `schema.table` in lower case, and an empty name for other sources.

    schema: the default schema. Raises UnreadableError.
    """
    return {name for name, _ in _tables(sql, schema)}


def pinned(sql: str, version_of: Callable[[str], int | None], schema: str | None = None) -> str:
    """The statement with `VERSION AS OF` after each table with a version, otherwise unchanged.

    version_of: the version of a `schema.table`; None for none. Raises UnreadableError.
    """
    positions: dict[int, int] = {}
    for name, table in _tables(sql, schema):
        version = version_of(name) if name else None
        if version is not None and table.args.get("version") is None:
            positions[table.this.meta["end"] + 1] = version
    for end in sorted(positions, reverse=True):
        sql = f"{sql[:end]} VERSION AS OF {positions[end]}{sql[end:]}"
    return sql


def _tables(sql: str, schema: str | None) -> Iterator[tuple[str, exp.Table]]:
    try:
        statements = sqlglot.parse(sql, dialect=_DIALECT)
    except SqlglotError as error:
        raise UnreadableError(str(error)) from error
    for statement in statements:
        for table in statement.find_all(exp.Table) if statement is not None else ():
            if not isinstance(table.this, exp.Identifier) or "end" not in table.this.meta:
                # A table function, or a computed name.
                yield "", table
                continue
            if table.catalog and table.catalog.lower() != "spark_catalog":
                yield "", table
                continue
            if not table.db and table.name.lower() in _ctes_around(table):
                continue
            database = table.db or schema
            if not database:
                yield "", table
            else:
                yield f"{database}.{table.name}".lower(), table


def _ctes_around(table: exp.Table) -> set[str]:
    """The names of the CTEs visible to a table reference. Inside a WITH clause these are the preceding ones."""
    names: set[str] = set()
    inner: exp.Expression = table
    while (outer := inner.parent) is not None:
        clause = outer if isinstance(outer, exp.With) else outer.args.get("with_") or outer.args.get("with")
        if isinstance(clause, exp.With) and clause is not inner:
            for each in clause.expressions:
                if each is inner:
                    # Inside a CTE its own name is a table's, unless the CTE is recursive.
                    if clause.args.get("recursive"):
                        names.add(each.alias.lower())
                    break
                names.add(each.alias.lower())
        inner = outer
    return names
