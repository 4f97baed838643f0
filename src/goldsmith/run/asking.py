"""Questions to the tables: read-only SQL by full names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import (
    ArrayType,
    DataType,
    DateType,
    DayTimeIntervalType,
    MapType,
    StructType,
    TimestampNTZType,
    TimestampType,
    YearMonthIntervalType,
)

from goldsmith.engine.delta.catalog import made_known
from goldsmith.engine.delta.log import NO_TABLE, TableLog
from goldsmith.engine.failures import explained
from goldsmith.engine.queries import Query, answer_to, parsed
from goldsmith.errors import DeclarationError
from goldsmith.project.hints import hint_for
from goldsmith.project.names import LAYERS, tables_in
from goldsmith.project.ops import OPS_TABLES
from goldsmith.project.sql.text import quoted
from goldsmith.run.context import Run

OPS = tuple(f"ops.{table.name}" for table in OPS_TABLES)


@dataclass(frozen=True)
class Answer:
    """Rows of a query; dates, times and intervals in them are text. more: there are rows beyond the limit.

    moments: which columns are timestamps, from 0.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    moments: frozenset[int] = frozenset()

    def as_dicts(self) -> list[dict[str, Any]]:
        """The rows for machines: timestamps as ISO 8601 has them, and a number behind a name that is there already."""
        names: list[str] = []
        for at, name in enumerate(self.columns):
            names.append(name if name not in self.columns[:at] else f"{name}_{at + 1}")
        return [
            {
                name: value.replace(" ", "T", 1) if at in self.moments and value is not None else value
                for at, (name, value) in enumerate(zip(names, row, strict=True))
            }
            for row in self.rows
        ]


def ask(spark: SparkSession, run: Run, query: str, *, limit: int) -> Answer:
    """The first rows of a query. Times are UTC. Nothing but a query is executed.

    Raises DeclarationError GS201 if it does not parse or does more than read, GS202 if a table in it has
    never been loaded, GS203 for its columns; StorageError GS403 if it fails.
    """
    try:
        frame = answer_to(spark, register(spark, run, query))
        rows = _readable(frame).limit(limit + 1).collect()
    except ParseException as error:
        raise DeclarationError("GS201", _message(error)) from None
    except AnalysisException as error:
        raise _analysis_error(run, error) from None
    except PySparkException as error:
        raise explained(error, table="query", path=run.warehouse) from error
    moments = frozenset(
        at
        for at, field in enumerate(frame.schema.fields)
        if isinstance(field.dataType, TimestampType | TimestampNTZType)
    )
    return Answer(tuple(frame.columns), tuple(tuple(row) for row in rows[:limit]), len(rows) > limit, moments)


def _in_catalog(name: tuple[str, ...]) -> tuple[str, ...]:
    return name[1:] if name[0].lower() == "spark_catalog" else name


def _analysis_error(run: Run, error: AnalysisException) -> DeclarationError:
    if (error.getCondition() or "").startswith("TABLE_OR_VIEW_NOT_FOUND"):
        name = (error.getMessageParameters() or {}).get("relationName", "").replace("`", "")
        hint = hint_for(name, list(_places(run))) if "." in name else "Write its full name: `layer.table`."
        return DeclarationError("GS202", f"There is no table `{name}`.", hint=hint)
    return DeclarationError("GS203", _message(error))


def _message(error: PySparkException) -> str:
    """What Spark says is wrong and where in the query, without the name and the number of the condition."""
    line = re.sub(r"^\[[A-Z0-9_.]+\] ", "", str(error).strip().splitlines()[0])
    place = re.search(r"line (\d+),? pos (\d+)", line)
    said = re.sub(r"\s*SQLSTATE: \w+.*$", "", line)
    return f"{said} (line {place[1]}, column {int(place[2]) + 1})" if place else said


def _readable(frame: DataFrame) -> DataFrame:
    """Rows with dates, times and intervals as Spark's own text: Python knows no year beyond 9999."""
    kinds = [field.dataType for field in frame.schema.fields]
    if not any(map(_has_time, kinds)):
        return frame
    names = [f"_{at}" for at in range(len(kinds))]
    shown = [
        f"CAST({name} AS string) AS {name}" if _has_time(kind) else name
        for name, kind in zip(names, kinds, strict=True)
    ]
    return frame.toDF(*names).selectExpr(*shown).toDF(*frame.columns)


def _has_time(kind: DataType) -> bool:
    match kind:
        case ArrayType():
            return _has_time(kind.elementType)
        case MapType():
            return _has_time(kind.keyType) or _has_time(kind.valueType)
        case StructType():
            return any(_has_time(field.dataType) for field in kind.fields)
        case _:
            return isinstance(kind, _TIMES)


_TIMES = (DateType, TimestampType, TimestampNTZType, DayTimeIntervalType, YearMonthIntervalType)


def register(spark: SparkSession, run: Run, query: str) -> Query:
    """Makes the tables that a query names known to this session by their full names, where they are stored.

    Raises DeclarationError GS201 for what is no query, GS202 for a table that is not declared or has not been
    loaded; ParseException.
    """
    found = parsed(spark, query)
    places = _places(run)
    read = {".".join(_in_catalog(name)).lower() for name in found.tables}
    # Those that only a text names, as for IDENTIFIER and table_changes, may be something else and need not exist.
    for name in dict.fromkeys((*sorted(read), *tables_in(query))):
        known = name in places and make_known(spark, name, places[name])
        layer, _, own = name.partition(".")
        if known or name not in read or not own or layer not in LAYERS:
            continue
        if name not in places:
            raise DeclarationError("GS202", f"There is no table `{name}`.", hint=hint_for(name, list(places)))
        if name.startswith("quarantine."):
            raise DeclarationError("GS202", f"`{name}` is not there: no row was ever quarantined.")
        raise DeclarationError(
            "GS202", f"`{name}` has not been loaded yet.", hint=f"Load it: `goldsmith run {name}`."
        )
    return found


def register_all(spark: SparkSession, run: Run) -> tuple[str, ...]:
    """Makes every table that has been loaded known by its full name; returns the names."""
    return tuple(name for name, path in _places(run).items() if make_known(spark, name, path))


def make_known(spark: SparkSession, name: str, path: str) -> bool:
    """Makes a Delta table known to this session; False if there is none at its path yet."""
    if TableLog(spark, path).version() == NO_TABLE:
        return False
    schema, _, table = name.partition(".")
    full = f"{quoted(schema)}.{quoted(table)}"
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    if _is_of_session(spark) and _location(spark, full) not in (None, path):
        # The session has shown another project's table of this name.
        spark.sql(f"DROP TABLE {full}")
    spark.sql(made_known(name, path))
    return True


def _is_of_session(spark: SparkSession) -> bool:
    """Whether the catalog lasts as long as the session: a metastore's tables are not replaced to answer a query."""
    return spark.conf.get("spark.sql.catalogImplementation") == "in-memory"


def _location(spark: SparkSession, full: str) -> str | None:
    """The folder of a table in the catalog; None if the catalog has no such table."""
    if not spark.catalog.tableExists(full):
        return None
    rows = spark.sql(f"DESCRIBE TABLE EXTENDED {full}").where("col_name = 'Location'").collect()
    return re.sub("^file:/+", "/", rows[0].data_type) if rows else None


def _places(run: Run) -> dict[str, str]:
    """Where each table lies that a project has by its declarations, quarantines and the platform's own included."""
    places = {name: run.path(name) for name in (*run.project.tables, *OPS)}
    return places | {
        f"quarantine.{name.replace('.', '_')}": run.quarantine_path(name) for name in run.project.tables
    }
