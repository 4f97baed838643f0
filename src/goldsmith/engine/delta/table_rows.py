"""Queries over one table that two engines answer alike: delta-rs without a JVM, or Spark in a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from goldsmith.engine.delta.delta_rs import TABLE, query

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows_of(spark: SparkSession | None, path: str, sql: str) -> list[dict[str, Any]]:
    """The rows of a query over a table. Timestamps are UTC.

    sql: names the table `{t}`, and reserved words among its columns as `t.table`. Only what Spark SQL and DataFusion
    understand alike: comparisons, AND, OR, GROUP BY, count, min, max, row_number.
    Raises NeedsSpark without a session if delta-rs cannot read the table.
    """
    if spark is None:
        return query(path, sql.format(t=TABLE))
    frame = spark.sql(sql.format(t="{t} AS t"), t=spark.read.format("delta").load(path))
    times = [field.name for field in frame.schema.fields if field.dataType.typeName() == "timestamp"]
    rows = [
        row.asDict()
        for row in frame.withColumns(
            {name: _micros(name) for name in times},
        ).collect()
    ]
    for row in rows:
        row |= {name: _time(row[name]) for name in times}
    return rows


def plain_text(value: str) -> str:
    """A text literal of both engines. Raises ValueError for text that they would escape differently."""
    if "'" in value or "\\" in value:
        raise ValueError(value)
    return f"'{value}'"


def _micros(name: str) -> Any:
    from pyspark.sql import functions as F

    return F.unix_micros(name)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
