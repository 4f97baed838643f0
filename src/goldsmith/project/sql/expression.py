"""Expressions by themselves: a condition on one row, as in `delete_when`, and a metric over many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlglot import exp

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.sql.bind import Structure
from goldsmith.project.sql.calls import is_aggregate, is_generator
from goldsmith.project.sql.columns import Columns, Unknown
from goldsmith.project.sql.functions import BARE
from goldsmith.project.sql.problems import Problem, changing_problems
from goldsmith.project.sql.scope import Base, Select, Source, clauses, is_subquery, own
from goldsmith.project.sql.text import Malformed, Parsed, offset_of, parse_statement, place
from goldsmith.project.suggest import hint_for

_BEFORE = "SELECT "
_ROW = "row"
_CONDITION = "Write one expression that is true or false."
_METRIC = "Write one aggregate, as in SUM(flights) or COUNT_IF(late) / COUNT(*)."
_ALONE = "Its verdict must not depend on which rows are loaded together."


def check_expression(sql: str, columns: Collection[str] | None) -> tuple[DeclarationError, ...]:
    """What is wrong with a condition on one row: GS201, GS203, GS205, or GS110 where it needs other rows.

    columns: the names a row has, to their types where these are known; None where they are unknown. Lines and
    columns of the errors are those within the condition.
    """

    problem = _problem_in(sql)
    try:
        parsed = parse_statement(_BEFORE + sql)
        item = _single(parsed, "This is not one condition", _CONDITION)
    except Malformed as error:
        return (problem("GS201", error.message, error.offset, error.hint),)
    return tuple(_problems(parsed, item, columns, problem))


def check_metric(sql: str, columns: Collection[str] | None) -> tuple[DeclarationError, ...]:
    """What is wrong with a figure over a table's rows: GS201, GS203, or GS110 where it is no aggregate.

    columns: the names a row has, None where they are unknown. Lines and columns of the errors are those
    within the expression.
    """
    problem = _problem_in(sql)
    try:
        parsed = parse_statement(_BEFORE + sql)
        item = _single(parsed, "This is not one expression", _METRIC)
    except Malformed as error:
        return (problem("GS201", error.message, error.offset, error.hint),)
    return tuple(_metric_problems(parsed, item, columns, problem))


def _problem_in(sql: str) -> Problem:
    def problem(code: str, message: str, offset: int, hint: str | None) -> DeclarationError:
        line, column = place(sql, min(max(offset - len(_BEFORE), 0), len(sql)))
        return DeclarationError(code, message, where=Where(None, line, column), hint=hint)

    return problem


def _single(parsed: Parsed, otherwise: str, hint: str) -> exp.Expr:
    """The one expression of the statement. Raises Malformed where it is more than that."""
    tree = parsed.tree
    item = tree.expressions[0] if isinstance(tree, exp.Select) and len(tree.expressions) == 1 else None
    more = isinstance(item, exp.Alias | exp.Aliases | exp.Star) or any(
        key != "expressions" for key, _ in clauses(tree)
    )
    if not isinstance(item, exp.Expr) or more:
        raise Malformed(otherwise, len(_BEFORE), hint)
    return item


def _problems(
    parsed: Parsed, item: exp.Expr, names: Collection[str] | None, problem: Problem
) -> Iterator[DeclarationError]:
    for node in own(item):
        if is_subquery(node):
            yield problem(
                "GS110", "A condition is about one row; a subquery needs others", offset_of(node), _ALONE
            )
            return
        called_for_many = is_aggregate(parsed, node) or is_generator(parsed, node)
        if called_for_many or isinstance(node, exp.Window):
            what = parsed.text[offset_of(node) :].split("(")[0].strip()
            yield problem(
                "GS110", f"A condition is about one row; `{what}` needs others", offset_of(node), _ALONE
            )
            return
    select, columns = _row(item, names)
    yield from _unknown(item, select, columns, names, problem)
    yield from changing_problems(parsed, Structure(select, (select,)), columns, problem)


def _metric_problems(
    parsed: Parsed, item: exp.Expr, names: Collection[str] | None, problem: Problem
) -> Iterator[DeclarationError]:
    for node in own(item):
        if is_subquery(node) or isinstance(node, exp.Window) or is_generator(parsed, node):
            told = "A metric is an aggregate of one table's rows; this is more"
            yield problem("GS110", told, offset_of(node), _METRIC)
            return
    calls = [node for node in own(item) if is_aggregate(parsed, node)]
    if not calls:
        yield problem("GS110", "A metric is an aggregate, and this has none", len(_BEFORE), _METRIC)
        return
    inside = {id(node) for call in calls for node in own(call)}
    for node in own(item):
        if isinstance(node, exp.Column) and id(node) not in inside and not _is_call(node):
            told = f"`{node.name}` stands outside of an aggregate: one group has many values of it"
            yield problem("GS110", told, offset_of(node), _METRIC)
    select, columns = _row(item, names)
    yield from _unknown(item, select, columns, names, problem)


def _is_call(node: exp.Column) -> bool:
    return not node.table and node.name.lower() in BARE


def _row(item: exp.Expr, names: Collection[str] | None) -> tuple[Select, Columns]:
    """An expression in a SELECT over one unnamed table that has these columns."""
    select = Select(exp.Select(), None, parts=[("where", item)])
    row = exp.Table(this=exp.to_identifier(_ROW))
    select.sources.append(Source(row, Base(row, _ROW), None))
    if names is None:
        return select, Columns({_ROW: None})
    return select, Columns({_ROW: names if isinstance(names, Mapping) else dict.fromkeys(names)})


def _unknown(
    item: exp.Expr, select: Select, columns: Columns, names: Collection[str] | None, problem: Problem
) -> Iterator[DeclarationError]:
    for node in own(item):
        if isinstance(node, exp.Column) and isinstance(columns.meaning(select, node), Unknown):
            written = ".".join(part.name for part in node.parts)
            hint = hint_for(written, names or ())
            yield problem("GS203", f"There is no column `{written}`", offset_of(node), hint)
