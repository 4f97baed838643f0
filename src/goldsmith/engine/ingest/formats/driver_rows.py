"""Rows of files that the driver reads itself, as a frame."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.formats.base import FilesLoad
from goldsmith.engine.ingest.lines import FILE
from goldsmith.engine.rows import frame_of

DriverRow = tuple[str | int | None, ...]


def stamped(load: FilesLoad, file: LoadedFile, values: Sequence[str | None]) -> DriverRow:
    """The values of a row, and the file that it is from."""
    return (*values, f"file:{quote(f'{load.landing.stem}/{file.path}')}", file.modified, file.size)


def driver_frame(load: FilesLoad, names: Sequence[str], rows: Sequence[DriverRow]) -> DataFrame:
    """Stamped rows as text columns, with FILE."""
    path, modified, size = FILE
    types = dict.fromkeys((*names, path), "string") | {modified: "bigint", size: "bigint"}
    frame = frame_of(load.spark, rows, types)
    return frame.withColumn(modified, F.timestamp_millis(modified))
