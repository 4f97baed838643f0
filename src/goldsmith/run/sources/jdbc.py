"""The source of tables that read a database: new, changed and deleted rows since the last load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from typing_extensions import override

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest import database as db
from goldsmith.engine.ingest.landing import uri
from goldsmith.engine.row_values import named
from goldsmith.errors import GoldsmithError
from goldsmith.project.profiles import resolved_connection
from goldsmith.project.sources import DELETED, JdbcSource
from goldsmith.project.sql.text import quoted
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.plan import Pull
from goldsmith.run.planners.files import loaded_files
from goldsmith.run.sources.pulling import Answer, PullingSource

_CURSOR = "cursor"


class Jdbc(PullingSource):
    """Reads a database, and stages the rows that earlier loads do not have as Parquet files.

    Without a cursor the whole table is read. Rows are compared with those of earlier loads, so that a row that is read
    again is not loaded again.
    """

    @override
    def ask(self, spark: SparkSession, run: Run, plan: Pull, state: Any, folder: str) -> Answer:
        source = _declared(plan.table)
        profile = run.project.profile(run.profile)
        connection = resolved_connection(profile, source.jdbc, run.project.root)
        database = db.Database(connection, source, plan.table.name)
        try:
            return self._ask(spark, run, plan, state, folder, database)
        except GoldsmithError:
            raise
        except Exception as error:
            known = db.failure(database, error)
            if known is None:
                raise
            raise known from error

    def _ask(
        self,
        spark: SparkSession,
        run: Run,
        plan: Pull,
        state: Any,
        folder: str,
        database: db.Database,
    ) -> Answer:
        source = database.source
        everything = db.open_rows(spark, database)
        known = {name.lower(): name for name in everything.columns}
        key = [known[name.lower()] for name in source.key]
        last = state[_CURSOR] if state else None
        rows, earlier = everything, self._earlier(spark, run, plan, database, everything)
        current = db.current_rows(earlier, key) if earlier is not None and key else earlier
        compared = current
        if source.cursor is not None and last is not None:
            since = f"{quoted(source.cursor)} >= {db.first_value(database, everything, last)}"
            rows = rows.where(since)
            compared = current.where(since) if current is not None else None
        rows = rows.persist()
        try:
            repeated = db.repeated_key(rows, key) if key else None
            if repeated is not None:
                raise database.error(
                    f"has a `key` ({', '.join(key)}) that is NULL or not unique: {repeated}",
                    "Name the columns of its primary key, which are never NULL.",
                )
            found = db.new_rows(rows, compared)
            if source.deletes:
                found = found.withColumn(DELETED, F.lit(False))
                if current is not None:
                    keys = (rows if last is None else everything).select(*named(key))
                    gone = db.deleted_rows(keys, current, everything).withColumn(DELETED, F.lit(True))
                    found = found.unionByName(gone)
            newest = db.newest_cursor(rows, source.cursor) if source.cursor is not None else None
            files = self._stage(spark, run, found, folder, keep_empty=not plan.handle.state.exists)
        finally:
            rows.unpersist()
        if not files:
            return Answer((), state)
        return Answer(files, {_CURSOR: newest or last})

    def _earlier(
        self, spark: SparkSession, run: Run, plan: Pull, database: db.Database, rows: DataFrame
    ) -> DataFrame | None:
        """The rows of the files that the table has loaded; None if there are none."""
        paths = sorted({file.path for file in loaded_files(run, plan.handle)})
        if not paths:
            return None
        return db.earlier_rows(spark, [uri(run.landing, path) for path in paths], rows, database)

    def _stage(
        self, spark: SparkSession, run: Run, rows: DataFrame, folder: str, *, keep_empty: bool
    ) -> tuple[LoadedFile, ...]:
        """Writes rows to files of the landing area; none if there is no row. keep_empty: write them anyway."""
        target = uri(run.landing, folder)
        rows.write.mode("overwrite").parquet(target)
        if not keep_empty and spark.read.parquet(target).isEmpty():
            run.landing.discard(folder)
            return ()
        names = [name for name in run.landing.staged(folder) if name.endswith(".parquet")]
        states = [run.landing.state(f"{folder}/{name}") for name in names]
        return _present(states)


def _present(states: Sequence[LoadedFile | None]) -> tuple[LoadedFile, ...]:
    return tuple(state for state in states if state is not None)


def _declared(table: Table) -> JdbcSource:
    assert isinstance(table.spec.source, JdbcSource)
    return table.spec.source
