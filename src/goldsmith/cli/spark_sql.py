"""Queries by Spark in this process, which starts with the first one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from goldsmith.cli.opening import open_spark
from goldsmith.project.pipelines import Project
from goldsmith.run.context import Run
from goldsmith.run.readable import QueryResult

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkSql:
    """Asks one Spark session."""

    def __init__(self, project: Project, run: Run, *, quiet: bool) -> None:
        self._project, self._run, self._quiet = project, run, quiet
        self._stack = ExitStack()
        self._spark: SparkSession | None = None

    @property
    def engine(self) -> str:
        return "Spark in this process"

    def close(self) -> None:
        """Stops Spark if it was started."""
        self._spark = None
        self._stack.close()

    def answer(self, query: str, limit: int) -> QueryResult:
        """The first rows of a query. Raises the errors of `run_query`."""
        from goldsmith.run.sql_query import run_query

        if self._spark is None:
            self._spark = self._stack.enter_context(open_spark(self._project, quiet=self._quiet))
        return run_query(self._spark, self._run, query, limit=limit)
