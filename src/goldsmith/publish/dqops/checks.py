"""DQOps checks of stored tables, equivalent to the tables' expectations.

A quarantined, dropped or stopped row is not in the table, so such an expectation becomes a check that no row fails. An
expectation on a batch is equivalent only if a load's batch is the whole table. A column or a table has at most one
check of each kind: a second one becomes a SQL condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from goldsmith.project.expectations import Expectation
from goldsmith.project.tables import Table
from goldsmith.publish.dqops.check import Check, Rule, Subject
from goldsmith.publish.dqops.native import NATIVE, min_percent_rule
from goldsmith.quality.declarations import describe, is_batch
from goldsmith.quality.predicates import passes, predicate

_REPLACED = ("${", "{table}", "{alias}", "{column}")
"""Placeholders that DQOps replaces in a parameter: variables and files, and its own names in SQL."""


def map_expectations(table: Table) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """The checks equivalent to a table's expectations, and the names of expectations without an equivalent."""
    subject = Subject.of(table)
    by_key: dict[tuple[str | None, str], Check] = {}
    conditions: dict[Rule, list[tuple[Expectation, str]]] = {"error": [], "warning": []}
    without: list[str] = []
    for expectation in table.spec.expectations:
        rule: Rule = "warning" if expectation.otherwise == "warn" else "error"
        if any(mark in value for value in _texts(expectation.arguments) for mark in _REPLACED):
            without.append(expectation.name)
            continue
        found = next(
            (c for c in _candidates(expectation, subject, rule) if c.key not in by_key),
            None,
        )
        if found is not None:
            comment = f"{expectation.name}: {describe(expectation)}"
            by_key[found.key] = replace(found, expectations=(expectation.name,), comments=(_plain(comment),))
            continue
        sql = None if is_batch(expectation) else subject.sql(passes, expectation)
        if sql is None:
            without.append(expectation.name)
        else:
            conditions[rule].append((expectation, sql))
    checks = [*by_key.values(), *(_combined(rule, found) for rule, found in conditions.items() if found)]
    return tuple(checks), tuple(without)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _plain(comment: str) -> str:
    """A comment in which DQOps replaces nothing."""
    return comment.replace("${", "$ {")


def _combined(rule: Rule, found: Sequence[tuple[Expectation, str]]) -> Check:
    """Conditions of one severity in one check, which finds the rows that break any of them.

    A table has one check of each kind, so errors use the count of failed rows and warnings the percentage of passed
    rows.
    """
    sql = " AND ".join(f"({text})" if len(found) > 1 else text for _, text in found)
    names = tuple(expectation.name for expectation, _ in found)
    comments = tuple(_plain(f"{expectation.name}: {describe(expectation)}") for expectation, _ in found)
    if rule == "error":
        name, threshold = "daily_sql_condition_failed_on_table", {"max_count": 0}
        return Check("custom_sql", name, {rule: threshold}, None, {"sql_condition": sql}, names, comments)
    name = "daily_sql_condition_passed_percent_on_table"
    return Check(
        "custom_sql", name, {rule: {"min_percent": 100.0}}, None, {"sql_condition": sql}, names, comments
    )


def _candidates(expectation: Expectation, subject: Subject, rule: Rule) -> list[Check]:
    """The equivalent checks, the best first."""
    if is_batch(expectation) and not _covers(expectation, subject):
        return []
    found = []
    native = NATIVE.get(expectation.kind)
    if native is not None:
        made = native(expectation, subject, rule)
        found += [made] if made is not None else []
    column = subject.column(expectation.arguments.get("column"))
    sql = subject.sql(predicate, expectation)
    null = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null")
    if column is not None and sql is not None and expectation.kind not in null:
        # These checks ignore rows in which the column is NULL, as expectations on a column do.
        if "mostly" in expectation.arguments:
            name, limits = "daily_sql_condition_passed_percent_on_column", min_percent_rule(expectation)
        else:
            name, limits = "daily_sql_condition_failed_on_column", {"max_count": 0}
        found.append(Check("custom_sql", name, {rule: limits}, column, {"sql_condition": sql}))
    return found


def _covers(expectation: Expectation, subject: Subject) -> bool:
    """Whether a load's batch is the whole table, as far as the expectation is concerned."""
    if subject.whole:
        return True
    unique = ("expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique")
    named = {name.lower() for name in expectation.columns}
    by = {name.lower() for name in subject.by}
    return expectation.kind in unique and bool(by) and by <= named
