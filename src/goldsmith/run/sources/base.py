"""The interface of sources: planning, reading rows, and re-evaluating quarantined rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar, Generic, TypeVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, StructType

from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.plan import LoadPlan, Nothing, Pull
from goldsmith.run.quarantined import QuarantinedRows
from goldsmith.run.slices import Slice

P = TypeVar("P", bound=LoadPlan)


class RowSource(ABC, Generic[P]):
    """The source of a table's rows: files for bronze tables, upstream tables for others."""

    hidden: ClassVar[tuple[str, ...]] = ()
    """Columns beside the table's that the evaluation and the quarantine need."""

    def pull(self, spark: SparkSession, run: Run, plan: Pull) -> Nothing | LoadPlan:
        """Asks the source for new rows, and plans to load them. Raises SourceError and StorageError."""
        raise NotImplementedError(f"{plan.table.name} has a source that is not asked for rows")

    @abstractmethod
    def rows(self, spark: SparkSession, run: Run, plan: P) -> Slice:
        """Reads the rows of a plan. Raises NeedsFullLoad if they cannot be computed incrementally."""

    @abstractmethod
    def check_types(self, plan: P, delivered: StructType) -> None:
        """Raises RunError GS405 if a column of the rows has another type than the table's."""

    @abstractmethod
    def text_columns(self) -> Mapping[str, DataType]:
        """Types of the columns that the source adds to the table's, for entries that only have JSON."""

    @abstractmethod
    def reparsed(self, table: Table, rows: QuarantinedRows, names: Collection[str]) -> list[QuarantinedRows]:
        """Quarantined rows parsed with the current options. names: the columns of the table."""

    @abstractmethod
    def reshaped(
        self, table: Table, frame: DataFrame, rows: QuarantinedRows, types: Mapping[str, str]
    ) -> DataFrame:
        """Reparsed rows cast to the table's types, with violations in FILE_REASONS."""
