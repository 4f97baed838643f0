"""Compiles expectations on a batch to aggregates as SQL text, without Spark."""

from __future__ import annotations

from dataclasses import dataclass

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.expectations import Expectation
from goldsmith.project.types import is_integral, word_of
from goldsmith.quality.fields import Field, Find
from goldsmith.quality.predicates import between

_ROW_COUNT = "expect_table_row_count_to_be_between"
_NUMBERS_ONLY = {
    "expect_column_mean_to_be_between": "try_avg",
    "expect_column_sum_to_be_between": "try_sum",
}
_ORDERED = {
    "expect_column_min_to_be_between": "min",
    "expect_column_max_to_be_between": "max",
}


@dataclass(frozen=True)
class Tally:
    """SQL aggregates of an expectation on the batch: rows checked, whether it is met, the observed value."""

    checked: str
    ok: str
    observed: str


def has_tally(expectation: Expectation) -> bool:
    """Whether the expectation compares a mean, sum, min, max or row count with bounds."""
    kind = expectation.kind
    return kind == _ROW_COUNT or kind in _NUMBERS_ONLY or kind in _ORDERED


def tally(expectation: Expectation, find: Find, kept: str) -> Tally:
    """The aggregates of a mean, sum, min, max or row count. kept: SQL that selects the rows to aggregate.

    As in Great Expectations, an aggregate of no values, or one that is NaN, does not meet any bounds.
    Raises DeclarationError GS103 or GS203 if the column does not have a type that the expectation needs.
    """
    arguments = expectation.arguments
    if expectation.kind == _ROW_COUNT:
        count = f"count_if({kept})"
        met = between(Field("row count", count, "bigint"), arguments)
        return Tally(count, met, f"CAST({count} AS string)")
    field = find(arguments["column"])
    result = _aggregate(field, expectation, kept)
    met = f"coalesce({between(result, arguments)}, false)"
    if word_of(result.type) in ("float", "double"):
        met = f"{met} AND NOT isnan({result.sql})"
    return Tally(present(field, kept), met, f"CAST({result.sql} AS string)")


def present(field: Field, kept: str) -> str:
    """SQL: the number of selected rows with a value in the column."""
    return f"count_if({kept} AND {field.sql} IS NOT NULL)"


def _aggregate(field: Field, expectation: Expectation, kept: str) -> Field:
    value = f"CASE WHEN {kept} THEN {field.sql} END"
    numeric = _NUMBERS_ONLY.get(expectation.kind)
    if numeric is None:
        bounds = (expectation.arguments.get("min_value"), expectation.arguments.get("max_value"))
        if field.compared == "text" and not all(bound is None or isinstance(bound, str) for bound in bounds):
            raise _wrong_type(field, expectation)
        return Field(field.name, f"{_ORDERED[expectation.kind]}({value})", field.type)
    if field.compared != "number":
        raise _wrong_type(field, expectation)
    if expectation.kind == "expect_column_sum_to_be_between" and is_integral(field.type):
        value = f"CAST({value} AS decimal(38,0))"
    exact = is_integral(field.type) or word_of(field.type) == "decimal"
    return Field(field.name, f"{numeric}({value})", "decimal" if exact else "double")


def _wrong_type(field: Field, expectation: Expectation) -> DeclarationError:
    return DeclarationError(
        "GS103",
        f"`{expectation.name}` cannot be evaluated: {field} and its bounds have different types",
        where=Where(field=field.name),
        hint="Declare the column's type under `columns`.",
    )
