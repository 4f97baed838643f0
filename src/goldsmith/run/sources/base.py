"""What every source does for a load: it plans, gives rows, and takes quarantined rows back in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, StructType

from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import LogOf, TableHandle
from goldsmith.run.plan import LoadPlan, Plan
from goldsmith.run.quarantined import Rows
from goldsmith.run.slices import Slice


class RowSource(ABC):
    """Where rows come from: files for bronze tables, upstream tables for the others."""

    hidden: ClassVar[tuple[str, ...]] = ()
    """Columns that its rows have beside the table's: what judging and the quarantine need."""

    @abstractmethod
    def plan(
        self, spark: SparkSession, run: Run, handle: TableHandle, *, force_full: str | None, log_of: LogOf
    ) -> Plan:
        """What a load has to do. force_full: why everything is read. Raises SourceError, StorageError and RunError."""

    @abstractmethod
    def rows(self, spark: SparkSession, run: Run, plan: LoadPlan) -> Slice:
        """The rows of a plan. Raises TooMuchTouched if only a load of everything is right."""

    @abstractmethod
    def check_types(self, plan: LoadPlan, delivered: StructType) -> None:
        """Raises RunError GS405 if rows bring a column with another type than the table has."""

    @abstractmethod
    def text_columns(self) -> Mapping[str, DataType]:
        """The types of the columns that its rows have beside the table's own, for entries kept as text alone."""

    @abstractmethod
    def parsed_again(self, table: Table, rows: Rows, names: Collection[str]) -> list[Rows]:
        """Quarantined rows as a load would read them today. names: the columns that the table takes."""

    @abstractmethod
    def shaped_again(self, table: Table, frame: DataFrame, rows: Rows, types: Mapping[str, str]) -> DataFrame:
        """Those rows in the table's types, with their violations in FILE_REASONS."""

    @abstractmethod
    def retyped_hint(self, table: Table) -> str:
        """What to do where a declared column has another type than the table's."""

    @abstractmethod
    def is_empty(self, run: Run, table: Table) -> bool:
        """True if it needs no look into a table to know that there are no rows to load."""
