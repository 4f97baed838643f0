"""Refuses statements that do not only read, by their keywords and without Spark's parser."""

from __future__ import annotations

from sqlglot.tokenizer_core import TokenType

from goldsmith.errors import DeclarationError
from goldsmith.project.sql.text import Malformed, tokenize

_READ = frozenset({"SELECT", "(", "VALUES", "TABLE", "DESCRIBE", "DESC", "EXPLAIN", "SHOW"})
_WRITE = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_BEFORE = frozenset({"WITH", "FROM"})
"""Words that begin queries, and statements that write what they select."""

HINT = "Write a query, DESCRIBE, EXPLAIN or SHOW."


def require_read(statement: str) -> None:
    """Raises DeclarationError GS201 for a statement that may write, and for one that is not closed."""
    try:
        outer = _outer_words(statement)
    except Malformed as error:
        raise DeclarationError("GS201", f"{error}.", hint=HINT) from None
    first = outer[0] if outer else ""
    # What WITH defines, and what FROM reads, stands in parentheses or is a name.
    deciding = (
        next((word for word in outer if word in _READ - {"("} | _WRITE), "") if first in _BEFORE else first
    )
    if deciding not in _READ:
        raise DeclarationError(
            "GS201", f"The statement does not only read: {deciding or first or 'it is empty'}.", hint=HINT
        )


def _outer_words(statement: str) -> list[str]:
    """The words outside of parentheses, and each first parenthesis; without quoted names."""
    found, depth = [], 0
    for token in tokenize(statement):
        if token.token_type is TokenType.R_PAREN:
            depth -= 1
        elif depth == 0 and token.token_type is not TokenType.IDENTIFIER:
            found.append(token.text.upper())
        if token.token_type is TokenType.L_PAREN:
            depth += 1
    return found
