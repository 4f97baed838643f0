"""Parquet files, whose columns have types."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import REDELIVER_HINT, FilesLoad, FormatReader, Layout, Layouts
from goldsmith.engine.ingest.landing import Landing, uri, uris
from goldsmith.engine.ingest.lines import file_columns
from goldsmith.engine.ingest.parsing import MALFORMED
from goldsmith.errors import SourceError, Where


class ParquetReader(FormatReader):
    """Reads Parquet; no record is malformed."""

    @override
    def layouts(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
        found: Layouts = {}
        for file in files:
            found.setdefault(_parquet_layout(load.spark, load.declared.name, load.landing, file), []).append(
                file
            )
        return found

    @override
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        frame = load.spark.read.parquet(*uris(load.landing, files)).select("*", *file_columns())
        return frame.withColumn(MALFORMED, F.lit(None).cast("string"))

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        raise TypeError("Parquet has no malformed records")


def _parquet_layout(spark: SparkSession, table: str, landing: Landing, file: LoadedFile) -> Layout:
    try:
        schema = spark.read.parquet(uri(landing, file.path)).schema
        return Layout(tuple(schema.fieldNames()), schema.simpleString())
    except Exception as error:
        landing.unchanged([file], table=table)
        raise SourceError(
            "GS302",
            "A file is not Parquet, or it is truncated.",
            where=Where(file=file.path, table=table),
            retryable=True,
            hint=REDELIVER_HINT,
        ) from error
