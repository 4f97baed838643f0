"""What the functions in an expression do to rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from goldsmith.project.sql_functions import (
    AGGREGATES,
    GENERATORS,
    KNOWN,
    NON_DETERMINISTIC,
    TIME_WINDOWS,
    WINDOWS,
)
from goldsmith.project.sql_scope import Select, is_subquery, own
from goldsmith.project.sql_text import Parsed

_AROUND_CALLS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


def called(parsed: Parsed, node: exp.Expr) -> str | None:
    """The name of a function as it is written, in lower case; None for anything else."""
    if not isinstance(node, exp.Func):
        return None
    start, end = node.meta.get("start"), node.meta.get("end")
    if start is None or end is None:
        return None
    return parsed.text[start : end + 1].strip("`").lower()


def parentheses(parsed: Parsed, node: exp.Expr) -> str:
    """What follows a function's name: `()` without arguments, `(...)` with some, nothing at all."""
    end = node.meta.get("end")
    after = parsed.text[end + 1 :].lstrip() if end is not None else ""
    if not after.startswith("("):
        return ""
    return "()" if after[1:].lstrip().startswith(")") else "(...)"


def is_aggregate(parsed: Parsed, node: exp.Expr) -> bool:
    """Whether a node is the call of an aggregate, be it with OVER."""
    return isinstance(node, exp.AggFunc) or called(parsed, node) in AGGREGATES


def is_generator(parsed: Parsed, node: exp.Expr) -> bool:
    return isinstance(node, exp.UDTF) or called(parsed, node) in GENERATORS


def is_foreign(parsed: Parsed, node: exp.Expr) -> bool:
    """Whether a node calls what is not Spark's own, a function or a script: nothing is known about it."""
    if isinstance(node, exp.QueryTransform):
        return True
    return isinstance(node, exp.Anonymous) and called(parsed, node) not in KNOWN


def aggregates(parsed: Parsed, select: Select) -> Iterator[exp.Expr]:
    """The aggregates of a SELECT that make it an aggregation: those without OVER."""
    for node in select.part():
        if is_aggregate(parsed, node):
            around = node.parent
            while isinstance(around, _AROUND_CALLS):
                around = around.parent
            if not isinstance(around, exp.Window):
                yield node


def one_row(parsed: Parsed, root: exp.Expr) -> bool:
    """Whether an expression is a value of one row alone, the same each time it is computed."""
    barred = AGGREGATES | WINDOWS | GENERATORS | NON_DETERMINISTIC | TIME_WINDOWS
    for node in own(root):
        if is_subquery(node) or isinstance(
            node, exp.AggFunc | exp.Window | exp.UDTF | exp.Placeholder | exp.Parameter | exp.Star
        ):
            return False
        if is_foreign(parsed, node) or called(parsed, node) in barred:
            return False
        if called(parsed, node) == "unix_timestamp" and parentheses(parsed, node) == "()":
            return False
    return True
