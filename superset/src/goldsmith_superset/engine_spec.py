"""How Superset speaks to `spark://`: Spark's own time grains, and views by Spark's answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine.reflection import Inspector
from superset.db_engine_specs.spark import SparkEngineSpec
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetErrorException, SupersetSecurityException
from superset.models.core import Database

from goldsmith_superset.reading import is_of_a_version, reads
from goldsmith_superset.request import pinned, reader, reader_left
from goldsmith_superset.turns import Busy, GivenUp, Turns

# Of the process: one web server, whose threads are what queries take.
_TURNS = Turns.of_threads(int(os.environ.get("SUPERSET_THREADS") or 32))


@contextmanager
def _plain_about_versions() -> Iterator[None]:
    """What a page's reader is told where the version that the page shows is not kept any more."""
    try:
        yield
    except Exception as error:
        if pinned() and is_of_a_version(str(error)):
            message = "The data that this page shows is no longer kept. Reload the page to see the newest."
            raise SupersetErrorException(
                SupersetError(message, SupersetErrorType.GENERIC_DB_ENGINE_ERROR, ErrorLevel.ERROR)
            ) from error
        raise


class SparkThriftEngineSpec(SparkEngineSpec):
    """Superset's Spark, under a name of its own: its `hive://` takes Hive's grains, which Spark refuses."""

    engine = "spark"
    engine_name = "Spark Thrift Server"
    # Presto's spec, from which this one descends, takes the address's database for a catalog: permissions on
    # schemas would be looked for under `gold.gold` and not be found.
    supports_catalog = False
    supports_dynamic_catalog = False

    @classmethod
    def execute(cls, cursor: Any, query: str, database: Database, **kwargs: Any) -> None:
        """Sends a statement that reads. Superset's own check knows which statements write, and lets pass what it
        does not know: ADD JAR, SET, CACHE."""
        if not reads(query):
            told = "Only statements that read are sent to the lakehouse: SELECT, SHOW, DESCRIBE."
            raise SupersetSecurityException(
                SupersetError(told, SupersetErrorType.DML_NOT_ALLOWED_ERROR, ErrorLevel.ERROR)
            )
        if kwargs.get("async_"):
            super().execute(cursor, query, database, **kwargs)
            return
        cursor.gone = reader_left
        try:
            with _TURNS.taken(reader(), reader_left), _plain_about_versions():
                super().execute(cursor, query, database, **kwargs)
        except (Busy, GivenUp) as error:
            message = f"The lakehouse is busy: {error}"
            raise SupersetErrorException(
                SupersetError(message, SupersetErrorType.BACKEND_TIMEOUT_ERROR, ErrorLevel.ERROR)
            ) from error

    @classmethod
    def fetch_data(cls, cursor: Any, limit: int | None = None) -> list[tuple[Any, ...]]:
        with _plain_about_versions():
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
