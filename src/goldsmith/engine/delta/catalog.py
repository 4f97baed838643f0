"""Reads and changes entries of the Hive Metastore through Spark's external catalog.

Tables are external, at their own location. Their columns are copied from the Delta log in the form in which Spark
stores them, so that clients of the Thrift Server see names, types and comments.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from py4j.java_gateway import JavaClass
from pyspark.sql import SparkSession

from goldsmith.engine.conditions import is_already_there
from goldsmith.engine.delta.session_log import SessionLog
from goldsmith.errors import NotReady
from goldsmith.project.sql.text import quoted, text_literal

KEYS = "goldsmith.keys"
"""The property of a registered table that lists the other properties set by Goldsmith."""


METASTORE_TIMEOUT = 20.0
"""Seconds to wait for a metastore that does not respond."""


@dataclass(frozen=True)
class DesiredEntry:
    """The catalog entry that a table should have. path: its Delta table, whose columns the entry gets."""

    name: str
    path: str
    comment: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """The catalog entry of a table. external: dropping the entry keeps the rows."""

    location: str
    provider: str
    external: bool
    comment: str
    _table: Any = field(repr=False, compare=False)

    def schema(self) -> Any:
        return self._table.schema()

    def property(self, key: str) -> str | None:
        found = self._table.properties().get(key)
        return str(found.get()) if found.isDefined() else None


class Catalog:
    """The catalog of a session with `catalog: hive`.

    Raises NotReady GS430 if no metastore responds; its client would retry for minutes.
    """

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self._jvm: Any = spark._jvm
        configuration = spark._jsparkSession.sessionState().newHadoopConf()
        await_metastore(str(configuration.get("hive.metastore.uris", "")))
        self._external = spark._jsparkSession.sharedState().externalCatalog()

    def _class(self, name: str) -> Any:
        return JavaClass(name, self._jvm._gateway_client)

    def _sequence(self, values: Collection[str]) -> Any:
        listed = self._jvm.java.util.ArrayList()
        for value in values:
            listed.add(value)
        return self._class("scala.jdk.javaapi.CollectionConverters").asScala(listed).toSeq()

    def _map(self, values: Mapping[str, str]) -> Any:
        scala = self._class("scala.collection.immutable.Map$").__getattr__("MODULE$").empty()
        for key, value in values.items():
            scala = scala.updated(key, value)
        return scala

    def databases(self) -> frozenset[str]:
        """The names of all databases."""
        names = self._class("scala.jdk.javaapi.CollectionConverters").asJava(self._external.listDatabases())
        return frozenset(str(name) for name in names)

    def create_database(self, name: str, location: str, comment: str) -> None:
        """Creates a database if it does not exist. location: the default for tables created without one."""
        self._create(
            f"CREATE DATABASE IF NOT EXISTS {quoted(name)} COMMENT {text_literal(comment)} "
            f"LOCATION {text_literal(location)}"
        )

    def entries(self, database: str, tables: Collection[str]) -> dict[str, Entry]:
        """The entries of some tables of a database by short name, in one call to the metastore."""
        found_tables = self._external.getTablesByName(database, self._sequence(tables))
        found = {}
        for table in self._class("scala.jdk.javaapi.CollectionConverters").asJava(found_tables):
            found[str(table.identifier().table())] = _entry(table)
        return found

    def register(self, wanted: DesiredEntry) -> None:
        """Creates the entry of a table that is not registered. The table must exist."""
        self._create(create_table_sql(wanted.name, wanted.path))

    def _create(self, statement: str) -> None:
        # Spark checks before it creates: another application may create it in between.
        try:
            self.spark.sql(statement)
        except Exception as error:
            if not is_already_there(error):
                raise

    def drop_entry(self, name: str) -> None:
        """Drops the entry of an external table and keeps its rows."""
        database, _, table = name.partition(".")
        self._external.dropTable(database, table, True, False)

    def columns_differ(self, entry: Entry, log: SessionLog) -> bool:
        """Whether the entry's columns, types or comments differ from the Delta table's."""
        return not entry.schema().equals(log.schema())

    def set_columns(self, name: str, log: SessionLog) -> None:
        """Sets the entry's columns to those of the Delta table."""
        database, _, table = name.partition(".")
        self._external.alterTableDataSchema(database, table, log.schema())

    def set_properties(
        self, name: str, comment: str, properties: Mapping[str, str], gone: Collection[str]
    ) -> None:
        """Sets the entry's comment and properties, and removes the properties `gone`.

        Spark's SQL statements would commit to the Delta table; these commands only change the metastore.
        """
        database, _, table = name.partition(".")
        option = self._class("scala.Option")
        identifier = self._class("org.apache.spark.sql.catalyst.TableIdentifier")(
            table, option.apply(database)
        )
        commands = "org.apache.spark.sql.execution.command."
        session = self.spark._jsparkSession
        if gone:
            unset = self._class(commands + "AlterTableUnsetPropertiesCommand")
            unset(identifier, self._sequence(gone), True, False).run(session)
        settings = self._map({**properties, "comment": comment})
        self._class(commands + "AlterTableSetPropertiesCommand")(identifier, settings, False).run(session)


def await_metastore(uris: str, seconds: float = METASTORE_TIMEOUT) -> None:
    """Waits until one of `thrift://host:port,...` accepts a connection; returns at once for an empty list.

    Raises NotReady GS430 after the given seconds: a restart of a metastore takes some ten.
    """
    places = [urlsplit(uri.strip()) for uri in uris.split(",") if uri.strip()]
    end = time.monotonic() + seconds
    while places:
        failures = []
        for place in places:
            try:
                socket.create_connection((place.hostname or "", place.port or 9083), timeout=5).close()
            except (OSError, ValueError) as error:
                failures.append(f"{place.geturl()}: {error}")
            else:
                return
        if time.monotonic() > end:
            raise NotReady(
                "GS430",
                f"The Hive Metastore cannot be reached ({'; '.join(failures)}).",
                hint="Start it (`make up`), or set HIVE_METASTORE_URIS to a running one.",
                retryable=True,
            )
        time.sleep(0.5)


def _entry(table: Any) -> Entry:
    location, provider, comment = table.storage().locationUri(), table.provider(), table.comment()
    return Entry(
        location=normalized_location(str(location.get())) if location.isDefined() else "",
        provider=str(provider.get()).lower() if provider.isDefined() else "",
        external=str(table.tableType().name()) == "EXTERNAL",
        comment=str(comment.get()) if comment.isDefined() else "",
        _table=table,
    )


def normalized_location(place: str) -> str:
    """A location in a normal form: a local one as a path, others unchanged, without a slash at the end."""
    if place.startswith("file:"):
        place = "/" + unquote(place.removeprefix("file:")).lstrip("/")
    return place.rstrip("/")


def create_table_sql(name: str, path: str) -> str:
    """SQL that registers the Delta table at a path as `layer.table`, if it is not registered."""
    return f"CREATE TABLE IF NOT EXISTS {_identifier(name)} USING delta LOCATION {text_literal(path)}"


def _identifier(name: str) -> str:
    return ".".join(quoted(part) for part in name.split(".", 1))
