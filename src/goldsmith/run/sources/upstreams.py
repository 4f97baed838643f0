"""The source of silver and gold tables: their upstream tables, in full or by their changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, StructType
from typing_extensions import override

from goldsmith.engine.delta.changes import read_table
from goldsmith.engine.delta.original_rows import AS_ENTERED
from goldsmith.engine.ingest.shape import shape
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.loads import load_of
from goldsmith.run.plan import Changes, Whole
from goldsmith.run.quarantined import QuarantinedRows
from goldsmith.run.query import computed
from goldsmith.run.slices import FILE_REASONS, Slice
from goldsmith.run.sources.base import RowSource


class Upstreams(RowSource[Whole | Changes]):
    """Evaluates a table's query over its upstreams."""

    @override
    def rows(self, spark: SparkSession, run: Run, plan: Whole | Changes) -> Slice:
        """Evaluates the query over the upstreams at their planned versions, or over their changes."""
        table = plan.table
        pinned = {
            name: read_table(spark, run.path(name), at.version)
            for name, at in plan.upstreams.items()
            if name in table.upstreams
        }
        if isinstance(plan, Whole):
            return Slice(computed(spark, table, pinned))
        return load_of(table).incremental_rows(spark, run, plan, pinned)

    @override
    def check_types(self, plan: Whole | Changes, delivered: StructType) -> None:
        """Does nothing: a changed type of a query's column leads to a full load."""

    @override
    def text_columns(self) -> Mapping[str, DataType]:
        """Empty: a query's rows only have the table's columns."""
        return {}

    @override
    def reparsed(self, table: Table, rows: QuarantinedRows, names: Collection[str]) -> list[QuarantinedRows]:
        """The rows unchanged: nothing is parsed."""
        return [rows]

    @override
    def reshaped(
        self,
        table: Table,
        frame: DataFrame,
        rows: QuarantinedRows,
        types: Mapping[str, str],
    ) -> DataFrame:
        """Casts rows as those of a query."""
        shaped = shape(frame, types)
        return shaped.frame.selectExpr("*", f"{shaped.reasons} AS {FILE_REASONS}").drop(AS_ENTERED)
