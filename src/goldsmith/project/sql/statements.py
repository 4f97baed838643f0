"""Splits text into SQL statements at semicolons, without those within strings, quoted names and comments."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokenizer_core import TokenType

from goldsmith.project.sql.text import Malformed, tokenize


@dataclass(frozen=True)
class Statements:
    """The complete statements of a text, without their semicolons. rest: the text after the last semicolon."""

    complete: tuple[str, ...]
    rest: str

    @property
    def all(self) -> tuple[str, ...]:
        """All statements: the last one may lack its semicolon."""
        return (*self.complete, *((self.rest,) if self.rest else ()))

    @property
    def is_open(self) -> bool:
        """Whether a statement has begun and not ended."""
        return bool(self.rest)


def split(text: str) -> Statements:
    """The statements of a text. All of it is the rest if a string, a quoted name or a comment is not closed."""
    try:
        tokens = tokenize(text)
    except Malformed:
        return Statements((), text.strip())
    found, start, begun = [], 0, False
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            begun = True
            continue
        if begun:
            found.append(text[start : token.start].strip())
        start, begun = token.end + 1, False
    return Statements(tuple(found), text[start:].strip() if begun else "")
