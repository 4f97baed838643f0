"""Classifies the function calls of an expression: aggregate, generator, non-deterministic, user-defined."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from goldsmith.project.sql.functions import (
    AGGREGATES,
    GENERATORS,
    KNOWN,
    NON_DETERMINISTIC,
    TIME_WINDOWS,
    WINDOWS,
)
from goldsmith.project.sql.scope import Select, is_subquery, own
from goldsmith.project.sql.text import Parsed

_MODE, _VECTOR = 2, 4
"""Positions of `aes_encrypt`'s arguments, from 0: the mode and the initialization vector."""

_AROUND_CALLS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


def called(parsed: Parsed, node: exp.Expr) -> str | None:
    """The name of a called function as written, in lower case; None for other nodes."""
    if not isinstance(node, exp.Func):
        return None
    start, end = node.meta.get("start"), node.meta.get("end")
    if start is None or end is None:
        return None
    return parsed.text[start : end + 1].strip("`").lower()


def parentheses(parsed: Parsed, node: exp.Expr) -> str:
    """The parentheses after a function's name: `()`, `(...)` if it has arguments, or an empty text."""
    end = node.meta.get("end")
    after = (token for token in parsed.tokens if end is not None and token.start > end)
    if next((token.token_type for token in after), None) is not TokenType.L_PAREN:
        return ""
    return "()" if next((token.token_type for token in after), None) is TokenType.R_PAREN else "(...)"


def changes(parsed: Parsed, node: exp.Expr) -> str | None:
    """The name of a non-deterministic call; None for other nodes."""
    name = called(parsed, node)
    if name in NON_DETERMINISTIC or (name == "unix_timestamp" and parentheses(parsed, node) == "()"):
        return name
    if name == "aes_encrypt":
        return name if _random_vector(list(node.iter_expressions())) else None
    return None


def _random_vector(arguments: list[exp.Expr]) -> bool:
    """Whether `aes_encrypt` uses a random initialization vector: the mode needs one and none is given."""
    values = [argument.name if isinstance(argument, exp.Literal) else None for argument in arguments]
    if len(values) > _MODE and (values[_MODE] or "").upper() == "ECB":
        return False
    return len(values) <= _VECTOR or values[_VECTOR] == ""


def is_aggregate(parsed: Parsed, node: exp.Expr) -> bool:
    """Whether a node calls an aggregate, with or without OVER."""
    return isinstance(node, exp.AggFunc) or called(parsed, node) in AGGREGATES


def is_generator(parsed: Parsed, node: exp.Expr) -> bool:
    return isinstance(node, exp.UDTF) or called(parsed, node) in GENERATORS


def is_foreign(parsed: Parsed, node: exp.Expr) -> bool:
    """Whether a node calls a user's function or a script, about which nothing is known."""
    if isinstance(node, exp.QueryTransform):
        return True
    return isinstance(node, exp.Anonymous) and called(parsed, node) not in KNOWN


def aggregates(parsed: Parsed, select: Select) -> Iterator[exp.Expr]:
    """The aggregates of a SELECT that are not window functions."""
    for node in select.part():
        if is_aggregate(parsed, node):
            around = node.parent
            while isinstance(around, _AROUND_CALLS):
                around = around.parent
            if not isinstance(around, exp.Window):
                yield node


def one_row(parsed: Parsed, root: exp.Expr) -> bool:
    """Whether an expression is deterministic and depends on one row only."""
    barred = AGGREGATES | WINDOWS | GENERATORS | TIME_WINDOWS
    for node in own(root):
        if is_subquery(node) or isinstance(
            node, exp.AggFunc | exp.Window | exp.UDTF | exp.Placeholder | exp.Parameter | exp.Star
        ):
            return False
        if is_foreign(parsed, node) or called(parsed, node) in barred or changes(parsed, node):
            return False
    return True


def is_grouped(parsed: Parsed, select: Select) -> bool:
    """Whether the rows of a SELECT are groups: it has GROUP BY, HAVING or an aggregate without OVER."""
    return bool(select.node.args.get("group") or select.node.args.get("having")) or any(
        True for _ in aggregates(parsed, select)
    )
