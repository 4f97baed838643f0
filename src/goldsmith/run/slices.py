"""The rows of one load, and which part of its table they replace."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame

from goldsmith.engine.ingest.shape import Shaped
from goldsmith.engine.literals import Literals
from goldsmith.project.strict_model import Names
from goldsmith.project.tables import Table

FILE_REASONS = "_gs_file_reasons"
"""array<string>: why a delivered row cannot be taken as it is, for as long as its file's text is at hand."""


class TooMuchTouched(Exception):  # noqa: N818 - tells the caller to compute the whole table
    """The change set cannot be applied to a part of the table. The message says why."""


@dataclass(frozen=True)
class TouchedKeys:
    """The keys that are computed anew. names: the columns of `keys`, in the table's spelling."""

    names: Names
    keys: DataFrame


@dataclass(frozen=True)
class TouchedValues:
    """The values that are computed anew. names: the columns, of which each of `values` has one literal."""

    names: Names
    values: tuple[Literals, ...]


@dataclass(frozen=True)
class Slice:
    """Rows for one load. hidden: columns that judging sees and the table does not get.

    touched: the part of the table that these rows replace, for loads that recompute parts. change_rows: rows of the
    change set where the query is one-to-one. persisted: frames to let go of after the load.
    """

    shaped: Shaped
    hidden: tuple[str, ...] = ()
    touched: TouchedKeys | TouchedValues | None = None
    change_rows: int | None = None
    persisted: tuple[DataFrame, ...] = ()


def types_of(table: Table) -> dict[str, str]:
    """The declared types of columns that have one."""
    return {name: column.type for name, column in table.spec.columns.items() if column.type}
