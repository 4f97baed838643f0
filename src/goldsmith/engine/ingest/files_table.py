"""The declaration of a table that loads delivered files."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql.types import DataType, StringType

from goldsmith.engine.ingest.parsing import Options, reader_options
from goldsmith.project.models import TableSpec
from goldsmith.project.sources import ReadsFiles


@dataclass(frozen=True)
class FilesTable:
    """A table that loads delivered files: its name, source and declaration."""

    name: str
    source: ReadsFiles
    spec: TableSpec

    @property
    def options(self) -> Options:
        """The reader's options, by their names in lower case."""
        return reader_options(self.source.options)

    def type_of(self, name: str) -> DataType:
        """The declared type of a column; text if none is declared."""
        column = self.spec.columns.get(name)
        return DataType.fromDDL(column.type) if column is not None and column.type else StringType()
