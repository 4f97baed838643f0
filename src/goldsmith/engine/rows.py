"""Creates small frames inside the JVM; `createDataFrame` would start Python workers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.project.sql.text import quoted


def frame_of(spark: SparkSession, rows: Sequence[Sequence[Any]], columns: Mapping[str, str]) -> DataFrame:
    """A frame of rows. columns: names and Spark types, in the order of the values."""
    documents = [dict(zip(columns, row, strict=True)) for row in rows]
    text = json.dumps(documents, default=_plain)
    fields = ", ".join(f"{quoted(name)}: {kind}" for name, kind in columns.items())
    parsed = F.from_json(F.lit(text), f"array<struct<{fields}>>", {"mode": "FAILFAST"})
    return spark.range(0, 1, 1, 1).select(F.inline(parsed))


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
