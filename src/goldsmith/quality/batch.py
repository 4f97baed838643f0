"""Expectations on a batch, compiled to aggregates over the rows that would be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.quality.columns import between, considered
from goldsmith.quality.values import Field, find

UNIQUE = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")

KEYS = "_gs_keys"
_ROWS = "_gs_rows"

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


def compile_batch(schema: T.StructType, expectation: Expectation, kept: str) -> Tally:
    """The aggregates of a mean, sum, min, max, row count or type; `kept`: SQL that tells the rows that count.

    As in Great Expectations an aggregate of no values, or one that is NaN, lies between no bounds.
    Raises DeclarationError GS103 or GS203 where the column has not the type that the expectation needs.
    """
    arguments, kind = expectation.arguments, expectation.kind
    if kind == "expect_table_row_count_to_be_between":
        count = f"count_if({kept})"
        held = between(Field("row count", count, T.LongType()), arguments)
        return Tally(count, held, f"CAST({count} AS string)")
    field = find(schema, arguments["column"])
    present = f"count_if({kept} AND {field.sql} IS NOT NULL)"
    if kind == "expect_column_values_to_be_of_type":
        held = literal(is_of_type(field, arguments["type_"]))
        return Tally(present, held, literal(field.type.simpleString()))
    result = _aggregate(field, expectation, kept)
    held = f"coalesce({between(result, arguments)}, false)"
    if isinstance(result.type, T.FractionalType) and not isinstance(result.type, T.DecimalType):
        held = f"{held} AND NOT isnan({result.sql})"
    return Tally(present, held, f"CAST({result.sql} AS string)")


def _aggregate(field: Field, expectation: Expectation, kept: str) -> Field:
    value = f"CASE WHEN {kept} THEN {field.sql} END"
    numeric = _NUMBERS_ONLY.get(expectation.kind)
    if numeric is None:
        bounds = (expectation.arguments.get("min_value"), expectation.arguments.get("max_value"))
        if field.family == "text" and not all(bound is None or isinstance(bound, str) for bound in bounds):
            raise _wrong_type(field, expectation)
        return Field(field.name, f"{_ORDERED[expectation.kind]}({value})", field.type)
    if field.family != "number":
        raise _wrong_type(field, expectation)
    if expectation.kind == "expect_column_sum_to_be_between" and isinstance(field.type, T.IntegralType):
        value = f"CAST({value} AS decimal(38,0))"
    exact = isinstance(field.type, T.DecimalType | T.IntegralType)
    return Field(field.name, f"{numeric}({value})", T.DecimalType() if exact else T.DoubleType())


def _wrong_type(field: Field, expectation: Expectation) -> DeclarationError:
    return DeclarationError(
        "GS103",
        f"`{expectation.name}` cannot be judged: {field} is of another kind than its bounds",
        where=Where(field=field.name),
        hint="Declare the column's type under `columns`.",
    )


def is_of_type(field: Field, wanted: str) -> bool:
    """Whether a field has a type, named as in pyspark (`IntegerType`) or in SQL (`int`, `decimal(9,2)`).

    Raises DeclarationError GS103 where there is no such type.
    """
    named = getattr(T, wanted, None)
    if isinstance(named, type) and issubclass(named, T.DataType):
        return isinstance(field.type, named)
    try:
        return field.type == T.DataType.fromDDL(wanted)
    except Exception as error:
        raise DeclarationError(
            "GS103", f"`{wanted}` is no type of Spark", where=Where(field=field.name)
        ) from error


def duplicates(frame: DataFrame, expectation: Expectation) -> DataFrame:
    """The keys of a uniqueness expectation with their number of rows, _ROWS; uncounted rows left out."""
    schema = frame.schema
    keys = [F.expr(find(schema, name).sql) for name in expectation.columns]
    counted = considered(schema, expectation)
    judged = frame.where(counted) if counted is not None else frame
    return judged.groupBy(*keys).agg(F.expr(f"count(1) AS {_ROWS}"))


def groups(
    frame: DataFrame, expectations: Sequence[Expectation], keyed: DataFrame, keys: Sequence[str]
) -> dict[str, DataFrame]:
    """By uniqueness expectation over `frame`, and as KEYS by the columns `keys` over `keyed`: frames of one row,
    whose column `grouped` holds how many distinct keys there are, how many rows were counted, and how many of
    these share their key with another."""
    counted = {item.name: duplicates(frame, item) for item in expectations}
    if keys:
        counted[KEYS] = keyed.groupBy(*[F.col(quoted(name)) for name in keys]).agg(
            F.expr(f"count(1) AS {_ROWS}")
        )
    told = (
        f"struct(count(1) AS keys, coalesce(sum({_ROWS}), 0) AS rows, "
        f"coalesce(sum({_ROWS}) FILTER (WHERE {_ROWS} > 1), 0) AS repeated) AS grouped"
    )
    return {name: rows.selectExpr(told) for name, rows in counted.items()}
