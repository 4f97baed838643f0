"""The SQLAlchemy dialect `spark://`: PyHive's for Hive, with what Spark answers in another shape."""

from __future__ import annotations

from typing import Any

from pyhive.sqlalchemy_hive import HiveDialect
from sqlalchemy import text
from sqlalchemy.engine import Connection

from goldsmith_superset.sessions import Session, Sessions


class SparkDialect(HiveDialect):
    """`SHOW TABLES` and `SHOW VIEWS` of Spark give the schema, the name, and whether it is temporary; Hive's
    give the name alone, so that PyHive lists the schema's name once for each table."""

    name = "spark"
    supports_statement_cache = False
    # Of the class: Superset makes an engine, and with it a dialect, for each query.
    _sessions = Sessions()

    def connect(self, *_: Any, **where: Any) -> Session:
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
