"""The first rows of a table: by delta-rs where it gives what Spark would, else by Spark."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from goldsmith.engine.delta.delta_rs import TABLE, NeedsSpark, query
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.project.sql.text import quoted
from goldsmith.project.types import is_temporal
from goldsmith.run.context import Run
from goldsmith.run.readable import QueryResult, paths_of, unreadable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SIMPLE = re.compile(
    r"(?:tiny|small|big)?int|float|double|decimal\(.*\)|string|boolean|date|timestamp(?:_ntz)?"
)
"""Types whose values Python represents as both engines print them."""

_MAPPING = "delta.columnMapping.mode"


def first_rows(spark: SparkSession | None, run: Run, name: str, limit: int) -> QueryResult:
    """The first rows of a table by its full name.

    Raises DeclarationError GS202 for a table that is not declared or has not been loaded; NeedsSpark without a session.
    """
    if spark is not None:
        from goldsmith.run.sql_query import run_query

        layer, _, own = name.partition(".")
        return run_query(spark, run, f"SELECT * FROM {quoted(layer)}.{quoted(own)}", limit=limit)
    paths = paths_of(run)
    log = TableLog(paths[name]) if name in paths else None
    if log is None or log.version() == NO_TABLE:
        raise unreadable(name, paths)
    types = log.types()
    other = next((column for column, kind in types.items() if not _is_simple(kind)), None)
    if other is not None:
        raise NeedsSpark(f"the column {other} of {name} has the type {types[other]}")
    if log.table_property(_MAPPING) not in (None, "none"):
        raise NeedsSpark(f"the columns of {name} have other names in its files")
    rows = query(log.path, f"SELECT * FROM {TABLE} LIMIT {limit + 1}")
    return QueryResult(
        tuple(types),
        tuple(tuple(_shown(row[column]) for column in types) for row in rows[:limit]),
        len(rows) > limit,
        frozenset(at for at, kind in enumerate(types.values()) if kind.startswith("timestamp")),
    )


def _is_simple(kind: str) -> bool:
    if kind.startswith("array<"):
        return _is_simple(kind[len("array<") : -1]) and not is_temporal(kind[len("array<") : -1])
    return _SIMPLE.fullmatch(kind) is not None


def _shown(value: Any) -> Any:
    """Dates and times as Spark's text."""
    match value:
        case datetime():
            text = value.replace(tzinfo=None).isoformat(" ")
            return text.rstrip("0") if "." in text else text
        case date():
            return value.isoformat()
        case _:
            return value
