"""Evaluates `expect_column_values_to_exist_in` by a join with the distinct keys of the other table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.expectations import Expectation
from goldsmith.project.sql.text import quoted
from goldsmith.quality.declarations import reference
from goldsmith.quality.fields import harmonized
from goldsmith.quality.schema import fields_of

_PREFIX = "_gs_member_"


def member(expectation: Expectation) -> str:
    """The boolean column that `with_members` adds for an expectation: TRUE if the value exists, else NULL."""
    return f"{_PREFIX}{expectation.name}"


def with_members(
    frame: DataFrame, expectations: Sequence[Expectation], lookups: Mapping[str, DataFrame]
) -> DataFrame:
    """The frame with a column for each `expect_column_values_to_exist_in`; rows are neither lost nor duplicated.

    lookups: the tables by full name. Raises DeclarationError GS202 if one is missing, GS203 or GS103 if its key
    does not exist or cannot be compared.
    """
    for expectation in expectations:
        referenced = reference(expectation)
        if referenced is None:
            continue
        table, key = referenced
        if table not in lookups:
            raise DeclarationError(
                "GS202",
                f"`{expectation.name}` needs the table `{table}`, which is not among the upstream tables",
                where=Where(table=table),
                hint=f"Declare `{table}` in this project.",
            )
        lookup = lookups[table]
        field = fields_of(frame.schema)(expectation.arguments["column"])
        known = fields_of(lookup.schema)(key)
        value, wanted = harmonized(field, known)
        name = f"_gs_key_{expectation.name}"
        column = quoted(name)
        keys = lookup.selectExpr(f"{wanted} AS {column}").where(f"{column} IS NOT NULL").distinct()
        keys = keys.selectExpr(column, f"true AS {quoted(member(expectation))}")
        frame = frame.join(keys, F.expr(f"{value} = {column}"), "left").drop(name)
    return frame
