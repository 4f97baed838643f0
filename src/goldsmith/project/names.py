"""Which tables a piece of SQL names, found in its text: enough to make them known before it is analyzed."""

from __future__ import annotations

import re

LAYERS = ("bronze", "silver", "gold", "ops", "quarantine")
"""The schemas of a lakehouse: the layers and the platform's own."""

_NAME = re.compile(rf"\b({'|'.join(LAYERS)})`?\s*\.\s*`?([a-z_][a-z0-9_]*)`?", re.IGNORECASE)


def tables_in(query: str) -> tuple[str, ...]:
    """Whatever looks like a table's full name, each once: after FROM, in a string, as a column of an alias."""
    return tuple(dict.fromkeys(f"{layer}.{name}".lower() for layer, name in _NAME.findall(query)))
