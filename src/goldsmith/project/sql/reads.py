"""Refuses statements that do not only read, by their keywords and without Spark's parser."""

from __future__ import annotations

from goldsmith.errors import DeclarationError
from goldsmith.project.sql.text import Malformed, tokenize

_READ = frozenset({"SELECT", "(", "VALUES", "TABLE", "WITH", "FROM", "DESCRIBE", "DESC", "EXPLAIN", "SHOW"})
_WRITE = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_MAY_WRITE = frozenset({"WITH", "FROM"})
"""Words that begin queries, and statements that insert what they select."""

HINT = "Write a query, DESCRIBE, EXPLAIN or SHOW."


def require_read(statement: str) -> None:
    """Raises DeclarationError GS201 for a statement that may write, and for one that is not closed."""
    try:
        words = [token.text.upper() for token in tokenize(statement)]
    except Malformed as error:
        raise DeclarationError("GS201", f"{error}.", hint=HINT) from None
    first = words[0] if words else ""
    if first not in _READ or (first in _MAY_WRITE and _WRITE.intersection(words)):
        raise DeclarationError(
            "GS201", f"The statement does not only read: {first or 'it is empty'}.", hint=HINT
        )
