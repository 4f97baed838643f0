"""What Superset may send to the Thrift Server: statements that read."""

from __future__ import annotations

import re

READING = frozenset({"select", "with", "values", "show", "describe", "desc", "use"})
"""How a statement that reads begins. EXPLAIN does not: it tells of tables that its reader may not see."""

_SKIPPED = re.compile(r"\s+|--[^\r\n\\]*(?:\r?\n|$)|/\*(?:(?!/\*|\*/).)*\*/|\(", re.DOTALL)
"""Blanks, comments and open brackets. Comments within comments, and those with a backslash or half a line's end, may
end at another place for Spark: they are not skipped."""
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


def reads(sql: str) -> bool:
    """Whether a statement does nothing but read, as its first word says."""
    at = 0
    while skipped := _SKIPPED.match(sql, at):
        at = skipped.end()
    word = _WORD.match(sql, at)
    return word is not None and word[0].lower() in READING
