"""Parquet files for tests."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(**columns: Any) -> bytes:
    """The bytes of a file with these columns."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def ints(*values: int) -> Any:
    """A column of four bytes: pyarrow's default is eight."""
    return pa.array(values, pa.int32())
