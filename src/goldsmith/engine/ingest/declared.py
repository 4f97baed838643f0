"""What a table that loads delivered files declares of them."""

from __future__ import annotations

from dataclasses import dataclass

from goldsmith.engine.ingest.parsing import Options, reader_options
from goldsmith.project.models import TableSpec
from goldsmith.project.sources import FilesSource


@dataclass(frozen=True)
class FilesTable:
    """A table's name, its source, and the rest of its declaration: columns, and what becomes of new and missing ones."""

    name: str
    source: FilesSource
    spec: TableSpec

    @property
    def options(self) -> Options:
        """The reader's options, by their names in lower case."""
        return reader_options(self.source.options)
