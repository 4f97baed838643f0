"""Compiles expectations on rows to SQL text, for the judge, DQOps and `goldsmith check` alike.

The result is text, not a Column: DQOps sends it to the Thrift Server, and `check` compiles without Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.text import text_literal
from goldsmith.project.types import family, is_integral
from goldsmith.quality.fields import EXACT, Field, Find, as_text, comparable, harmonized, number, try_cast

Arguments = Mapping[str, Any]


def has_predicate(expectation: Expectation) -> bool:
    """Whether Goldsmith compiles the expectation to a condition on a single row."""
    return expectation.kind in _PREDICATES


def predicate(expectation: Expectation, find: Find) -> str:
    """SQL that is true for passing rows, and NULL only for skipped rows and if the condition itself is NULL.

    Raises DeclarationError GS103 if a column cannot be compared with a declared value, GS203 if it does not exist.
    """
    return _PREDICATES[expectation.kind](find, expectation.arguments)


def passes(expectation: Expectation, find: Find) -> str:
    """The predicate with the handling of NULL: true or false for every row, never NULL.

    Raises as `predicate` does.
    """
    skipped = skips(expectation, find)
    verdict = f"coalesce({predicate(expectation, find)}, {'true' if expectation.ignore_nulls else 'false'})"
    return verdict if skipped is None else f"({skipped} OR {verdict})"


def skips(expectation: Expectation, find: Find) -> str | None:
    """SQL, never NULL: the row is skipped, because the column is NULL or by `ignore_row_if`.

    None if no row is skipped. Raises DeclarationError GS203 for an unknown column.
    """
    arguments = expectation.arguments
    if expectation.kind in ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null"):
        return None
    if "column" in arguments:
        return f"{find(arguments['column']).sql} IS NULL"
    missing = [f"{find(name).sql} IS NULL" for name in expectation.columns]
    if not missing:
        return None
    default = "both_values_are_missing" if "column_A" in arguments else "all_values_are_missing"
    match arguments.get("ignore_row_if") or default:
        case "both_values_are_missing" | "all_values_are_missing":
            return f"({' AND '.join(missing)})"
        case "either_value_is_missing" | "any_value_is_missing":
            return f"({' OR '.join(missing)})"
        case _:
            return None


def between(field: Field, arguments: Arguments) -> str:
    """SQL: whether the column is between `min_value` and `max_value`; NULL if unknown.

    Raises DeclarationError GS103 if a bound cannot be compared with it.
    """
    limits: list[str] = []
    if arguments.get("min_value") is not None:
        left, least = comparable(field, arguments["min_value"])
        limits.append(f"{left} {'>' if arguments.get('strict_min') else '>='} {least}")
    if arguments.get("max_value") is not None:
        left, most = comparable(field, arguments["max_value"])
        limits.append(f"{left} {'<' if arguments.get('strict_max') else '<='} {most}")
    return " AND ".join(limits)


def _condition(find: Find, arguments: Arguments) -> str:  # noqa: ARG001 - one of many with this signature
    sql = str(arguments["condition"])
    # The text after the condition must not become part of a comment.
    return f"{sql}\n" if "--" in sql else sql


def _in_set(find: Find, arguments: Arguments) -> str:
    field = find(arguments["column"])
    pairs = [comparable(field, value) for value in arguments["value_set"] if value is not None]
    plain = [value for left, value in pairs if left == field.sql]
    cast = [f"coalesce({left} = {value}, false)" for left, value in pairs if left != field.sql]
    parts = [f"{field.sql} IN ({', '.join(plain)})", *cast] if plain else [*cast, "false"]
    return " OR ".join(parts) if len(parts) == 1 else f"({' OR '.join(parts)})"


def _length(find: Find, arguments: Arguments) -> Field:
    field = find(arguments["column"])
    measured = field.sql if family(field.type) == "binary" else as_text(field)
    return Field(field.name, f"length({measured})", "int")


def _pair(find: Find, arguments: Arguments) -> tuple[str, str, str, str]:
    a, b = find(arguments["column_A"]), find(arguments["column_B"])
    left, right = harmonized(a, b)
    return left, right, f"{a.sql} IS NULL", f"{b.sql} IS NULL"


def _pair_equal(find: Find, arguments: Arguments) -> str:
    left, right, no_left, no_right = _pair(find, arguments)
    return f"CASE WHEN {no_left} OR {no_right} THEN {no_left} AND {no_right} ELSE {left} = {right} END"


def _pair_greater(find: Find, arguments: Arguments) -> str:
    left, right, no_left, no_right = _pair(find, arguments)
    if arguments.get("or_equal"):
        return f"({left} >= {right} OR ({no_left} AND {no_right}))"
    return f"{left} > {right}"


def _sum(find: Find, arguments: Arguments) -> str:
    """The sum of columns. NULL counts as 0; integers are added as decimals, which do not overflow."""
    addends: list[str] = []
    for name in arguments["column_list"]:
        field = find(name)
        if field.compared not in ("number", "text"):
            raise DeclarationError("GS103", f"{field} is not a number", where=Where(field=field.name))
        addend = field.sql
        if is_integral(field.type):
            addend = f"CAST({addend} AS decimal(38,0))"
        elif field.compared == "text":
            addend = try_cast(field, EXACT)
        addends.append(f"CASE WHEN {field.sql} IS NULL THEN 0 ELSE {addend} END")
    total = reduce(lambda left, right: f"try_add({left}, {right})", addends)
    return f"{total} = {number(arguments['sum_total'])}"


def _regex(find: Find, arguments: Arguments) -> str:
    return f"{as_text(find(arguments['column']))} RLIKE {text_literal(arguments['regex'])}"


def _like(find: Find, arguments: Arguments) -> str:
    return f"{as_text(find(arguments['column']))} LIKE {text_literal(arguments['like_pattern'])}"


_PREDICATES: Mapping[str, Callable[[Find, Arguments], str]] = MappingProxyType(
    {
        "condition": _condition,
        "expect_column_values_to_not_be_null": lambda f, a: f"{f(a['column']).sql} IS NOT NULL",
        "expect_column_values_to_be_null": lambda f, a: f"{f(a['column']).sql} IS NULL",
        "expect_column_values_to_be_in_set": _in_set,
        "expect_column_values_to_not_be_in_set": lambda f, a: f"NOT ({_in_set(f, a)})",
        "expect_column_values_to_be_between": lambda f, a: between(f(a["column"]), a),
        "expect_column_values_to_match_regex": _regex,
        "expect_column_values_to_not_match_regex": lambda f, a: f"NOT ({_regex(f, a)})",
        "expect_column_values_to_match_like_pattern": _like,
        "expect_column_values_to_not_match_like_pattern": lambda f, a: f"NOT ({_like(f, a)})",
        "expect_column_value_lengths_to_be_between": lambda f, a: between(_length(f, a), a),
        "expect_column_value_lengths_to_equal": lambda f, a: f"{_length(f, a).sql} = {number(a['value'])}",
        "expect_column_pair_values_to_be_equal": _pair_equal,
        "expect_column_pair_values_a_to_be_greater_than_b": _pair_greater,
        "expect_multicolumn_sum_to_equal": _sum,
    }
)
