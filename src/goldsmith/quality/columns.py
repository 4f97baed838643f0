"""Expectations on rows, compiled to SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any

from pyspark.errors import AnalysisException, IllegalArgumentException, ParseException, PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, BooleanType, IntegerType, IntegralType, StructType

from goldsmith.errors import DeclarationError
from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.text import quoted, text_literal
from goldsmith.quality import values
from goldsmith.quality.values import Field, comparable, find, harmonized

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class RowRule:
    """considered: SQL, whether the row is judged at all (never NULL); None where every row is.

    failed: SQL, it is, and does not hold (never NULL). foreign: a boolean Column that `failed` names, which
    the frame has to be given first.
    """

    considered: str | None
    failed: str
    foreign: tuple[str, Column] | None = None


def rule(
    considered: str | None, held: str, ignore_nulls: bool, foreign: tuple[str, Column] | None = None
) -> RowRule:
    """A rule whose NULL verdicts fail, or hold where `ignore_nulls` says so."""
    failed = f"({held}) <=> false" if ignore_nulls else f"NOT (({held}) <=> true)"
    return RowRule(considered, failed if considered is None else f"{considered} AND {failed}", foreign)


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
        held = f"coalesce({quoted(str(member))}, false)"
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


def condition(frame: DataFrame, sql: str) -> str:
    """A condition, once it is known to be a boolean expression over the frame's columns.

    Raises DeclarationError: GS201 where it does not parse, GS203 where it does not resolve, GS103 where it is
    not boolean.
    """
    try:
        result = frame.select(F.expr(sql).alias("_gs_condition")).schema[0].dataType
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
    # A line of its own: the condition may end in a comment.
    return f"{sql}\n"


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


def between(field: Field, arguments: Arguments) -> str:
    """SQL: whether the column lies between `min_value` and `max_value`; NULL where it cannot be said."""
    limits: list[str] = []
    if arguments.get("min_value") is not None:
        left, least = comparable(field, arguments["min_value"])
        limits.append(f"{left} {'>' if arguments.get('strict_min') else '>='} {least}")
    if arguments.get("max_value") is not None:
        left, most = comparable(field, arguments["max_value"])
        limits.append(f"{left} {'<' if arguments.get('strict_max') else '<='} {most}")
    return " AND ".join(limits)


def _in_set(schema: StructType, arguments: Arguments) -> str:
    field = find(schema, arguments["column"])
    pairs = [comparable(field, value) for value in arguments["value_set"] if value is not None]
    plain = [value for left, value in pairs if left == field.sql]
    parts = [f"{field.sql} IN ({', '.join(plain)})"] if plain else ["false"]
    parts += [f"coalesce({left} = {value}, false)" for left, value in pairs if left != field.sql]
    return " OR ".join(parts)


def _length(schema: StructType, arguments: Arguments) -> Field:
    field = find(schema, arguments["column"])
    measured = field.sql if isinstance(field.type, BinaryType) else values.text(field)
    return Field(field.name, f"length({measured})", IntegerType())


def _pair(schema: StructType, arguments: Arguments) -> tuple[str, str, str, str]:
    a, b = find(schema, arguments["column_A"]), find(schema, arguments["column_B"])
    left, right = harmonized(a, b)
    return left, right, f"{a.sql} IS NULL", f"{b.sql} IS NULL"


def _pair_equal(schema: StructType, arguments: Arguments) -> str:
    left, right, no_left, no_right = _pair(schema, arguments)
    return f"CASE WHEN {no_left} OR {no_right} THEN {no_left} AND {no_right} ELSE {left} = {right} END"


def _pair_greater(schema: StructType, arguments: Arguments) -> str:
    left, right, no_left, no_right = _pair(schema, arguments)
    if arguments.get("or_equal"):
        return f"{left} >= {right} OR ({no_left} AND {no_right})"
    return f"{left} > {right}"


def _sum(schema: StructType, arguments: Arguments) -> str:
    """NULL counts as nothing; whole numbers are added as decimals, so that they cannot overflow."""
    addends: list[str] = []
    for name in arguments["column_list"]:
        field = find(schema, name)
        if field.family not in ("number", "text"):
            raise DeclarationError("GS103", f"{field} cannot be added up")
        addend = field.sql
        if isinstance(field.type, IntegralType):
            addend = f"CAST({addend} AS decimal(38,0))"
        elif field.family == "text":
            addend = f"try_cast({addend} AS {values.EXACT})"
        addends.append(f"CASE WHEN {field.sql} IS NULL THEN 0 ELSE {addend} END")
    total = reduce(lambda left, right: f"try_add({left}, {right})", addends)
    return f"{total} = {values.number(arguments['sum_total'])}"


def _regex(schema: StructType, arguments: Arguments) -> str:
    return f"{values.text(find(schema, arguments['column']))} RLIKE {text_literal(arguments['regex'])}"


def _like(schema: StructType, arguments: Arguments) -> str:
    return f"{values.text(find(schema, arguments['column']))} LIKE {text_literal(arguments['like_pattern'])}"


_HELD: Mapping[str, Callable[[StructType, Arguments], str]] = MappingProxyType(
    {
        "expect_column_values_to_not_be_null": lambda s, a: f"{find(s, a['column']).sql} IS NOT NULL",
        "expect_column_values_to_be_null": lambda s, a: f"{find(s, a['column']).sql} IS NULL",
        "expect_column_values_to_be_in_set": _in_set,
        "expect_column_values_to_not_be_in_set": lambda s, a: f"NOT ({_in_set(s, a)})",
        "expect_column_values_to_be_between": lambda s, a: between(find(s, a["column"]), a),
        "expect_column_values_to_match_regex": _regex,
        "expect_column_values_to_not_match_regex": lambda s, a: f"NOT ({_regex(s, a)})",
        "expect_column_values_to_match_like_pattern": _like,
        "expect_column_values_to_not_match_like_pattern": lambda s, a: f"NOT ({_like(s, a)})",
        "expect_column_value_lengths_to_be_between": lambda s, a: between(_length(s, a), a),
        "expect_column_value_lengths_to_equal": lambda s, a: (
            f"{_length(s, a).sql} = {values.number(a['value'])}"
        ),
        "expect_column_pair_values_to_be_equal": _pair_equal,
        "expect_column_pair_values_a_to_be_greater_than_b": _pair_greater,
        "expect_multicolumn_sum_to_equal": _sum,
    }
)
