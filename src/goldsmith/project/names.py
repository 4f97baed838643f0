"""Finds names of tables in SQL text, to register them before Spark analyses it."""

from __future__ import annotations

import re

LAYERS = ("bronze", "silver", "gold", "ops", "quarantine")
"""The schemas of a lakehouse: the layers, `ops` and `quarantine`."""

_NAME = re.compile(rf"\b({'|'.join(LAYERS)})`?\s*\.\s*`?([a-z_][a-z0-9_]*)`?", re.IGNORECASE)


def tables_in(query: str) -> tuple[str, ...]:
    """Everything that looks like a table's full name, without duplicates, also in strings and column references."""
    return tuple(dict.fromkeys(f"{layer}.{name}".lower() for layer, name in _NAME.findall(query)))
