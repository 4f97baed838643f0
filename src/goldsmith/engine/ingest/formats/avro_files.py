"""Avro files, whose columns have the types of their schema; executors decode them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructField, StructType
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.avro import AvroError, avro_records, avro_schema
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
from goldsmith.engine.ingest.landing import unpacked, uris
from goldsmith.engine.ingest.lines import FILE, file_columns
from goldsmith.engine.ingest.parsing import MALFORMED
from goldsmith.engine.unreadable import UnreadableFileError
from goldsmith.errors import SourceError, Where

_AT_ONCE = 8


class AvroReader(FormatReader):
    """Reads Avro; no record is malformed."""

    @override
    def layouts(self, load: FilesLoad, files: Sequence[LoadedFile]) -> Layouts:
        return _layouts(load, files)

    @override
    def headers(self, landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts | None:
        return _layouts(landed, files)

    @override
    def rows(self, load: FilesLoad, layout: Layout, files: Sequence[LoadedFile]) -> DataFrame:
        path, modified, size = FILE
        given = [
            StructField(path, StringType()),
            StructField(modified, LongType()),
            StructField(size, LongType()),
        ]
        schema = StructType([*_schema(load, files[0]).fields, *given])
        contents = load.spark.read.format("binaryFile").load(uris(load.landing, files))
        stored = contents.select("content", *file_columns())
        decoded = stored.withColumn(modified, F.unix_micros(modified)).rdd.mapPartitions(_decoded)
        frame = load.spark.createDataFrame(decoded, schema, verifySchema=False)
        stamped = frame.withColumn(modified, F.timestamp_micros(modified))
        return stamped.withColumn(MALFORMED, F.lit(None).cast("string"))

    @override
    def record(self, text: str, declared: FilesTable, names: Sequence[str]) -> Column:
        raise TypeError("Avro has no malformed records")


def _layouts(landed: LandedFiles, files: Sequence[LoadedFile]) -> Layouts:
    found: Layouts = {}
    # On S3 each header is a request.
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="avro") as pool:
        schemas = list(pool.map(lambda file: _schema(landed, file), files))
    for file, schema in zip(files, schemas, strict=True):
        found.setdefault(layout_of(schema), []).append(file)
    return found


def _decoded(files: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """The records of files, with FILE."""
    for content, path, modified, size in files:
        try:
            with unpacked(path, io.BytesIO(content)) as stream:
                for record in avro_records(stream.read()):
                    yield (*record, path, modified, size)
        except AvroError as error:
            raise UnreadableFileError(path, str(error)) from error
        except (EOFError, OSError) as error:
            raise UnreadableFileError(path, f"A file is truncated or damaged: {error}") from error


def _schema(load: LandedFiles, file: LoadedFile) -> StructType:
    where = Where(file=file.path, table=load.declared.name)
    try:
        with load.landing.open(file.path) as stream:
            return avro_schema(stream)
    except FileNotFoundError:
        raise removed(where) from None
    except (AvroError, EOFError, OSError) as error:
        load.landing.unchanged([file], table=load.declared.name)
        message = str(error) if isinstance(error, AvroError) else f"A file cannot be read: {error}"
        raise SourceError("GS302", f"{message}.", where=where, retryable=True, hint=REDELIVER_HINT) from error
