"""DQOps' checks that mean the same as an expectation, for tables at rest.

A row that was quarantined, dropped or stopped at the gate is not in the table, so at rest such an expectation
is a check that no row fails. An expectation on a batch means the same at rest only where a load takes the whole
table. Each kind of check stands once on a column or a table: what finds its place taken becomes a SQL condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from goldsmith.project.models import Expectation, Merge, Overwrite, OverwritePartitions
from goldsmith.project.tables import Table
from goldsmith.publish.dqops import predicates
from goldsmith.publish.dqops.predicates import Types, family, find
from goldsmith.quality.catalog import describe, is_batch, reference

Rule = Literal["warning", "error"]


@dataclass(frozen=True)
class Check:
    """One daily monitoring check. column: None for a check on the table. rules: thresholds by severity.

    expectations: those it stands for, by name; none for monitoring that no expectation declares.
    """

    category: str
    name: str
    rules: Mapping[str, Mapping[str, Any]]
    column: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    expectations: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str | None, str]:
        return self.column, self.name

    @property
    def document(self) -> dict[str, Any]:
        """The check as the table's YAML has it."""
        told = [{"comment_by": "goldsmith", "comment": comment} for comment in self.comments]
        return {
            **({"comments": told} if told else {}),
            **({"parameters": dict(self.parameters)} if self.parameters else {}),
            **{severity: dict(thresholds) for severity, thresholds in self.rules.items()},
        }


@dataclass(frozen=True)
class Subject:
    """What the mapping knows of a table. never_null: columns without a NULL at rest, in small letters.

    whole: a load takes the whole table. by: the columns whose values a load takes whole.
    """

    types: Types
    never_null: frozenset[str]
    whole: bool
    by: tuple[str, ...]

    @classmethod
    def of(cls, table: Table) -> Subject:
        load = table.load
        held = {
            str(e.arguments["column"]).lower()
            for e in table.spec.expectations
            if e.kind == "expect_column_values_to_not_be_null"
            and e.otherwise != "warn"
            and "mostly" not in e.arguments
        }
        key = {name.lower() for name in load.key} if isinstance(load, Merge) else set()
        by = load.by if isinstance(load, OverwritePartitions) else ()
        return cls(dict(table.columns or {}), frozenset(held | key), isinstance(load, Overwrite), by)


_REPLACED = ("${", "{table}", "{alias}", "{column}")
"""What DQOps replaces in a parameter: variables and files, and its own names in SQL."""


def mapped(table: Table) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """The checks that stand for a table's expectations, and the names of those that DQOps cannot express."""
    subject = Subject.of(table)
    placed: dict[tuple[str | None, str], Check] = {}
    conditions: dict[Rule, list[tuple[Expectation, str]]] = {"error": [], "warning": []}
    without: list[str] = []
    for expectation in table.spec.expectations:
        rule: Rule = "warning" if expectation.otherwise == "warn" else "error"
        if any(mark in value for value in _texts(expectation.arguments) for mark in _REPLACED):
            without.append(expectation.name)
            continue
        found = next(
            (c for c in _candidates(expectation, subject, rule) if c.place not in placed),
            None,
        )
        if found is not None:
            comment = f"{expectation.name}: {describe(expectation)}"
            placed[found.place] = replace(
                found, expectations=(expectation.name,), comments=(_plain(comment),)
            )
            continue
        sql = None if is_batch(expectation) else predicates.whole(expectation, subject.types)
        if sql is None:
            without.append(expectation.name)
        else:
            conditions[rule].append((expectation, sql))
    checks = [*placed.values(), *(_together(rule, found) for rule, found in conditions.items() if found)]
    return tuple(checks), tuple(without)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _plain(comment: str) -> str:
    """A comment without what DQOps would replace in it."""
    return comment.replace("${", "$ {")


def _together(rule: Rule, found: Sequence[tuple[Expectation, str]]) -> Check:
    """Conditions of one severity in one check: the rows that break any of them.

    A table has one check of each kind, so errors take the count of failed rows and warnings the percentage of
    passed ones.
    """
    sql = " AND ".join(f"({text})" if len(found) > 1 else text for _, text in found)
    names = tuple(expectation.name for expectation, _ in found)
    told = tuple(_plain(f"{expectation.name}: {describe(expectation)}") for expectation, _ in found)
    if rule == "error":
        name, threshold = "daily_sql_condition_failed_on_table", {"max_count": 0}
        return Check("custom_sql", name, {rule: threshold}, None, {"sql_condition": sql}, names, told)
    name = "daily_sql_condition_passed_percent_on_table"
    return Check(
        "custom_sql", name, {rule: {"min_percent": 100.0}}, None, {"sql_condition": sql}, names, told
    )


def _candidates(expectation: Expectation, subject: Subject, rule: Rule) -> list[Check]:
    """The checks that mean the same, the best first."""
    if is_batch(expectation) and not _covers(expectation, subject):
        return []
    found = []
    native = _NATIVE.get(expectation.kind)
    if native is not None:
        made = native(expectation, subject, rule)
        found += [made] if made is not None else []
    column = find(expectation.arguments.get("column"), subject.types)
    sql = predicates.predicate(expectation, subject.types)
    null = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null")
    if column is not None and sql is not None and expectation.kind not in null:
        # These checks pass over rows where the column is NULL, as expectations on a column do.
        if "mostly" in expectation.arguments:
            name, limits = "daily_sql_condition_passed_percent_on_column", _least(expectation)
        else:
            name, limits = "daily_sql_condition_failed_on_column", {"max_count": 0}
        found.append(Check("custom_sql", name, {rule: limits}, column, {"sql_condition": sql}))
    return found


