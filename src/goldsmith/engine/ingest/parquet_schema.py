"""The columns of Parquet files and their types in Spark, from the end of a file and without Spark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from goldsmith.engine.delta.spark_types import types_in

_SPARK = b"org.apache.spark.sql.parquet.row.metadata"
"""The key of the schema that Spark writes beside Parquet's."""

_PHYSICAL = {
    "BOOLEAN": "boolean",
    "INT32": "int",
    "INT64": "bigint",
    "INT96": "timestamp",
    "FLOAT": "float",
    "DOUBLE": "double",
    "BYTE_ARRAY": "binary",
    "FIXED_LEN_BYTE_ARRAY": "binary",
}
_LOGICAL = {"STRING": "string", "JSON": "string", "ENUM": "string", "DATE": "date"}
_INTEGERS = {
    (8, True): "tinyint",
    (16, True): "smallint",
    (32, True): "int",
    (64, True): "bigint",
    (8, False): "smallint",
    (16, False): "int",
    (32, False): "bigint",
    (64, False): "decimal(20,0)",
}
"""By number of bits and sign."""

FOOTER = 1 << 16
"""The number of bytes at the end of a file that usually has its schema."""


class FooterTooLong(Exception):  # noqa: N818 - asks for more bytes
    """The end of a file has a part of its schema only. needed: the number of bytes to read."""

    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


def parquet_types(end: bytes) -> Mapping[str, str]:
    """The columns of a file with the types that Spark reads; an empty text for nested ones and unknown types.

    end: the last bytes of the file, FOOTER if it has as many. Raises FooterTooLong, and ValueError for a file that is
    not Parquet or is truncated.
    """
    needed = int.from_bytes(end[-8:-4], "little") + 8
    if end[-4:] == b"PAR1" and needed > len(end) >= FOOTER:
        raise FooterTooLong(needed)
    file = pq.ParquetFile(pa.BufferReader(end))
    metadata = file.metadata.metadata or {}
    if _SPARK in metadata:
        return types_in(metadata[_SPARK].decode())
    found = dict.fromkeys(file.schema_arrow.names, "")
    for at in range(len(file.schema)):
        column = file.schema.column(at)
        # Also a name with points is the path of a column that is not nested.
        if column.path in found and column.max_repetition_level == 0 and column.max_definition_level <= 1:
            found[column.path] = _type(column) or ""
    return found


def _type(column: Any) -> str | None:
    """Spark's conversion: org.apache.spark.sql.execution.datasources.parquet.ParquetToSparkSchemaConverter."""
    kind = column.logical_type.type
    if kind == "NONE":
        return _PHYSICAL.get(column.physical_type)
    details = json.loads(column.logical_type.to_json())
    match kind:
        case "DECIMAL":
            return f"decimal({column.precision},{column.scale})"
        case "INT":
            return _INTEGERS.get((details["bitWidth"], details["isSigned"]))
        case "TIMESTAMP" if details["timeUnit"] != "nanoseconds":
            return "timestamp" if details["isAdjustedToUTC"] else "timestamp_ntz"
        case _:
            return _LOGICAL.get(kind)
