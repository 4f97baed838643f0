"""The kinds of expectations and their arguments.

Names and arguments are Great Expectations' (1.24); `condition` and `expect_column_values_to_exist_in` are
Goldsmith's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Argument:
    """An argument of an expectation. takes: the accepted values in words. accepts: tests a value."""

    takes: str
    accepts: Callable[[Any], bool]
    required: bool = True
    choices: tuple[str, ...] = ()

    def optional(self) -> Argument:
        return Argument(self.takes, self.accepts, False, self.choices)


@dataclass(frozen=True)
class Kind:
    """An expectation that Goldsmith compiles itself.

    batch: applies to the batch as a whole. mostly: takes the least share of rows that must pass.
    bounds: takes `min_value` and `max_value`, and needs one of them.
    """

    arguments: Mapping[str, Argument]
    batch: bool = False
    mostly: bool = False
    bounds: bool = False


def _one_of(*choices: str) -> Argument:
    return Argument(f"one of {', '.join(choices)}", lambda value: value in choices, False, choices)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return is_number(value) and float(value).is_integer()


def is_bound(value: Any) -> bool:
    return is_number(value) or isinstance(value, date) or (isinstance(value, str) and value != "")


def _is_columns(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(name, str) for name in value)


def _is_set(value: Any) -> bool:
    scalar = (str, int, float, date, type(None))
    return isinstance(value, list) and all(isinstance(item, scalar) for item in value)


_TEXT = Argument("text", lambda value: isinstance(value, str) and value != "")
_LIKE = Argument(
    "a LIKE pattern in which a backslash only escapes %, _ or a backslash",
    lambda value: (
        isinstance(value, str) and re.fullmatch(r"(?:[^\\]|\\[\\%_])*", value, re.DOTALL) is not None
    ),
)
_NUMBER = Argument("a number", is_number)
_WHOLE = Argument("a whole number", _is_whole)
_BOUND = Argument("a number, a date or text", is_bound)
_FLAG = Argument("true or false", lambda value: isinstance(value, bool), False)
_SHARE = Argument("a number from 0 to 1", lambda value: is_number(value) and 0 <= value <= 1, False)
_SET = Argument("a list of values", _is_set)
_COLUMNS = Argument("a list of at least two columns", _is_columns)

_COLUMN = {"column": _TEXT}
_PAIR = {
    "column_A": _TEXT,
    "column_B": _TEXT,
    "ignore_row_if": _one_of("both_values_are_missing", "either_value_is_missing", "neither"),
}
_LIST = {
    "column_list": _COLUMNS,
    "ignore_row_if": _one_of("all_values_are_missing", "any_value_is_missing", "never"),
}


def _rows(arguments: Mapping[str, Argument], *, bounds: bool = False, batch: bool = False) -> Kind:
    return Kind({**arguments, "mostly": _SHARE}, batch=batch, mostly=True, bounds=bounds)


def _between(bound: Argument, column: bool = True) -> dict[str, Argument]:
    limits = {"min_value": bound.optional(), "max_value": bound.optional()}
    return {**(_COLUMN if column else {}), **limits, "strict_min": _FLAG, "strict_max": _FLAG}


def _aggregate(bound: Argument, column: bool = True) -> Kind:
    return Kind(_between(bound, column), batch=True, bounds=True)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "condition": Kind({"condition": _TEXT}),
        "expect_column_values_to_not_be_null": _rows(_COLUMN),
        "expect_column_values_to_be_null": _rows(_COLUMN),
        "expect_column_values_to_be_in_set": _rows({**_COLUMN, "value_set": _SET}),
        "expect_column_values_to_not_be_in_set": _rows({**_COLUMN, "value_set": _SET}),
        "expect_column_values_to_be_between": _rows(_between(_BOUND), bounds=True),
        "expect_column_values_to_match_regex": _rows({**_COLUMN, "regex": _TEXT}),
        "expect_column_values_to_not_match_regex": _rows({**_COLUMN, "regex": _TEXT}),
        "expect_column_values_to_match_like_pattern": _rows({**_COLUMN, "like_pattern": _LIKE}),
        "expect_column_values_to_not_match_like_pattern": _rows({**_COLUMN, "like_pattern": _LIKE}),
        "expect_column_value_lengths_to_be_between": _rows(_between(_WHOLE), bounds=True),
        "expect_column_value_lengths_to_equal": _rows({**_COLUMN, "value": _WHOLE}),
        "expect_column_values_to_exist_in": _rows({**_COLUMN, "table": _TEXT, "key": _TEXT.optional()}),
        "expect_column_pair_values_to_be_equal": _rows(_PAIR),
        "expect_column_pair_values_a_to_be_greater_than_b": _rows({**_PAIR, "or_equal": _FLAG}),
        "expect_multicolumn_sum_to_equal": _rows({**_LIST, "sum_total": _NUMBER}),
        "expect_column_values_to_be_unique": _rows(_COLUMN, batch=True),
        "expect_compound_columns_to_be_unique": _rows(_LIST, batch=True),
        "expect_column_values_to_be_of_type": Kind({**_COLUMN, "type_": _TEXT}, batch=True),
        "expect_table_row_count_to_be_between": _aggregate(_WHOLE, column=False),
        "expect_column_mean_to_be_between": _aggregate(_NUMBER),
        "expect_column_sum_to_be_between": _aggregate(_NUMBER),
        "expect_column_min_to_be_between": _aggregate(_BOUND),
        "expect_column_max_to_be_between": _aggregate(_BOUND),
    }
)
"""The expectations that Goldsmith compiles itself."""

GX_KINDS = frozenset(
    {
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_not_match_regex_list",
        "expect_column_values_to_be_json_parseable",
        "expect_column_values_to_match_strftime_format",
        "expect_column_pair_values_to_be_in_set",
        "expect_multicolumn_values_to_be_equal",
        "expect_select_column_values_to_be_unique_within_record",
    }
)
"""Row expectations of Great Expectations that are known to run on Spark."""

_COMPARES = "it compares rows with each other, so its result would depend on how rows are batched"
_NOT_ON_SPARK = "Great Expectations does not support it on Spark"

UNSUPPORTED: Mapping[str, str] = MappingProxyType(
    {
        "expect_column_value_z_scores_to_be_less_than": _COMPARES,
        "expect_column_values_to_not_be_outliers": _COMPARES,
        "expect_column_values_to_be_increasing": _COMPARES,
        "expect_column_values_to_be_decreasing": _COMPARES,
        "expect_column_values_to_be_dateutil_parseable": _NOT_ON_SPARK,
        "expect_column_values_to_be_in_type_list": _NOT_ON_SPARK,
        "expect_column_values_to_match_like_pattern_list": _NOT_ON_SPARK,
        "expect_column_values_to_not_match_like_pattern_list": _NOT_ON_SPARK,
        "expect_column_values_to_match_json_schema": "the first value that is not JSON fails the whole query",
    }
)
"""Row expectations of Great Expectations that Goldsmith does not support, with the reason."""

GX_PREFIXES = (
    "expect_column_values_",
    "expect_column_value_",
    "expect_column_pair_values_",
    "expect_multicolumn_values_",
    "expect_select_column_values_",
)
"""Prefixes of the names of row expectations."""
