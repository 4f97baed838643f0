"""Compiles expectations on rows to rules over a frame, and lets Spark validate their SQL and patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException, IllegalArgumentException, ParseException, PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType

from goldsmith.errors import DeclarationError
from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.text import quoted
from goldsmith.quality.predicates import predicate, skips
from goldsmith.quality.schema import fields_of


@dataclass(frozen=True)
class RowRule:
    """An expectation compiled for a frame.

    considered: SQL, never NULL: the row is evaluated; None if every row is. failed: SQL, never NULL: the row is
    evaluated and fails. gx_column: a boolean Column that `failed` uses and that must be added to the frame first.
    """

    considered: str | None
    failed: str
    gx_column: tuple[str, Column] | None = None


def rule(
    skipped: str | None, condition: str, ignore_nulls: bool, gx_column: tuple[str, Column] | None = None
) -> RowRule:
    """A rule that fails where its condition is NULL, unless `ignore_nulls`.

    skipped: SQL, never NULL: the row is not evaluated; None if every row is.
    """
    failed = f"({condition}) <=> false" if ignore_nulls else f"NOT (({condition}) <=> true)"
    if skipped is None:
        return RowRule(None, failed, gx_column)
    considered = f"NOT ({skipped})"
    return RowRule(considered, f"{considered} AND {failed}", gx_column)


def compile_row(frame: DataFrame, expectation: Expectation, member: str | None = None) -> RowRule:
    """Compiles an expectation of Goldsmith's own to a rule.

    member: for `expect_column_values_to_exist_in`, the boolean column that is true if the value exists in the
    lookup. Raises DeclarationError GS103, GS201 or GS203 if the expectation cannot be evaluated.
    """
    arguments, kind, find = expectation.arguments, expectation.kind, fields_of(frame.schema)
    if kind == "condition":
        _check_condition(frame, arguments["condition"])
    _check_regex(frame, arguments.get("regex"))
    if kind == "expect_column_values_to_exist_in":
        condition = f"coalesce({quoted(str(member))}, false)"
    else:
        condition = predicate(expectation, find)
    return rule(skips(expectation, find), condition, expectation.ignore_nulls)


def _check_condition(frame: DataFrame, sql: str) -> None:
    """Raises DeclarationError: GS201 if the SQL does not parse, GS203 if it does not resolve, GS103 if not boolean."""
    try:
        result = frame.select(F.expr(sql).alias("_gs_condition")).schema[0].dataType
    except ParseException as error:
        raise DeclarationError(
            "GS201", f"the condition `{sql}` does not parse: {_first_line(error)}"
        ) from error
    except AnalysisException as error:
        raise DeclarationError(
            "GS203", f"the condition `{sql}` cannot be evaluated: {_first_line(error)}"
        ) from error
    if not isinstance(result, BooleanType):
        raise DeclarationError(
            "GS103", f"the condition `{sql}` is of type {result.simpleString()}, not boolean"
        )


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
        raise DeclarationError("GS103", f"the regular expression `{regex}` is invalid: {reason}") from error
