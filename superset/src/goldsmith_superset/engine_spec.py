"""Superset's engine spec for `spark://`: Spark's time grains and views, read-only statements, a query queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine.reflection import Inspector
from superset.db_engine_specs.spark import SparkEngineSpec
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetErrorException, SupersetSecurityException
from superset.models.core import Database

from goldsmith_superset.door import busy
from goldsmith_superset.query_queue import Busy, QueryQueue, ReaderLeft, threads
from goldsmith_superset.request import pinned, reader, reader_left
from goldsmith_superset.statements import is_read_only, is_version_error

# Per process: queries use the threads of the web server.
_QUEUE = QueryQueue.of_threads(threads())


@contextmanager
def _version_errors() -> Iterator[None]:
    """Raises a readable error if a version of the page was removed."""
    try:
        yield
    except Exception as error:
        if pinned() and is_version_error(str(error)):
            message = "A table version of this page was removed. Reload the page to see the newest."
            raise SupersetErrorException(
                SupersetError(message, SupersetErrorType.GENERIC_DB_ENGINE_ERROR, ErrorLevel.ERROR)
            ) from error
        raise


class SparkThriftEngineSpec(SparkEngineSpec):
    """Superset's Spark spec under its own name: `hive://` uses Hive's time grains, which Spark refuses."""

    engine = "spark"
    engine_name = "Spark Thrift Server"
    # The base class, Presto's spec, treats the database in the URI as a catalog: permissions on schemas would be
    # looked up as `gold.gold` and not found.
    supports_catalog = False
    supports_dynamic_catalog = False

    @classmethod
    def execute(cls, cursor: Any, query: str, database: Database, **kwargs: Any) -> None:
        """Sends a read-only statement. Superset's own check allows statements that it does not know: ADD JAR, SET,
        CACHE."""
        if not is_read_only(query):
            message = "Only read-only statements are allowed: SELECT, SHOW, DESCRIBE."
            raise SupersetSecurityException(
                SupersetError(message, SupersetErrorType.DML_NOT_ALLOWED_ERROR, ErrorLevel.ERROR)
            )
        if kwargs.get("async_"):
            super().execute(cursor, query, database, **kwargs)
            return
        cursor.gone = reader_left
        try:
            with _QUEUE.slot(reader(), reader_left), _version_errors():
                super().execute(cursor, query, database, **kwargs)
        except (Busy, ReaderLeft) as error:
            raise busy(f"The lakehouse is busy: {error}") from error

    @classmethod
    def fetch_data(cls, cursor: Any, limit: int | None = None) -> list[tuple[Any, ...]]:
        with _version_errors():
            return super().fetch_data(cursor, limit)

    @classmethod
    def get_default_catalog(cls, database: Database) -> str | None:  # noqa: ARG003
        return None

    @classmethod
    def get_catalog_names(cls, database: Database, inspector: Inspector) -> set[str]:  # noqa: ARG003
        return set()

    @classmethod
    def get_view_names(cls, database: Database, inspector: Inspector, schema: str | None) -> set[str]:  # noqa: ARG003
        return set(inspector.get_view_names(schema))
