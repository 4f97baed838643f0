"""Checks single expressions: conditions on one row, as in `delete_when`, and metrics over many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlglot import exp

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.hints import hint_for
from goldsmith.project.sql.bind import Structure
from goldsmith.project.sql.calls import is_aggregate, is_generator
from goldsmith.project.sql.columns import Columns, Unknown
from goldsmith.project.sql.functions import BARE
from goldsmith.project.sql.problems import Problem, changing_problems, function_problems
from goldsmith.project.sql.scope import Base, Select, Source, clauses, is_subquery, own
from goldsmith.project.sql.text import Malformed, Parsed, offset_of, parse_statement, place

_BEFORE = "SELECT "
_ROW = "row"
_CONDITION = "Write one boolean expression."
_METRIC = "Write one aggregate, for example SUM(flights) or COUNT_IF(late) / COUNT(*)."
_ALONE = "Use columns of one row only: the result must not depend on which rows are loaded together."


def check_expression(sql: str, columns: Collection[str] | None) -> tuple[DeclarationError, ...]:
    """Mistakes in a condition on one row: GS201, GS203, GS205, or GS110 if it needs other rows.

    columns: the row's columns, a mapping to their types if these are known; None if they are unknown. Lines and
    columns of the errors are relative to the condition.
    """

    problem = _problem_in(sql)
    try:
        parsed = parse_statement(_BEFORE + sql)
        item = _single(parsed, "This is not a single condition", _CONDITION)
    except Malformed as error:
        return (problem("GS201", error.message, error.offset, error.hint),)
    return tuple(_problems(parsed, item, columns, problem))


def check_metric(sql: str, columns: Collection[str] | None) -> tuple[DeclarationError, ...]:
    """Mistakes in a metric over a table's rows: GS201, GS203, or GS110 if it is not an aggregate.

    columns: the table's columns, None if they are unknown. Lines and columns of the errors are relative to the
    expression.
    """
    problem = _problem_in(sql)
    try:
        parsed = parse_statement(_BEFORE + sql)
        item = _single(parsed, "This is not a single expression", _METRIC)
    except Malformed as error:
        return (problem("GS201", error.message, error.offset, error.hint),)
    return tuple(_metric_problems(parsed, item, columns, problem))


def columns_of(sql: str) -> set[str]:
    """The lower-case names of the columns that an expression reads; empty if it is malformed."""
    try:
        parsed = parse_statement(_BEFORE + sql)
    except Malformed:
        return set()
    return {node.name.lower() for node in parsed.tree.find_all(exp.Column)}


def _problem_in(sql: str) -> Problem:
    def problem(code: str, message: str, offset: int, hint: str | None) -> DeclarationError:
        line, column = place(sql, min(max(offset - len(_BEFORE), 0), len(sql)))
        return DeclarationError(code, message, where=Where(None, line, column), hint=hint)

    return problem


def _single(parsed: Parsed, otherwise: str, hint: str) -> exp.Expr:
    """The only expression of the statement. Raises Malformed if the statement has more than that."""
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
                "GS110",
                "A condition is evaluated on one row and cannot have a subquery",
                offset_of(node),
                _ALONE,
            )
            return
        called_for_many = is_aggregate(parsed, node) or is_generator(parsed, node)
        if called_for_many or isinstance(node, exp.Window):
            call = parsed.text[offset_of(node) :].split("(")[0].strip()
            yield problem(
                "GS110",
                f"A condition is evaluated on one row, and `{call}` needs other rows",
                offset_of(node),
                _ALONE,
            )
            return
    select, columns = _row(item, names)
    yield from _unknown(item, select, columns, names, problem)
    yield from function_problems(parsed, problem)
    yield from changing_problems(parsed, Structure(select, (select,)), columns, problem)


def _metric_problems(
    parsed: Parsed, item: exp.Expr, names: Collection[str] | None, problem: Problem
) -> Iterator[DeclarationError]:
    for node in own(item):
        if is_subquery(node) or isinstance(node, exp.Window) or is_generator(parsed, node):
            message = "A metric is an aggregate without subqueries, window functions and generators"
            yield problem("GS110", message, offset_of(node), _METRIC)
            return
    calls = [node for node in own(item) if is_aggregate(parsed, node)]
    if not calls:
        yield problem(
            "GS110", "A metric needs an aggregate, and this expression has none", len(_BEFORE), _METRIC
        )
        return
    inside = {id(node) for call in calls for node in own(call)}
    for node in own(item):
        if isinstance(node, exp.Column) and id(node) not in inside and not _is_call(node):
            message = f"`{node.name}` is used outside of an aggregate"
            yield problem("GS110", message, offset_of(node), _METRIC)
    select, columns = _row(item, names)
    yield from _unknown(item, select, columns, names, problem)
    yield from function_problems(parsed, problem)


def _is_call(node: exp.Column) -> bool:
    return not node.table and node.name.lower() in BARE


def _row(item: exp.Expr, names: Collection[str] | None) -> tuple[Select, Columns]:
    """An expression as a SELECT over one table with these columns."""
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
