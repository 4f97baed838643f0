"""Queries by Spark in this process, which starts with the first one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TYPE_CHECKING

from goldsmith.cli.opening import open_spark
from goldsmith.project.pipelines import Project
from goldsmith.run.context import Run
from goldsmith.run.readable import QueryResult

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_AGAIN = 1.0
"""The seconds after which a cancelled query is cancelled again: it may have started another job."""


class SparkSql:
    """Asks one Spark session."""

    def __init__(self, project: Project, run: Run, *, quiet: bool) -> None:
        self._project, self._run, self._quiet = project, run, quiet
        self._stack = ExitStack()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sql")
        self._spark: SparkSession | None = None

    @property
    def engine(self) -> str:
        return "Spark in this process"

    def close(self) -> None:
        """Stops Spark if it was started."""
        self._thread.shutdown()
        self._spark = None
        self._stack.close()

    def answer(self, query: str, limit: int) -> QueryResult:
        """The first rows of a query. Raises the errors of `run_query`; after Ctrl-C the query is cancelled."""
        from goldsmith.run.sql_query import run_query

        if self._spark is None:
            self._spark = self._stack.enter_context(open_spark(self._project, quiet=self._quiet))
        spark = self._spark
        # PySpark's handler of Ctrl-C calls Java from this thread, whose connection must not wait for an answer.
        running = self._thread.submit(run_query, spark, self._run, query, limit=limit)
        try:
            return running.result()
        except KeyboardInterrupt:
            while not running.done():
                spark.sparkContext.cancelAllJobs()
                wait([running], _AGAIN)
            raise
