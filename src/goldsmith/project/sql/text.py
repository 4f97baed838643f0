"""Parses SQL into tokens and a syntax tree with positions, and replaces parts of its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.spark import SparkParser
from sqlglot.tokenizer_core import Token, TokenType

E = TypeVar("E", bound=exp.Expr)

_TEMPLATE = re.compile(r"\{\{|\{%")
_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_ATOM = re.compile(r"^(?:[\w.]+|`[^`]*`|'[^'\\]*')$")
_STARTS = (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.FROM, TokenType.VALUES)
_QUANTIFIERS = (TokenType.ANY, TokenType.SOME)
_LIKES = (TokenType.LIKE, TokenType.ILIKE, TokenType.RLIKE)


class Malformed(Exception):  # noqa: N818 - callers add the file and the table
    """Text that is not a single query. offset: the character at which parsing failed."""

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


class _PositionParser(SparkParser):
    """Spark's parser that records the first and last character of each expression as `meta["span"]`."""

    def _noted(self, first: Token, node: exp.Expr | None) -> exp.Expr | None:
        if node is not None and first and self._prev and self._prev.end >= first.start:
            node.meta["span"] = (first.start, self._prev.end)
        return node

    # ANY without parentheses only follows LIKE, where the parser recognizes its token.
    NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012 - as the class above has it
        name: parser for name, parser in SparkParser.NO_PAREN_FUNCTION_PARSERS.items() if name != "ANY"
    }

    def validate_expression(self, expression: E, args: list[Any] | None = None) -> E:
        # Spark validates the number of arguments; the parser does not know all forms of some functions.
        return expression if args is not None else super().validate_expression(expression)

    def _parse_disjunction(self) -> exp.Expr | None:
        first = self._curr
        return self._noted(first, super()._parse_disjunction())

    def _parse_range(self, this: exp.Expr | None = None, parse_is: bool = False) -> exp.Expr | None:
        first = self._curr
        node = super()._parse_range(this, parse_is)
        return node if this is not None else self._noted(first, node)

    def _parse_function_call(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        first = self._curr
        node = super()._parse_function_call(*args, **kwargs)
        called = node
        while isinstance(called, exp.Window | exp.IgnoreNulls | exp.RespectNulls):
            called = called.this
        if isinstance(called, exp.Expr) and "start" not in called.meta:
            called.update_positions(first)
        return node


@dataclass(frozen=True)
class Parsed:
    """One statement: its text, tokens and syntax tree."""

    text: str
    tokens: tuple[Token, ...]
    tree: exp.Expr


def place(text: str, offset: int) -> tuple[int, int]:
    """The line and column of a character, from 1."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def offset_of(node: exp.Expr) -> int:
    """The offset of the first character of a node; 0 if unknown."""
    return min((found for part in node.walk() if (found := _own_offset(part)) is not None), default=0)


def _own_offset(node: exp.Expr) -> int | None:
    meta = node.meta
    span = meta.get("span")
    starts = [start for start in (meta.get("start"), span[0] if span else None) if start is not None]
    return min(starts, default=None)


def line_of(parsed: Parsed, node: exp.Expr, word: str = "") -> int:
    """The line of a node, or of the keyword before it."""
    offset = offset_of(node)
    if word:
        before = [t.start for t in parsed.tokens if t.start <= offset and t.text.upper() == word]
        offset = before[-1] if before else offset
    return place(parsed.text, offset)[0]


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of SQL. Raises Malformed for text such as a string without its end."""
    try:
        tokens = tuple(Spark().tokenize(text))
    except TokenError as error:
        quotes = [mark for mark in ("'", '"', "`", "/*") if text.count(mark) % 2]
        offset = text.rfind(quotes[0]) if quotes else max(len(text) - 1, 0)
        raise Malformed("A string, a quoted name or a comment is not closed", offset) from error
    before: Token | None = None
    for token, after in pairwise(tokens):
        # The parser reads these words as clauses and predicates; here they are names of functions.
        if after.token_type is TokenType.L_PAREN and (
            token.token_type is TokenType.WINDOW
            or (token.token_type in _QUANTIFIERS and not (before and before.token_type in _LIKES))
        ):
            token.token_type = TokenType.VAR
        before = token
    return tokens


def parse_tokens(text: str, tokens: Sequence[Token]) -> exp.Expr:
    """The syntax tree of one statement. Raises Malformed if it does not parse."""
    try:
        statements = _PositionParser(dialect=Spark()).parse(list(tokens), text)
    except ParseError as error:
        raise _malformed(text, tokens, error) from error
    except RecursionError as error:
        raise Malformed("This SQL is nested too deeply", 0) from error
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise Malformed("A function has arguments that cannot be parsed", 0) from error
    tree = statements[0] if statements else None
    if tree is None:
        raise Malformed("The SQL is empty", 0)
    return tree


def _malformed(text: str, tokens: Sequence[Token], error: ParseError) -> Malformed:
    found: Mapping[str, Any] = error.errors[0] if error.errors else {}
    line, end = found.get("line"), found.get("col")
    token = next((item for item in tokens if item.line == line and item.col == end), None)
    if token is None:
        return Malformed("This SQL does not parse", 0)
    expected = re.match(r"(?:Expecting|Expected) (\S+(?: name)?)", str(found.get("description", "")))
    wanted = f"; expected {expected[1]}" if expected else ""
    where = "after" if token is tokens[-1] else "at"
    return Malformed(f"This SQL does not parse {where} {_shown(text, token)}{wanted}", token.start)


def _shown(text: str, token: Token) -> str:
    return f"`{text[token.start : token.end + 1]}`"


def parse_statement(text: str) -> Parsed:
    """Parses text with exactly one query. Raises Malformed for other text."""
    try:
        return _parsed(text)
    except Malformed:
        template = _TEMPLATE.search(text)
        if template is None:
            raise
        hint = "Write the table's full name: `FROM silver.orders`."
        raise Malformed("SQL is not a template here", template.start(), hint) from None


def _parsed(text: str) -> Parsed:
    tokens = tokenize(text)
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        raise Malformed("The SQL is empty", 0, "Write one SELECT.")
    one = "A table's SQL is one SELECT, which may begin with WITH."
    if tokens[0].token_type not in _STARTS:
        first = tokens[0]
        raise Malformed(f"Expected a SELECT, found {_shown(text, first)}", first.start, one)
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            after = tokens[index + 1]
            raise Malformed(f"Found a second statement at {_shown(text, after)}", after.start, one)
    tree = parse_tokens(text, tokens)
    if not isinstance(tree, exp.Query | exp.Values):
        raise Malformed("This is not a SELECT", tokens[0].start, one)
    return Parsed(text, tokens, tree)


def canonical(parsed: Parsed) -> str:
    """The statement's tokens in a normal form: without comments, single spaces, keywords in capitals.

    It is not generated from the tree: a generator that renders two trees alike would hide a change.
    """
    words: list[str] = []
    for token, after in zip(parsed.tokens, (*parsed.tokens[1:], None), strict=True):
        kind = token.token_type
        if kind is TokenType.IDENTIFIER:
            words.append(token.text if _PLAIN.match(token.text) else quoted(token.text))
        elif kind.name.endswith("STRING"):
            words.append(parsed.text[token.start : token.end + 1])
        elif kind is TokenType.VAR and not (after and after.token_type is TokenType.L_PAREN):
            words.append(token.text)
        else:
            words.append(token.text.upper())
    return " ".join(words)


def text_literal(text: str) -> str:
    """A text as a Spark SQL literal on one line: `it's` -> `'it\\'s'`."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    escaped = escaped.replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def quoted(name: str) -> str:
    """A name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def plain(name: str) -> str:
    """A name for SQL, in backticks only if it needs them."""
    return name if _PLAIN.match(name) else quoted(name)


def spliced(text: str, replacements: Sequence[tuple[int, int, str]]) -> str:
    """The text with the characters from start up to end replaced, for each (start, end, new)."""
    parts: list[str] = []
    done = 0
    for start, end, new in sorted(replacements):
        parts += [text[done:start], new]
        done = end
    return "".join((*parts, text[done:]))


def expression_text(
    parsed: Parsed, span: tuple[int, int], replacements: Mapping[int, tuple[int, str]]
) -> str:
    """An expression as written, on one line and without comments.

    span: the offsets of its first and last character. replacements: the offset of a name's first character to the
    offset of its last one and the SQL that replaces it, in parentheses if it has more than one part.
    """
    parts: list[str] = []
    last = span[0]
    until = -1
    for token in parsed.tokens:
        if token.start < span[0] or token.end > span[1] or token.start <= until:
            continue
        if token.start > last:
            parts.append(" ")
        if token.start in replacements:
            until, new = replacements[token.start]
            parts.append(new if _ATOM.match(new) or (span == (token.start, until)) else f"({new})")
        else:
            until = token.end
            parts.append(parsed.text[token.start : token.end + 1])
        last = until + 1
    return "".join(parts)
