"""The source of bronze tables: loads each delivered file once."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import ClassVar

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType, StructType
from typing_extensions import override

from goldsmith.engine.delta.original_rows import AS_ENTERED
from goldsmith.engine.ingest.files import HEADER, Delivered, Stamp, read_files, reasons
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats import reader_of
from goldsmith.engine.ingest.parsing import MALFORMED
from goldsmith.engine.ingest.shape import Shaped, shape
from goldsmith.errors import RunError
from goldsmith.project.checks.columns import IRREPLACEABLE, KEEP_REPLACED, irreplaceable
from goldsmith.project.sources import ReadsFiles
from goldsmith.project.sql.literals import literal
from goldsmith.project.sql.text import quoted
from goldsmith.project.system_columns import SOURCE_FILE, SYSTEM_COLUMNS
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.plan import NewFiles
from goldsmith.run.quarantined import BY, ENTRY, SINCE, WHY, QuarantinedRows
from goldsmith.run.slices import FILE_REASONS, Slice, TouchedValues, column_types, types_of
from goldsmith.run.sources.base import RowSource
from goldsmith.run.sources.type_changes import check_types, kept_types

_REPARSED = "_gs_again"


class Files(RowSource[NewFiles]):
    """Reads delivered files."""

    hidden: ClassVar[tuple[str, ...]] = (MALFORMED, HEADER)

    @override
    def rows(self, spark: SparkSession, run: Run, plan: NewFiles) -> Slice:
        """The rows of the files, with their system columns."""
        table = plan.table
        stamp = Stamp(run.run_id, run.started)
        delivered = read_files(spark, declared_files(table), run.landing, plan.files, stamp)
        touched = None
        if plan.replaces_files:
            for name in irreplaceable({*plan.log.types(), *delivered.frame.columns}):
                raise RunError(
                    "GS110", IRREPLACEABLE.format(name), where=table.where("source"), hint=KEEP_REPLACED
                )
            # Every row of the load is of one of these files.
            touched = TouchedValues((SOURCE_FILE,), tuple((literal(file.path),) for file in plan.files))
        shaped = _shaped(
            table, delivered, types_of(table) | kept_types(plan, column_types(delivered.frame.schema))
        )
        return Slice(shaped, (*self.hidden, FILE_REASONS), touched=touched)

    @override
    def check_types(self, plan: NewFiles, delivered: StructType) -> None:
        """Compares undeclared columns, which have the files' types; declared ones are cast."""
        check_types(plan, column_types(delivered))

    @override
    def text_columns(self) -> Mapping[str, DataType]:
        """The text of a malformed record and its header, and the system columns."""
        system = {name: DataType.fromDDL(kind) for name, kind in SYSTEM_COLUMNS.items()}
        return {MALFORMED: StringType(), HEADER: StringType(), **system}

    @override
    def reparsed(self, table: Table, rows: QuarantinedRows, names: Collection[str]) -> list[QuarantinedRows]:
        """Parses malformed records again, with the current options and their file's columns."""
        if MALFORMED not in rows.columns:
            return [rows]
        malformed = rows.frame.where(F.col(MALFORMED).isNotNull())
        parts = [replace(rows, frame=rows.frame.where(F.col(MALFORMED).isNull()))]
        declared = declared_files(table)
        folded = {name.lower() for name in names}
        for (header,) in malformed.select(HEADER).distinct().collect():
            found = next(csv.reader([header])) if header else []
            record = reader_of(declared).record(MALFORMED, declared, found)
            kept = [name for name in (*SYSTEM_COLUMNS, HEADER) if name in rows.columns]
            again = malformed.where(F.col(HEADER).eqNullSafe(header)).withColumn(_REPARSED, record)
            columns = (*(name for name in found if name.lower() in folded), MALFORMED)
            values = [F.col(f"{_REPARSED}.{quoted(name)}").alias(name) for name in columns]
            frame = again.select(*values, *kept, ENTRY, WHY, SINCE, BY)
            parts.append(QuarantinedRows(frame, (*columns, *kept)))
        return parts

    @override
    def reshaped(
        self,
        table: Table,
        frame: DataFrame,
        rows: QuarantinedRows,
        types: Mapping[str, str],
    ) -> DataFrame:
        """Casts rows as delivered rows."""
        texts = tuple(name for name in rows.columns if name not in (*self.hidden, *SYSTEM_COLUMNS))
        return _shaped(table, Delivered(frame, texts), types).frame.drop(AS_ENTERED)


def declared_files(table: Table) -> FilesTable:
    """The declaration of a table that loads files."""
    assert isinstance(table.spec.source, ReadsFiles)
    return FilesTable(table.name, table.spec.source, table.spec)


def _shaped(table: Table, delivered: Delivered, types: Mapping[str, str]) -> Shaped:
    """Delivered rows cast to the table's types, with violations in FILE_REASONS."""
    texts = {name: column.text for name, column in table.spec.columns.items() if column.text}
    shaped = shape(delivered.frame, types, texts)
    every = f"concat({reasons(delivered)}, {shaped.reasons}) AS {FILE_REASONS}"
    return Shaped(shaped.frame.selectExpr("*", every), FILE_REASONS)
