"""Which tables a piece of SQL names, found by its tokens: enough to make them known before it is read in earnest."""

from __future__ import annotations

import re

_NAME = re.compile(r"\b(bronze|silver|gold|ops|quarantine)\s*\.\s*`?([a-z_][a-z0-9_]*)`?", re.IGNORECASE)


def tables_in(query: str) -> tuple[str, ...]:
    """Full names of tables after FROM and JOIN or anywhere else, each once. A name in a string is harmless here."""
    bare = re.sub(r"'(?:[^'\\]|\\.)*'", "''", query)
    bare = re.sub(r"--[^\n]*", "", bare)
    return tuple(dict.fromkeys(f"{layer}.{name}".lower() for layer, name in _NAME.findall(bare)))
