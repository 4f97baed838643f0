"""Expectations on rows as rules over a frame, once Spark has read what they hold of its own language."""

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
from goldsmith.quality.predicates import predicate, unjudged
from goldsmith.quality.schema import fields_of


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
    skipped: str | None, held: str, ignore_nulls: bool, foreign: tuple[str, Column] | None = None
) -> RowRule:
    """A rule whose NULL verdicts fail, or hold where `ignore_nulls` says so.

    skipped: SQL, never NULL: the row is not judged; None where every row is.
    """
    failed = f"({held}) <=> false" if ignore_nulls else f"NOT (({held}) <=> true)"
    if skipped is None:
        return RowRule(None, failed, foreign)
    considered = f"NOT ({skipped})"
    return RowRule(considered, f"{considered} AND {failed}", foreign)


def compile_row(frame: DataFrame, expectation: Expectation, member: str | None = None) -> RowRule:
    """The rule of an expectation that Goldsmith compiles itself.

    member: the boolean column that says whether the value exists in the lookup, for
    `expect_column_values_to_exist_in`. Raises DeclarationError GS103, GS201 or GS203 where the expectation
    cannot be judged.
    """
    arguments, kind, find = expectation.arguments, expectation.kind, fields_of(frame.schema)
    if kind == "condition":
        _check_condition(frame, arguments["condition"])
    _check_regex(frame, arguments.get("regex"))
    if kind == "expect_column_values_to_exist_in":
        held = f"coalesce({quoted(str(member))}, false)"
    else:
        held = predicate(expectation, find)
    return rule(unjudged(expectation, find), held, expectation.ignore_nulls)


def _check_condition(frame: DataFrame, sql: str) -> None:
    """Raises DeclarationError: GS201 where it does not parse, GS203 where it does not resolve, GS103 where it is
    not boolean."""
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
