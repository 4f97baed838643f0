"""Runs read-only SQL over the tables by their full names."""

from __future__ import annotations

import re

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

from goldsmith.engine.delta.catalog import create_table_sql
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.engine.failures import explained
from goldsmith.engine.queries import ReadOnlyQuery, parsed, result_of
from goldsmith.errors import DeclarationError
from goldsmith.project.hints import hint_for
from goldsmith.project.names import LAYERS, tables_in
from goldsmith.project.sql.text import quoted
from goldsmith.run.context import Run
from goldsmith.run.readable import QueryResult, paths_of, unreadable


def run_query(spark: SparkSession, run: Run, query: str, *, limit: int) -> QueryResult:
    """Runs a query and returns its first rows. Times are UTC. Only queries are executed.

    Raises DeclarationError GS201 if it does not parse or does not only read, GS202 if one of its tables has
    never been loaded, GS203 for unknown columns; StorageError GS403 if it fails.
    """
    try:
        frame = result_of(spark, register_tables(spark, run, query))
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
    return QueryResult(
        tuple(frame.columns), tuple(tuple(row) for row in rows[:limit]), len(rows) > limit, moments
    )


def _in_catalog(name: tuple[str, ...]) -> tuple[str, ...]:
    return name[1:] if name[0].lower() == "spark_catalog" else name


def _analysis_error(run: Run, error: AnalysisException) -> DeclarationError:
    if (error.getCondition() or "").startswith("TABLE_OR_VIEW_NOT_FOUND"):
        name = (error.getMessageParameters() or {}).get("relationName", "").replace("`", "")
        hint = hint_for(name, list(paths_of(run))) if "." in name else "Write the full name: `layer.table`."
        return DeclarationError("GS202", f"There is no table `{name}`.", hint=hint)
    return DeclarationError("GS203", _message(error))


def _message(error: PySparkException) -> str:
    """Spark's message with the position in the query, without the name and number of the condition."""
    line = re.sub(r"^\[[A-Z0-9_.]+\] ", "", str(error).strip().splitlines()[0])
    place = re.search(r"line (\d+),? pos (\d+)", line)
    message = re.sub(r"\s*SQLSTATE: \w+.*$", "", line)
    return f"{message} (line {place[1]}, column {int(place[2]) + 1})" if place else message


def _readable(frame: DataFrame) -> DataFrame:
    """Rows with dates, times and intervals as Spark's text: Python has no years after 9999."""
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


def register_tables(spark: SparkSession, run: Run, query: str) -> ReadOnlyQuery:
    """Registers the tables of a query in this session by their full names.

    Raises DeclarationError GS201 for statements other than queries, GS202 for a table that is not declared or has
    not been loaded; ParseException.
    """
    found = parsed(spark, query)
    paths = paths_of(run)
    read = {".".join(_in_catalog(name)).lower() for name in found.tables}
    # Names within strings, as for IDENTIFIER and table_changes, may not be tables and need not exist.
    for name in dict.fromkeys((*sorted(read), *tables_in(query))):
        known = name in paths and register_table(spark, name, paths[name])
        layer, _, own = name.partition(".")
        if known or name not in read or not own or layer not in LAYERS:
            continue
        raise unreadable(name, paths)
    return found


def register_all_tables(spark: SparkSession, run: Run) -> tuple[str, ...]:
    """Registers every table that has been loaded by its full name; returns the names."""
    return tuple(name for name, path in paths_of(run).items() if register_table(spark, name, path))


def register_table(spark: SparkSession, name: str, path: str) -> bool:
    """Registers a Delta table in this session; False if there is none at its path."""
    if TableLog(path).version() == NO_TABLE:
        return False
    schema, _, table = name.partition(".")
    full = f"{quoted(schema)}.{quoted(table)}"
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    if _is_of_session(spark) and _location(spark, full) not in (None, path):
        # The session has another project's table of this name.
        spark.sql(f"DROP TABLE {full}")
    spark.sql(create_table_sql(name, path))
    return True


def _is_of_session(spark: SparkSession) -> bool:
    """Whether the catalog belongs to the session; tables of a metastore are not replaced for a query."""
    return spark.conf.get("spark.sql.catalogImplementation") == "in-memory"


def _location(spark: SparkSession, full: str) -> str | None:
    """The folder of a table in the catalog; None if the catalog has no such table."""
    if not spark.catalog.tableExists(full):
        return None
    rows = spark.sql(f"DESCRIBE TABLE EXTENDED {full}").where("col_name = 'Location'").collect()
    return re.sub("^file:/+", "/", rows[0].data_type) if rows else None
