"""The interface of file formats: finding the columns of files, reading rows, and parsing malformed records again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.landing import Landing
from goldsmith.errors import SourceError, Where

REDELIVER_HINT = "Deliver the file again under the same name, or move it out of the landing folder."


def removed(where: Where) -> SourceError:
    """The error for a file that no longer exists."""
    return SourceError(
        "GS303",
        "A file was removed before it was read.",
        where=where,
        retryable=True,
        hint="Run again: nothing was committed.",
    )


@dataclass(frozen=True)
class Layout:
    """The columns of a file in order. types: theirs, in formats with types; empty for one that is not known.

    spellings: other spellings of a column's name in documents. unique: no document has two keys for one column.
    """

    names: tuple[str, ...]
    types: tuple[str, ...] = ()
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    unique: bool = False


def layout_of(schema: StructType) -> Layout:
    """The layout of a file whose columns have types."""
    return Layout(tuple(schema.fieldNames()), tuple(field.dataType.simpleString() for field in schema.fields))


Layouts = dict[Layout, list[LoadedFile]]
"""Files with the same columns in the same order, which are read together."""


@dataclass(frozen=True)
class LandedFiles:
    """The table and the landing area of delivered files."""

    declared: FilesTable
    landing: Landing


@dataclass(frozen=True)
class FilesLoad(LandedFiles):
    """The table, the landing area and the session of a load of files."""

    spark: SparkSession


class FormatReader(ABC):
    """Reads the files of one format."""

    @abstractmethod
    def layouts(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
        """Groups files by their columns, without empty files.

        Raises SourceError: GS302 for a file that cannot be read, GS303 for one that no longer exists, GS305 for an
        invalid header.
        """

    def headers(self, landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts | None:  # noqa: ARG002
        """The layouts as the files' headers show them, without Spark; None if the records must be read.

        Raises SourceError as `layouts` does.
        """
        return None

    @abstractmethod
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        """The rows of files with one layout, with FILE and MALFORMED. Formats without types give text."""

    @abstractmethod
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        """A struct of `names` and MALFORMED, parsed from a column with the text of one record."""
