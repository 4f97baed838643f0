"""The SQLAlchemy dialect `spark://`: PyHive's Hive dialect, adapted to Spark's results."""

from __future__ import annotations

from typing import Any

from pyhive.sqlalchemy_hive import HiveDialect
from sqlalchemy import text
from sqlalchemy.engine import Connection

from goldsmith_superset.sessions import SessionPool, ThriftSession


class SparkDialect(HiveDialect):
    """Reads Spark's `SHOW TABLES` and `SHOW VIEWS`, which return schema, name and a flag for temporary ones.

    Hive returns the name alone, so PyHive would list the schema name once per table.
    """

    name = "spark"
    supports_statement_cache = False
    # A class attribute: Superset creates an engine, and so a dialect, for each query.
    _sessions = SessionPool()

    def connect(self, *_: Any, **where: Any) -> ThriftSession:
        return self._sessions.connect(**where)

    def get_table_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        views = set(self.get_view_names(connection, schema, **kw))
        return [name for name in self._names(connection, "TABLES", schema) if name not in views]

    def get_view_names(self, connection: Connection, schema: str | None = None, **_kw: Any) -> list[str]:
        return self._names(connection, "VIEWS", schema)

    def _names(self, connection: Connection, what: str, schema: str | None) -> list[str]:
        where = f" IN {self.identifier_preparer.quote_identifier(schema)}" if schema else ""
        rows = connection.execute(text(f"SHOW {what}{where}"))
        return [name for _, name, is_temporary in rows if not is_temporary]
