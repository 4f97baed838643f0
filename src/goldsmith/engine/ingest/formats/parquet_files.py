"""Parquet files, whose columns have types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import (
    REDELIVER_HINT,
    FilesLoad,
    FormatReader,
    LandedFiles,
    Layout,
    Layouts,
    layout_of,
    removed,
)
from goldsmith.engine.ingest.landing import Landing, uri, uris
from goldsmith.engine.ingest.lines import file_columns
from goldsmith.engine.ingest.parquet_schema import FOOTER, FooterTooLong, parquet_types
from goldsmith.engine.ingest.parsing import MALFORMED
from goldsmith.errors import SourceError, Where

_AT_ONCE = 8


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
    def headers(self, landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts | None:
        found: Layouts = {}
        # On S3 each end is a request.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="parquet") as pool:
            for file, types in zip(files, pool.map(lambda file: _types(landed, file), files), strict=True):
                found.setdefault(Layout(tuple(types), tuple(types.values())), []).append(file)
        return found

    @override
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        frame = load.spark.read.parquet(*uris(load.landing, files)).select("*", *file_columns())
        return frame.withColumn(MALFORMED, F.lit(None).cast("string"))

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        raise TypeError("Parquet has no malformed records")


def _types(landed: LandedFiles, file: LoadedFile) -> Mapping[str, str]:
    where = Where(file=file.path, table=landed.declared.name)
    if not file.size:
        raise _not_parquet(where)
    try:
        try:
            return parquet_types(landed.landing.end(file.path, FOOTER))
        except FooterTooLong as footer:
            return parquet_types(landed.landing.end(file.path, footer.needed))
    except FileNotFoundError:
        raise removed(where) from None
    except (ValueError, OSError) as error:
        raise _not_parquet(where) from error


def _parquet_layout(spark: SparkSession, table: str, landing: Landing, file: LoadedFile) -> Layout:
    try:
        schema = spark.read.parquet(uri(landing, file.path)).schema
    except Exception as error:
        landing.unchanged([file], table=table)
        raise _not_parquet(Where(file=file.path, table=table)) from error
    return layout_of(schema)


def _not_parquet(where: Where) -> SourceError:
    return SourceError(
        "GS302",
        "A file is not Parquet, or it is truncated.",
        where=where,
        retryable=True,
        hint=REDELIVER_HINT,
    )
