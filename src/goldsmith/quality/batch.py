"""Compiles expectations on a batch for a frame, and counts duplicates."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.quality.aggregates import Tally, present, tally
from goldsmith.quality.predicates import skips
from goldsmith.quality.schema import fields_of, type_of

UNIQUE = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")

KEYS = "_gs_keys"
_ROWS = "_gs_rows"


def compile_batch(schema: T.StructType, expectation: Expectation, kept: str) -> Tally:
    """The aggregates of an expectation on a batch. kept: SQL that selects the rows to aggregate.

    Raises DeclarationError GS103 or GS203 if the column does not have a type that the expectation needs.
    """
    if expectation.kind != "expect_column_values_to_be_of_type":
        return tally(expectation, fields_of(schema), kept)
    field = fields_of(schema)(expectation.arguments["column"])
    met = _is_of_type(type_of(schema, field.name), expectation.arguments["type_"], field.name)
    return Tally(present(field, kept), literal(met), literal(field.type))


def _is_of_type(kind: T.DataType, wanted: str, column: str) -> bool:
    """Whether a type is the wanted one, which is named as in PySpark (`IntegerType`) or SQL (`decimal(9,2)`).

    Raises DeclarationError GS103 if there is no such type.
    """
    named = getattr(T, wanted, None)
    if isinstance(named, type) and issubclass(named, T.DataType):
        return isinstance(kind, named)
    try:
        return kind == T.DataType.fromDDL(wanted)
    except Exception as error:
        raise DeclarationError(
            "GS103", f"`{wanted}` is not a type of Spark", where=Where(field=column)
        ) from error


def duplicates(frame: DataFrame, expectation: Expectation) -> DataFrame:
    """The keys of a uniqueness expectation with their number of rows, _ROWS; skipped rows are not counted."""
    find = fields_of(frame.schema)
    keys = [F.expr(find(name).sql) for name in expectation.columns]
    skipped = skips(expectation, find)
    judged = frame.where(f"NOT ({skipped})") if skipped is not None else frame
    return judged.groupBy(*keys).agg(F.expr(f"count(1) AS {_ROWS}"))


def groups(
    frame: DataFrame, expectations: Sequence[Expectation], keyed: DataFrame, keys: Sequence[str]
) -> dict[str, DataFrame]:
    """One-row frames of key counts, for each uniqueness expectation over `frame` and for KEYS over `keyed`.

    The column `grouped` holds the number of distinct keys, of counted rows, and of rows with a duplicate key.
    """
    counted = {item.name: duplicates(frame, item) for item in expectations}
    if keys:
        counted[KEYS] = keyed.groupBy(*[F.col(quoted(name)) for name in keys]).agg(
            F.expr(f"count(1) AS {_ROWS}")
        )
    grouped = (
        f"struct(count(1) AS keys, coalesce(sum({_ROWS}), 0) AS rows, "
        f"coalesce(sum({_ROWS}) FILTER (WHERE {_ROWS} > 1), 0) AS repeated) AS grouped"
    )
    return {name: rows.selectExpr(grouped) for name, rows in counted.items()}
