"""SQL conditions read without Spark: do they parse, do they judge one row, which columns do they name."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from goldsmith.project.sql.functions import AGGREGATES, NON_DETERMINISTIC


@dataclass(frozen=True)
class Condition:
    """columns: the columns that the condition names, each once. problem: what is wrong with it, or None."""

    columns: tuple[str, ...] = ()
    problem: str | None = None


def read(sql: str) -> Condition:
    """Parse a condition in Spark's SQL.

    A condition must judge a row by the row alone, and alike whenever it runs. Aggregates, windows and
    subqueries are problems, because their verdict would depend on how rows were grouped into runs; so are
    chance and the clock.
    """
    try:
        tree = sqlglot.parse_one(sql, read="spark")
    except ParseError as error:
        reason = error.errors[0]["description"] if error.errors else str(error)
        return Condition(problem=f"the condition does not parse: {reason}")
    except SqlglotError as error:
        return Condition(problem=f"the condition does not parse: {error}")
    if not isinstance(tree, exp.Condition):
        return Condition(problem=f"the condition is not one boolean expression: {sql}")
    for node in tree.walk():
        problem = _problem(node)
        if problem is not None:
            return Condition(problem=f"{problem}: {node.sql('spark')}")
    named = (".".join(part.name for part in column.parts) for column in tree.find_all(exp.Column))
    return Condition(columns=tuple(dict.fromkeys(named)))


def _problem(node: exp.Expr) -> str | None:
    unnamed = isinstance(node, exp.Anonymous)
    name = (node.name if unnamed else node.sql_name() if isinstance(node, exp.Func) else "").lower()
    if name in NON_DETERMINISTIC:
        return "a condition judges a row alike whenever it runs, it cannot depend on chance or the clock"
    what = None
    if isinstance(node, exp.Window):
        what = "a window"
    elif isinstance(node, exp.Query):
        what = "a subquery"
    elif isinstance(node, exp.AggFunc) or (unnamed and name in AGGREGATES):
        what = "an aggregate"
    return f"a condition judges one row, it cannot hold {what}" if what else None
