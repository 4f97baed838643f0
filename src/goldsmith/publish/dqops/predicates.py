"""Expectations as Spark SQL text, for checks that take a condition.

Text and not Columns: DQOps sends it to the Thrift Server as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.text import quoted
from goldsmith.project.types import family

Types = Mapping[str, str | None]
"""Column names, as declared, with their Spark types; None where a type is not known."""


def literal(value: Any, kind: str | None) -> str | None:
    """A value as a SQL literal of a column's family; None where it cannot be compared without a cast."""
    match family(kind), value:
        case "boolean", bool():
            return str(value).upper()
        case _, bool():
            return None
        case "number", int() | float():
            return repr(value)
        case "text", str():
            return text(value)
        case "date", datetime():
            return None
        case "date", date() | str():
            return f"DATE{text(str(value))}"
        case "timestamp", datetime() | date() | str():
            return f"TIMESTAMP{text(str(value))}"
        case _:
            return None


def text(value: str) -> str:
    """Text as a SQL string. Spark reads a backslash in it as an escape."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def find(name: Any, types: Types) -> str | None:
    """The column as it is declared, whatever the case it is named in."""
    return next((known for known in types if isinstance(name, str) and known.lower() == name.lower()), None)


def predicate(expectation: Expectation, types: Types) -> str | None:
    """SQL that is true for a good row, and NULL only where the row is not judged or its verdict is NULL.

    None where the expectation has no such text: it judges a batch, looks into another table, or its column's
    type is not known.
    """
    arguments = expectation.arguments
    if expectation.kind == "condition":
        condition = str(arguments["condition"])
        # What follows must not become part of a comment.
        return f"{condition}\n" if "--" in condition else condition
    if "column" in arguments:
        column = find(arguments["column"], types)
        return None if column is None else _of_column(expectation.kind, arguments, column, types[column])
    return _of_columns(expectation.kind, arguments, types)


def whole(expectation: Expectation, types: Types) -> str | None:
    """The predicate with what happens to NULL written out: true or false for every row, never NULL."""
    held = predicate(expectation, types)
    if held is None:
        return None
    judged = _unjudged(expectation, types)
    verdict = f"coalesce({held}, {'true' if expectation.ignore_nulls else 'false'})"
    return f"({judged} OR {verdict})" if judged else verdict


def _unjudged(expectation: Expectation, types: Types) -> str | None:
    """SQL that is true for a row that is not judged; None where each row is."""
    arguments = expectation.arguments
    if expectation.kind in (
        "condition",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_null",
    ):
        return None
    missing = [f"{quoted(str(find(name, types)))} IS NULL" for name in expectation.columns]
    if "column" in arguments:
        return missing[0]
    match arguments.get("ignore_row_if"):
        case None | "both_values_are_missing" | "all_values_are_missing":
            return f"({' AND '.join(missing)})"
        case "either_value_is_missing" | "any_value_is_missing":
            return f"({' OR '.join(missing)})"
        case _:
            return None


def _of_column(kind: str, arguments: Mapping[str, Any], column: str, held: str | None) -> str | None:
    name = quoted(column)
    match kind:
        case "expect_column_values_to_not_be_null":
            return f"{name} IS NOT NULL"
        case "expect_column_values_to_be_null":
            return f"{name} IS NULL"
        case "expect_column_values_to_be_between":
            return between(name, arguments, held)
        case "expect_column_values_to_be_in_set" | "expect_column_values_to_not_be_in_set":
            items = [literal(value, held) for value in arguments["value_set"] if value is not None]
            if not items or None in items:
                return None
            return f"{name} {'NOT IN' if 'not_be' in kind else 'IN'} ({', '.join(str(i) for i in items)})"
        case "expect_column_value_lengths_to_equal":
            return f"length({name}) = {int(arguments['value'])}" if family(held) == "text" else None
        case "expect_column_value_lengths_to_be_between":
            return between(f"length({name})", arguments, "int") if family(held) == "text" else None
    if family(held) != "text":
        return None
    match kind:
        case "expect_column_values_to_match_regex":
            return f"{name} RLIKE {text(arguments['regex'])}"
        case "expect_column_values_to_not_match_regex":
            return f"NOT {name} RLIKE {text(arguments['regex'])}"
        case "expect_column_values_to_match_like_pattern":
            return f"{name} LIKE {text(arguments['like_pattern'])}"
        case "expect_column_values_to_not_match_like_pattern":
            return f"{name} NOT LIKE {text(arguments['like_pattern'])}"
    return None


def between(subject: str, arguments: Mapping[str, Any], kind: str | None) -> str | None:
    """The bounds of an expectation on a SQL expression; None where one of them is of another family."""
    limits = []
    for key, strict, signs in (("min_value", "strict_min", ">="), ("max_value", "strict_max", "<=")):
        value = arguments.get(key)
        if value is None:
            continue
        bound = literal(value, kind)
        if bound is None:
            return None
        limits.append(f"{subject} {signs[0] if arguments.get(strict) else signs} {bound}")
    return " AND ".join(limits) or None


def _of_columns(kind: str, arguments: Mapping[str, Any], types: Types) -> str | None:
    if kind == "expect_multicolumn_sum_to_equal":
        columns = [find(name, types) for name in arguments["column_list"]]
        if any(column is None or family(types[column]) != "number" for column in columns):
            return None
        added = " + ".join(f"coalesce({quoted(str(column))}, 0)" for column in columns)
        return f"{added} = {arguments['sum_total']!r}"
    if not kind.startswith("expect_column_pair_values_"):
        return None
    left, right = find(arguments.get("column_A"), types), find(arguments.get("column_B"), types)
    if left is None or right is None:
        return None
    if family(types[left]) is None or family(types[left]) != family(types[right]):
        return None
    a, b = quoted(left), quoted(right)
    match kind:
        case "expect_column_pair_values_to_be_equal":
            return f"{a} <=> {b}"
        case "expect_column_pair_values_a_to_be_greater_than_b":
            return (
                f"({a} >= {b} OR ({a} IS NULL AND {b} IS NULL))"
                if arguments.get("or_equal")
                else f"{a} > {b}"
            )
    return None
