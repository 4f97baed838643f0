"""Evaluates a table's SQL or Python over frames of its upstreams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pyspark import cloudpickle
from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.ingest.shape import Shaped, shape
from goldsmith.errors import GoldsmithError, RunError, Where
from goldsmith.project.tables import PythonCode, Table
from goldsmith.run.slices import types_of
from goldsmith.run.user_code import execute, is_network_error, one_line, raised_at


def computed(
    spark: SparkSession, table: Table, frames: Mapping[str, DataFrame], driver: str | None = None
) -> Shaped:
    """Evaluates the table's query over the given frames, and casts the result to the declared types.

    driver: restricts the result to rows from this upstream; arms of a UNION ALL that do not read it are empty. Raises
    RunError GS206 if the table's Python code fails.
    """
    if table.query is not None:
        with views(spark, frames) as names:
            empty = {name: f"(SELECT * FROM {view} WHERE false)" for name, view in names.items()}
            rows = spark.sql(table.query.rendered(names, driver=driver, empty=empty))
        return shape(rows, types_of(table))
    if table.code is not None:
        return shape(_transformed(spark, table, table.code, frames), types_of(table))
    raise TypeError(f"{table.name} is not computed from other tables")


@contextmanager
def views(spark: SparkSession, frames: Mapping[str, DataFrame]) -> Iterator[dict[str, str]]:
    """Temporary views of frames, which the body's queries are analysed with; table name -> view name.

    Delta caches the state of a table with a clone of the session, which has its views, and these have the states of other
    tables: with a view that is kept, no former state could ever be freed.
    """
    names = {table: "gs_" + table.replace(".", "_") for table in frames}
    try:
        for table, frame in frames.items():
            frame.createOrReplaceTempView(names[table])
        yield names
    finally:
        # `spark.catalog.dropTempView` would also unpersist the frames.
        catalog: Any = spark._jsparkSession.sessionState().catalog()
        for name in names.values():
            catalog.dropTempView(name)


def _transformed(
    spark: SparkSession, table: Table, code: PythonCode, frames: Mapping[str, DataFrame]
) -> DataFrame:
    try:
        module = execute(f"goldsmith_table_{table.name.replace('.', '_')}", code.file)
        # Executors cannot import the module, so functions for them carry their code.
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
        result = module.transform(spark, dict(frames))
    except GoldsmithError:
        raise
    except (Exception, SystemExit) as error:
        raise RunError(
            "GS206",
            f"The table's code failed: {one_line(error)}",
            where=raised_at(error, code.file, table.name),
            retryable=is_network_error(error),
            hint="Correct it and run again: nothing was written.",
        ) from error
    if not isinstance(result, DataFrame):
        message = f"`transform` returned {type(result).__name__}, not a DataFrame."
        raise RunError("GS206", message, where=Where(file=code.file, table=table.name))
    return result
