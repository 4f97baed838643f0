"""Expectations on a batch, compiled to aggregates over the rows that would be written."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.models import Expectation
from goldsmith.quality.columns import between, considered
from goldsmith.quality.values import Field, find

UNIQUE = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")

_NUMBERS_ONLY = {
    "expect_column_mean_to_be_between": F.try_avg,
    "expect_column_sum_to_be_between": F.try_sum,
}
_ORDERED = {
    "expect_column_min_to_be_between": F.min,
    "expect_column_max_to_be_between": F.max,
}


@dataclass(frozen=True)
class Tally:
    """Aggregates of one expectation: rows looked at, rows at fault, whether it holds, what was seen."""

    checked: Column
    failed: Column
    ok: Column
    observed: Column


def compile_batch(schema: T.StructType, expectation: Expectation, kept: Column) -> Tally:
    """The aggregates of a mean, sum, min, max, row count or type; `kept` tells the rows that count.

    As in Great Expectations an aggregate of no values, or one that is NaN, lies between no bounds.
    Raises DeclarationError GS103 or GS203 where the column has not the type that the expectation needs.
    """
    arguments, kind = expectation.arguments, expectation.kind
    nobody = F.lit(0)
    if kind == "expect_table_row_count_to_be_between":
        count = F.count_if(kept)
        held = between(Field("row count", count, T.LongType()), arguments)
        return Tally(count, nobody, held, count.cast("string"))
    field = find(schema, arguments["column"])
    present = F.count_if(kept & field.column.isNotNull())
    if kind == "expect_column_values_to_be_of_type":
        held = F.lit(is_of_type(field, arguments["type_"]))
        return Tally(present, nobody, held, F.lit(field.type.simpleString()))
    result = _aggregate(field, expectation, kept)
    held = F.coalesce(between(result, arguments), F.lit(False))
    if isinstance(result.type, T.FractionalType) and not isinstance(result.type, T.DecimalType):
        held = held & ~F.isnan(result.column)
    return Tally(present, nobody, held, result.column.cast("string"))


def _aggregate(field: Field, expectation: Expectation, kept: Column) -> Field:
    value = F.when(kept, field.column)
    numeric = _NUMBERS_ONLY.get(expectation.kind)
    if numeric is None:
        bounds = (expectation.arguments.get("min_value"), expectation.arguments.get("max_value"))
        if field.family == "text" and not all(bound is None or isinstance(bound, str) for bound in bounds):
            raise _wrong_type(field, expectation)
        return Field(field.name, _ORDERED[expectation.kind](value), field.type)
    if field.family != "number":
        raise _wrong_type(field, expectation)
    if expectation.kind == "expect_column_sum_to_be_between" and isinstance(field.type, T.IntegralType):
        value = value.cast(T.DecimalType(38, 0))
    exact = isinstance(field.type, T.DecimalType | T.IntegralType)
    return Field(field.name, numeric(value), T.DecimalType() if exact else T.DoubleType())


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
    """The keys of a uniqueness expectation with their number of rows, `_gs_rows`; uncounted rows left out."""
    schema = frame.schema
    keys = [find(schema, name).column for name in expectation.columns]
    judged = frame.where(considered(schema, expectation))
    return judged.groupBy(*keys).agg(F.count(F.lit(1)).alias("_gs_rows"))


def count_duplicates(frame: DataFrame, expectation: Expectation) -> tuple[int, int]:
    """Rows looked at, and rows that share their key with another: one Spark job."""
    rows = F.col("_gs_rows")
    total = F.coalesce(F.sum(rows), F.lit(0)).alias("checked")
    shared = F.coalesce(F.sum(F.when(rows > 1, rows)), F.lit(0)).alias("failed")
    row = duplicates(frame, expectation).agg(total, shared).collect()[0]
    return int(row["checked"]), int(row["failed"])
