"""Expectations on a batch, compiled to aggregates as SQL text. Nothing here needs Spark."""

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
    """Aggregates, as SQL, of one expectation that blames no row: rows looked at, whether it holds, what was seen."""

    checked: str
    ok: str
    observed: str


def has_tally(expectation: Expectation) -> bool:
    """Whether the expectation holds a mean, sum, min, max or row count between bounds."""
    kind = expectation.kind
    return kind == _ROW_COUNT or kind in _NUMBERS_ONLY or kind in _ORDERED


def tally(expectation: Expectation, find: Find, kept: str) -> Tally:
    """The aggregates of a mean, sum, min, max or row count; `kept`: SQL that tells the rows that count.

    As in Great Expectations an aggregate of no values, or one that is NaN, lies between no bounds.
    Raises DeclarationError GS103 or GS203 where the column has not the type that the expectation needs.
    """
    arguments = expectation.arguments
    if expectation.kind == _ROW_COUNT:
        count = f"count_if({kept})"
        held = between(Field("row count", count, "bigint"), arguments)
        return Tally(count, held, f"CAST({count} AS string)")
    field = find(arguments["column"])
    result = _aggregate(field, expectation, kept)
    held = f"coalesce({between(result, arguments)}, false)"
    if word_of(result.type) in ("float", "double"):
        held = f"{held} AND NOT isnan({result.sql})"
    return Tally(present(field, kept), held, f"CAST({result.sql} AS string)")


def present(field: Field, kept: str) -> str:
    """SQL: how many of the rows that count have a value in the column."""
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
        f"`{expectation.name}` cannot be judged: {field} is of another kind than its bounds",
        where=Where(field=field.name),
        hint="Declare the column's type under `columns`.",
    )