def _covers(expectation: Expectation, subject: Subject) -> bool:
    """Whether the batch that was judged is the whole table, as far as the expectation can tell."""
    if subject.whole:
        return True
    unique = ("expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique")
    named = {name.lower() for name in expectation.columns}
    by = {name.lower() for name in subject.by}
    return expectation.kind in unique and bool(by) and by <= named


def _least(expectation: Expectation) -> dict[str, float]:
    return {"min_percent": _percent(expectation.arguments.get("mostly") or 1)}


def _percent(share: float) -> float:
    return round(100.0 * share, 9)


def _not_null(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column = find(expectation.arguments["column"], subject.types)
    if column is None:
        return None
    if "mostly" in expectation.arguments:
        most = {"max_percent": _percent(1 - float(expectation.arguments["mostly"]))}
        return Check("nulls", "daily_nulls_percent", {rule: most}, column)
    return Check("nulls", "daily_nulls_count", {rule: {"max_count": 0}}, column)


def _between(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    arguments = expectation.arguments
    column = find(arguments["column"], subject.types)
    strict = arguments.get("strict_min") or arguments.get("strict_max")
    if column is None or strict or family(subject.types[column]) != "number":
        return None
    least, most = arguments.get("min_value"), arguments.get("max_value")
    if not all(value is None or _is_exact(value) for value in (least, most)):
        return None
    if least is not None and most is not None:
        bounds = {"min_value": float(least), "max_value": float(most)}
        return Check("numeric", "daily_number_in_range_percent", {rule: _least(expectation)}, column, bounds)
    if "mostly" in arguments:
        return None
    none: dict[str, dict[str, int]] = {rule: {"max_count": 0}}
    if least is not None:
        return Check("numeric", "daily_number_below_min_value", none, column, {"min_value": float(least)})
    return Check("numeric", "daily_number_above_max_value", none, column, {"max_value": float(most or 0)})


def _is_exact(value: Any) -> bool:
    """Whether a number is the same as a double; text is no number here."""
    return isinstance(value, int | float) and abs(value) < 2**53


def _in_set(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column = find(expectation.arguments["column"], subject.types)
    values = [value for value in expectation.arguments["value_set"] if value is not None]
    if column is None or not values:
        return None
    held, kinds = family(subject.types[column]), {type(value) for value in values}
    if held == "text" and kinds == {str} and not any(_needs_escape(value) for value in values):
        name = "daily_text_found_in_set_percent"
    elif held == "number" and kinds == {int}:
        name = "daily_number_found_in_set_percent"
    else:
        return None
    expected = {"expected_values": values}
    return Check("accepted_values", name, {rule: _least(expectation)}, column, expected)


def _needs_escape(value: str) -> bool:
    return any(sign in value for sign in "'\"\\\n\r")


def _regex(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    """The check counts a NULL as a text that does not match, so it is right on columns without NULLs alone."""
    arguments = expectation.arguments
    column = find(arguments["column"], subject.types)
    if column is None or column.lower() not in subject.never_null or "mostly" in arguments:
        return None
    if family(subject.types[column]) != "text" or any(sign in arguments["regex"] for sign in "'\"\n\r"):
        return None
    # DQOps puts the text into SQL as it is, where Spark reads a backslash as an escape.
    parameters = {"regex": arguments["regex"].replace("\\", "\\\\")}
    name = "daily_text_not_matching_regex_found"
    return Check("patterns", name, {rule: {"max_count": 0}}, column, parameters)


def _lengths(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    arguments = expectation.arguments
    column = find(arguments["column"], subject.types)
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
    return Check("text", "daily_text_length_in_range_percent", {rule: _least(expectation)}, column, bounds)


def _exists(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column, target = find(expectation.arguments.get("column"), subject.types), reference(expectation)
    if column is None or target is None:
        return None
    looked_up = {"foreign_table": target[0], "foreign_column": target[1]}
    return Check("integrity", "daily_lookup_key_not_found", {rule: {"max_count": 0}}, column, looked_up)


def _unique(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    column = find(expectation.arguments["column"], subject.types)
    if column is None or "mostly" in expectation.arguments:
        return None
    return Check("uniqueness", "daily_duplicate_count", {rule: {"max_count": 0}}, column)


def _compound(expectation: Expectation, subject: Subject, rule: Rule) -> Check | None:
    arguments = expectation.arguments
    columns = [find(name, subject.types) for name in arguments["column_list"]]
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
        column = find(arguments["column"], subject.types)
        strict = arguments.get("strict_min") or arguments.get("strict_max")
        least, most = arguments.get("min_value"), arguments.get("max_value")
        exact = all(value is None or _is_exact(value) for value in (least, most))
        if column is None or strict or not exact or family(subject.types[column]) != "number":
            return None
        bounds = {"from": least, "to": most}
        limits = {key: float(value) for key, value in bounds.items() if value is not None}
        return Check("numeric", f"daily_{of}_in_range", {rule: limits}, column)

    return made


_NATIVE: Mapping[str, Callable[[Expectation, Subject, Rule], Check | None]] = MappingProxyType(
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
