"""The rows of one load, and the part of its table that they replace."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from goldsmith.engine.ingest.shape import Shaped
from goldsmith.engine.row_literals import Literals
from goldsmith.project.strict_model import Names
from goldsmith.project.tables import Table

FILE_REASONS = "_gs_file_reasons"
"""array<string>: violations of delivered rows that are found while their text is available."""


class NeedsFullLoad(Exception):  # noqa: N818 - asks the caller to compute the whole table
    """The change set cannot be applied to a part of the table. The message is the reason."""


@dataclass(frozen=True)
class TouchedKeys:
    """The keys that are recomputed. names: the columns of `keys`, in the table's case."""

    names: Names
    keys: DataFrame


@dataclass(frozen=True)
class TouchedValues:
    """The values that are recomputed. names: the columns; each of `values` has a literal for each."""

    names: Names
    values: tuple[Literals, ...]


@dataclass(frozen=True)
class Slice:
    """The rows of one load. hidden: columns for the evaluation only, which the table does not get.

    touched: the part of the table that these rows replace, for loads that recompute parts. change_rows: the rows of
    the change set if the query is one-to-one. persisted: frames to unpersist after the load.
    """

    shaped: Shaped
    hidden: tuple[str, ...] = ()
    touched: TouchedKeys | TouchedValues | None = None
    change_rows: int | None = None
    persisted: tuple[DataFrame, ...] = ()


def column_types(schema: StructType) -> dict[str, str]:
    """The types of a frame's columns as text."""
    return {field.name: field.dataType.simpleString() for field in schema.fields}


def types_of(table: Table) -> dict[str, str]:
    """The declared types of columns that have one."""
    return {name: column.type for name, column in table.spec.columns.items() if column.type}
