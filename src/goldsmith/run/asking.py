"""Questions to the tables: read-only SQL by full names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import SparkSession

from goldsmith.engine.failures import explained
from goldsmith.engine.log import NO_TABLE, TableLog
from goldsmith.errors import DeclarationError
from goldsmith.project.ops import OPS_TABLES
from goldsmith.project.sql_text import quoted, text_literal
from goldsmith.project.suggest import hint_for
from goldsmith.run.context import Run

OPS = tuple(f"ops.{table.name}" for table in OPS_TABLES)


@dataclass(frozen=True)
class Answer:
    """Rows of a query. more: there are rows beyond the limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


def ask(spark: SparkSession, run: Run, query: str, *, limit: int) -> Answer:
    """The first rows of a query. Times are UTC.

    Raises DeclarationError GS201 where it does not parse or is no query, GS202 where a table in it has never
    been loaded, GS203 for its columns; StorageError GS403 where it fails.
    """
    register(spark, run, query)
    try:
        plan = spark._jsparkSession.sessionState().sqlParser().parsePlan(query)
        if "Command" in str(plan.getClass().getName()) or str(plan.getClass().getSimpleName()).startswith(
            _CHANGES
        ):
            raise DeclarationError(
                "GS201", "Only queries are answered here.", hint="Tables are changed by their loads alone."
            )
        frame = spark.sql(query)
        rows = frame.limit(limit + 1).collect()
    except ParseException as error:
        raise DeclarationError("GS201", str(error).strip().splitlines()[0]) from None
    except AnalysisException as error:
        raise DeclarationError("GS203", str(error).strip().splitlines()[0]) from None
    except PySparkException as error:
        raise explained(error, table="query", path=run.warehouse) from error
    return Answer(tuple(frame.columns), tuple(tuple(row) for row in rows[:limit]), len(rows) > limit)


_CHANGES = (
    "Insert",
    "Delete",
    "Update",
    "Merge",
    "Create",
    "Replace",
    "Drop",
    "Alter",
    "Set",
    "Overwrite",
    "Append",
)


def register(spark: SparkSession, run: Run, query: str) -> None:
    """Makes the tables that a query names known to this session by their full names, where they lie.

    Raises DeclarationError GS202 for a declared table that has not been loaded.
    """
    from goldsmith.project.names import tables_in

    places = _places(run)
    for name in tables_in(query):
        if name not in places:
            layer = name.split(".")[0]
            if layer in ("bronze", "silver", "gold", "ops", "quarantine"):
                raise DeclarationError(
                    "GS202", f"There is no table `{name}`.", hint=hint_for(name, list(places))
                )
            continue
        if not make_known(spark, name, places[name]):
            if name.startswith("quarantine."):
                held = name.removeprefix("quarantine.").replace("_", ".", 1)
                raise DeclarationError("GS202", f"`{held}` has held no row back.")
            raise DeclarationError(
                "GS202", f"`{name}` has not been loaded yet.", hint=f"Load it: `goldsmith run {name}`."
            )


def register_all(spark: SparkSession, run: Run) -> tuple[str, ...]:
    """Makes every table that has been loaded known by its full name; returns the names."""
    return tuple(name for name, path in _places(run).items() if make_known(spark, name, path))


def make_known(spark: SparkSession, name: str, path: str) -> bool:
    """Makes a Delta table known to this session; False where there is none at its path yet."""
    if TableLog(spark, path).version() == NO_TABLE:
        return False
    schema, short = map(quoted, name.split(".", 1))
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {schema}.{short} USING delta LOCATION {text_literal(path)}")
    return True


def _places(run: Run) -> dict[str, str]:
    """Where each table lies that a project has by its declarations, quarantines and the platform's own included."""
    places = {name: run.path(name) for name in (*run.project.tables, *OPS)}
    return places | {
        f"quarantine.{name.replace('.', '_')}": run.quarantine_path(name) for name in run.project.tables
    }
