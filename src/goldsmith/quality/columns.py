"""Expectations on rows, compiled to Columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from types import MappingProxyType
from typing import Any

from pyspark.errors import AnalysisException, IllegalArgumentException, ParseException, PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, BooleanType, DecimalType, IntegerType, IntegralType, StructType

from goldsmith.errors import DeclarationError
from goldsmith.project.models import Expectation
from goldsmith.quality import values
from goldsmith.quality.values import Field, comparable, find, harmonized

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class RowRule:
    """considered: SQL, whether the row is judged at all (never NULL); None where every row is.

    failed: it is, and does not hold (never NULL).
    """

    considered: str | None
    failed: Column


def rule(considered: str | None, held: Column, ignore_nulls: bool) -> RowRule:
    """A rule whose NULL verdicts fail, or hold where `ignore_nulls` says so."""
    failed = held.eqNullSafe(False) if ignore_nulls else ~held.eqNullSafe(True)
    return RowRule(considered, failed if considered is None else F.expr(considered) & failed)


def compile_row(frame: DataFrame, expectation: Expectation, member: str | None = None) -> RowRule:
    """The rule of an expectation that Goldsmith compiles itself.

    member: the boolean column that says whether the value exists in the lookup, for
    `expect_column_values_to_exist_in`. Raises DeclarationError GS103, GS201 or GS203 where the expectation
    cannot be judged.
    """
    arguments, schema, kind = expectation.arguments, frame.schema, expectation.kind
    if kind == "condition":
        held = condition(frame, arguments["condition"])
    elif kind == "expect_column_values_to_exist_in":
        held = F.coalesce(F.col(str(member)), F.lit(False))
    else:
        _check_regex(frame, arguments.get("regex"))
        held = _HELD[kind](schema, arguments)
    return rule(considered(schema, expectation), held, expectation.ignore_nulls)


def considered(schema: StructType, expectation: Expectation) -> str | None:
    """SQL: whether a row is judged: not where the column is NULL, or as `ignore_row_if` says. Never NULL.

    None where every row is judged.
    """
    arguments = expectation.arguments
    if expectation.kind in ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null"):
        return None
    if "column" in arguments:
        return f"{find(schema, arguments['column']).sql} IS NOT NULL"
    missing = [f"{find(schema, name).sql} IS NULL" for name in expectation.columns]
    if not missing:
        return None
    default = "both_values_are_missing" if "column_A" in arguments else "all_values_are_missing"
    match arguments.get("ignore_row_if") or default:
        case "both_values_are_missing" | "all_values_are_missing":
            return f"NOT ({' AND '.join(missing)})"
        case "either_value_is_missing" | "any_value_is_missing":
            return f"NOT ({' OR '.join(missing)})"
        case _:
            return None


def condition(frame: DataFrame, sql: str) -> Column:
    """A boolean SQL expression over the frame's columns.

    Raises DeclarationError: GS201 where it does not parse, GS203 where it does not resolve, GS103 where it is
    not boolean.
    """
    try:
        column = F.expr(sql)
        result = frame.select(column.alias("_gs_condition")).schema[0].dataType
    except ParseException as error:
        raise DeclarationError(
            "GS201", f"the condition `{sql}` does not parse: {_first_line(error)}"
        ) from error
    except AnalysisException as error:
        raise DeclarationError(
            "GS203", f"the condition `{sql}` cannot be judged: {_first_line(error)}"
        ) from error
    if not isinstance(result, BooleanType):
        raise DeclarationError(
            "GS103", f"the condition `{sql}` gives {result.simpleString()}, not true or false"
        )
    return column


def _first_line(error: PySparkException) -> str:
    return str(error).strip().splitlines()[0]


def _check_regex(frame: DataFrame, regex: str | None) -> None:
    if regex is None:
        return
    jvm: Any = frame.sparkSession._jvm
    try:
        jvm.java.util.regex.Pattern.compile(regex)
    except IllegalArgumentException as error:
        reason = _first_line(error)
        raise DeclarationError("GS103", f"the regular expression `{regex}` is not one: {reason}") from error


def between(field: Field, arguments: Arguments) -> Column:
    """Whether the column lies between `min_value` and `max_value`; NULL where it cannot be said."""
    limits: list[Column] = []
    if arguments.get("min_value") is not None:
        left, least = comparable(field, arguments["min_value"])
        limits.append(left > least if arguments.get("strict_min") else left >= least)
    if arguments.get("max_value") is not None:
        left, most = comparable(field, arguments["max_value"])
        limits.append(left < most if arguments.get("strict_max") else left <= most)
    return reduce(and_, limits)


def _in_set(schema: StructType, arguments: Arguments) -> Column:
    field = find(schema, arguments["column"])
    pairs = [comparable(field, value) for value in arguments["value_set"] if value is not None]
    plain = [value for left, value in pairs if left is field.column]
    cast = [F.coalesce(left == value, F.lit(False)) for left, value in pairs if left is not field.column]
    return reduce(or_, cast, field.column.isin(plain) if plain else F.lit(False))


def _length(schema: StructType, arguments: Arguments) -> Field:
    field = find(schema, arguments["column"])
    length = F.length(field.column if isinstance(field.type, BinaryType) else values.text(field))
    return Field(field.name, length, IntegerType())


def _pair(schema: StructType, arguments: Arguments) -> tuple[Column, Column, Column, Column]:
    a, b = find(schema, arguments["column_A"]), find(schema, arguments["column_B"])
    left, right = harmonized(a, b)
    return left, right, a.column.isNull(), b.column.isNull()


def _pair_equal(schema: StructType, arguments: Arguments) -> Column:
    left, right, no_left, no_right = _pair(schema, arguments)
    return F.when(no_left | no_right, no_left & no_right).otherwise(left == right)


def _pair_greater(schema: StructType, arguments: Arguments) -> Column:
    left, right, no_left, no_right = _pair(schema, arguments)
    return (left >= right) | (no_left & no_right) if arguments.get("or_equal") else left > right


def _sum(schema: StructType, arguments: Arguments) -> Column:
    """NULL counts as nothing; whole numbers are added as decimals, so that they cannot overflow."""
    addends: list[Column] = []
    for name in arguments["column_list"]:
        field = find(schema, name)
        if field.family not in ("number", "text"):
            raise DeclarationError("GS103", f"{field} cannot be added up")
        addend = field.column
        if isinstance(field.type, IntegralType):
            addend = addend.cast(DecimalType(38, 0))
        elif field.family == "text":
            addend = addend.try_cast(values.EXACT)
        addends.append(F.when(field.column.isNull(), F.lit(0)).otherwise(addend))
    return reduce(F.try_add, addends) == values.number(arguments["sum_total"])


def _regex(schema: StructType, arguments: Arguments) -> Column:
    return values.text(find(schema, arguments["column"])).rlike(arguments["regex"])


def _like(schema: StructType, arguments: Arguments) -> Column:
    return values.text(find(schema, arguments["column"])).like(arguments["like_pattern"])


_HELD: Mapping[str, Callable[[StructType, Arguments], Column]] = MappingProxyType(
    {
        "expect_column_values_to_not_be_null": lambda s, a: find(s, a["column"]).column.isNotNull(),
        "expect_column_values_to_be_null": lambda s, a: find(s, a["column"]).column.isNull(),
        "expect_column_values_to_be_in_set": _in_set,
        "expect_column_values_to_not_be_in_set": lambda s, a: ~_in_set(s, a),
        "expect_column_values_to_be_between": lambda s, a: between(find(s, a["column"]), a),
        "expect_column_values_to_match_regex": _regex,
        "expect_column_values_to_not_match_regex": lambda s, a: ~_regex(s, a),
        "expect_column_values_to_match_like_pattern": _like,
        "expect_column_values_to_not_match_like_pattern": lambda s, a: ~_like(s, a),
        "expect_column_value_lengths_to_be_between": lambda s, a: between(_length(s, a), a),
        "expect_column_value_lengths_to_equal": lambda s, a: (
            _length(s, a).column == values.number(a["value"])
        ),
        "expect_column_pair_values_to_be_equal": _pair_equal,
        "expect_column_pair_values_a_to_be_greater_than_b": _pair_greater,
        "expect_multicolumn_sum_to_equal": _sum,
    }
)
