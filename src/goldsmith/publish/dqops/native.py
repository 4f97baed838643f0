"""DQOps' built-in checks equivalent to an expectation, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from goldsmith.project.expectations import Expectation
from goldsmith.project.types import family
from goldsmith.publish.dqops.check import Check, Rule, Subject
from goldsmith.quality.declarations import reference


def min_percent_rule(expectation: Expectation) -> dict[str, float]:
    """The threshold for the share of valid rows."""
    return {"min_percent": _percent(expectation.arguments.get("mostly") or 1)}


def _percent(share: float) -> float:
    return round(100.0 * share, 9)


def _not_null(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column = subject.column(expectation.arguments["column"])
    if column is None:
        return None
    if "mostly" in expectation.arguments:
        most = {"max_percent": _percent(1 - float(expectation.arguments["mostly"]))}
        return Check("nulls", "daily_nulls_percent", {rule: most}, column)
    return Check("nulls", "daily_nulls_count", {rule: {"max_count": 0}}, column)


def _between(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    arguments = expectation.arguments
    column = subject.column(arguments["column"])
    strict = arguments.get("strict_min") or arguments.get("strict_max")
    if column is None or strict or family(subject.types[column]) != "number":
        return None
    least, most = arguments.get("min_value"), arguments.get("max_value")
    if not all(value is None or _is_exact(value) for value in (least, most)):
        return None
    if least is not None and most is not None:
        bounds = {"min_value": float(least), "max_value": float(most)}
        return Check(
            "numeric", "daily_number_in_range_percent", {rule: min_percent_rule(expectation)}, column, bounds
        )
    if "mostly" in arguments:
        return None
    none: dict[str, dict[str, int]] = {rule: {"max_count": 0}}
    if least is not None:
        return Check("numeric", "daily_number_below_min_value", none, column, {"min_value": float(least)})
    return Check("numeric", "daily_number_above_max_value", none, column, {"max_value": float(most or 0)})


def _is_exact(value: Any) -> bool:
    """Whether a number is exact as a double. Text is not a number here."""
    return isinstance(value, int | float) and abs(value) < 2**53


def _in_set(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column = subject.column(expectation.arguments["column"])
    values = [value for value in expectation.arguments["value_set"] if value is not None]
    if column is None or not values:
        return None
    column_family, kinds = family(subject.types[column]), {type(value) for value in values}
    if column_family == "text" and kinds == {str} and not any(_needs_escape(value) for value in values):
        name = "daily_text_found_in_set_percent"
    elif column_family == "number" and kinds == {int}:
        name = "daily_number_found_in_set_percent"
    else:
        return None
    expected = {"expected_values": values}
    return Check("accepted_values", name, {rule: min_percent_rule(expectation)}, column, expected)


def _needs_escape(value: str) -> bool:
    return any(sign in value for sign in "'\"\\\n\r")


def _regex(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    """The check counts a NULL as a text that does not match, so it is used only on columns without NULLs."""
    arguments = expectation.arguments
    column = subject.column(arguments["column"])
    if column is None or column.lower() not in subject.never_null or "mostly" in arguments:
        return None
    if family(subject.types[column]) != "text" or any(sign in arguments["regex"] for sign in "'\"\n\r"):
        return None
    # DQOps inserts the text into SQL unchanged, and Spark reads a backslash as an escape.
    parameters = {"regex": arguments["regex"].replace("\\", "\\\\")}
    name = "daily_text_not_matching_regex_found"
    return Check("patterns", name, {rule: {"max_count": 0}}, column, parameters)


def _lengths(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    arguments = expectation.arguments
    column = subject.column(arguments["column"])
    if column is None or family(subject.types[column]) != "text":
        return None
    if "value" in arguments:
        least = most = int(arguments["value"])
    elif arguments.get("min_value") is None or arguments.get("max_value") is None:
        return None
    else:
        least = int(arguments["min_value"]) + bool(arguments.get("strict_min"))
        most = int(arguments["max_value"]) - bool(arguments.get("strict_max"))
    bounds = {"min_length": least, "max_length": most}
    return Check(
        "text", "daily_text_length_in_range_percent", {rule: min_percent_rule(expectation)}, column, bounds
    )


def _exists(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column, target = subject.column(expectation.arguments.get("column")), reference(expectation)
    if column is None or target is None:
        return None
    looked_up = {"foreign_table": target[0], "foreign_column": target[1]}
    return Check("integrity", "daily_lookup_key_not_found", {rule: {"max_count": 0}}, column, looked_up)


def _unique(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column = subject.column(expectation.arguments["column"])
    if column is None or "mostly" in expectation.arguments:
        return None
    return Check("uniqueness", "daily_duplicate_count", {rule: {"max_count": 0}}, column)


def _compound(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    arguments = expectation.arguments
    columns = [subject.column(name) for name in arguments["column_list"]]
    ignored = arguments.get("ignore_row_if") or "all_values_are_missing"
    if None in columns or "mostly" in arguments or ignored != "all_values_are_missing":
        return None
    name = "daily_duplicate_record_count"
    return Check("uniqueness", name, {rule: {"max_count": 0}}, None, {"columns": columns})


def _row_count(expectation: Expectation, _: Subject, rule: Rule) -> Check | None:
    arguments = expectation.arguments
    least = arguments.get("min_value")
    least = None if least is None else int(least) + bool(arguments.get("strict_min"))
    most = arguments.get("max_value")
    most = None if most is None else int(most) - bool(arguments.get("strict_max"))
    if most is None:
        return Check("volume", "daily_row_count", {rule: {"min_count": least}})
    limits = {**({"from": float(least)} if least is not None else {}), "to": float(most)}
    name = "daily_sql_aggregate_expression_on_table"
    return Check("custom_sql", name, {rule: limits}, None, {"sql_expression": "COUNT(*)"})


def _aggregate(of: str) -> Callable[[Expectation, Subject, Rule], Check | None]:
    def made(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
        arguments = expectation.arguments
        column = subject.column(arguments["column"])
        strict = arguments.get("strict_min") or arguments.get("strict_max")
        least, most = arguments.get("min_value"), arguments.get("max_value")
        exact = all(value is None or _is_exact(value) for value in (least, most))
        if column is None or strict or not exact or family(subject.types[column]) != "number":
            return None
        bounds = {"from": least, "to": most}
        limits = {key: float(value) for key, value in bounds.items() if value is not None}
        return Check("numeric", f"daily_{of}_in_range", {rule: limits}, column)

    return made


NATIVE: Mapping[str, Callable[[Expectation, Subject, Rule], Check | None]] = MappingProxyType(
    {
        "expect_column_values_to_not_be_null": _not_null,
        "expect_column_values_to_be_between": _between,
        "expect_column_values_to_be_in_set": _in_set,
        "expect_column_values_to_match_regex": _regex,
        "expect_column_value_lengths_to_be_between": _lengths,
        "expect_column_value_lengths_to_equal": _lengths,
        "expect_column_values_to_exist_in": _exists,
        "expect_column_values_to_be_unique": _unique,
        "expect_compound_columns_to_be_unique": _compound,
        "expect_table_row_count_to_be_between": _row_count,
        "expect_column_mean_to_be_between": _aggregate("mean"),
        "expect_column_sum_to_be_between": _aggregate("sum"),
        "expect_column_min_to_be_between": _aggregate("min"),
        "expect_column_max_to_be_between": _aggregate("max"),
    }
)
"""The function that creates the check of an expectation, by kind; it returns None without an equivalent."""
