"""SQL whose tables are read at given versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_DIALECT = "spark"


class UnreadableError(ValueError):
    """The SQL cannot be parsed."""


def tables_of(sql: str, schema: str | None = None) -> set[str]:
    """The tables that a statement reads, as `schema.table` in lower case, and an empty name if it reads by a function.

    schema: of names without one. Raises UnreadableError.
    """
    return {name for name, _ in _tables(sql, schema)}


def pinned(sql: str, version_of: Callable[[str], int | None], schema: str | None = None) -> str:
    """The statement with `VERSION AS OF` behind each table that has a version; nothing else changes.

    version_of: the version of a `schema.table`; None leaves it as it is. Raises UnreadableError.
    """
    places: dict[int, int] = {}
    for name, table in _tables(sql, schema):
        version = version_of(name) if name else None
        if version is not None and table.args.get("version") is None:
            places[table.this.meta["end"] + 1] = version
    for end in sorted(places, reverse=True):
        sql = f"{sql[:end]} VERSION AS OF {places[end]}{sql[end:]}"
    return sql


def _tables(sql: str, schema: str | None) -> Iterator[tuple[str, exp.Table]]:
    try:
        statements = sqlglot.parse(sql, dialect=_DIALECT)
    except SqlglotError as error:
        raise UnreadableError(str(error)) from error
    for statement in statements:
        for table in statement.find_all(exp.Table) if statement is not None else ():
            if not isinstance(table.this, exp.Identifier) or "end" not in table.this.meta:
                # A function, or a name that is computed.
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
    """The names that WITH clauses give to queries where a table stands. One within a clause sees those before it."""
    names: set[str] = set()
    inner: exp.Expression = table
    while (outer := inner.parent) is not None:
        clause = outer if isinstance(outer, exp.With) else outer.args.get("with_") or outer.args.get("with")
        if isinstance(clause, exp.With) and clause is not inner:
            for each in clause.expressions:
                if each is inner:
                    # Its own name is a table's, unless it is recursive.
                    if clause.args.get("recursive"):
                        names.add(each.alias.lower())
                    break
                names.add(each.alias.lower())
        inner = outer
    return names
