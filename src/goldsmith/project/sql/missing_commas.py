"""Columns that a missing comma hides: `SELECT id customer` returns the column `id` under the name `customer`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from goldsmith.project.sql.scope import Select, SetOperation
from goldsmith.project.sql.statement import Query
from goldsmith.project.sql.text import line_of

HiddenColumns = Mapping[str, str]
"""Columns in lower case, each with a hint that says which alias hides it."""


def hidden_columns(query: Query) -> HiddenColumns:
    """The columns that the query's SELECT renames without AS."""
    root = query.structure.root
    while isinstance(root, SetOperation):
        root = root.left
    if not isinstance(root, Select):
        return {}
    words = {token.start: token.text for token in query.parsed.tokens}
    starts = sorted(words)
    found = {}
    for item in root.node.expressions:
        if not isinstance(item, exp.Alias) or not isinstance(item.this, exp.Column):
            continue
        alias = item.args["alias"].meta.get("start")
        before = starts[starts.index(alias) - 1] if alias in words else None
        if before is not None and words[before].upper() != "AS":
            line = line_of(query.parsed, item)
            name = item.this.name
            found[name.lower()] = (
                f"`{query.table}` names it `{item.alias}` on line {line}. If a comma is missing, write `{name}, {item.alias}`."
            )
    return found
