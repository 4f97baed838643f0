"""The Hive Metastore as Spark sees it: what it knows of a table, and how that is changed.

Tables are external at their own place. Their columns are those of the Delta log, kept as Spark keeps the columns
of such tables, so that clients of the Thrift Server see names, types and comments.
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

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.failures import is_made_already
from goldsmith.errors import NotReady
from goldsmith.project.sql.text import quoted, text_literal

KEYS = "goldsmith.keys"
"""The property of a registered table that names the other properties that Goldsmith set."""


PATIENCE = 20.0
"""Seconds to wait for a metastore that does not answer."""


@dataclass(frozen=True)
class Wanted:
    """What the catalog is to know of a table. path: of its Delta table, whose columns it has."""

    name: str
    path: str
    comment: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """What the catalog knows of a table. external: dropping the entry leaves the rows."""

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
    """The catalog of a session that was made with `catalog: hive`.

    Raises NotReady GS430 if no metastore answers: its client would try for minutes.
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

    def make_database(self, name: str, location: str, comment: str) -> None:
        """Makes a database where it is not there. location: of tables that others make without one."""
        self._made(
            f"CREATE DATABASE IF NOT EXISTS {quoted(name)} COMMENT {text_literal(comment)} "
            f"LOCATION {text_literal(location)}"
        )

    def entries(self, database: str, tables: Collection[str]) -> dict[str, Entry]:
        """What is known of some tables of a database, by short name: one call to the metastore."""
        held = self._external.getTablesByName(database, self._sequence(tables))
        found = {}
        for table in self._class("scala.jdk.javaapi.CollectionConverters").asJava(held):
            found[str(table.identifier().table())] = _entry(table)
        return found

    def register(self, wanted: Wanted) -> None:
        """Makes the entry of a table that the catalog does not know. Its log has been seen to be there."""
        self._made(made_known(wanted.name, wanted.path))

    def _made(self, statement: str) -> None:
        # Spark looks and then makes: an application beside this one may be faster between the two.
        try:
            self.spark.sql(statement)
        except Exception as error:
            if not is_made_already(error):
                raise

    def forget(self, name: str) -> None:
        """Drops the entry of an external table; its rows stay."""
        database, _, table = name.partition(".")
        self._external.dropTable(database, table, True, False)

    def columns_differ(self, entry: Entry, log: TableLog) -> bool:
        """Whether the entry's columns, types or comments are not those of the Delta table."""
        return not entry.schema().equals(log.schema())

    def set_columns(self, name: str, log: TableLog) -> None:
        """Gives the entry the columns of the Delta table."""
        database, _, table = name.partition(".")
        self._external.alterTableDataSchema(database, table, log.schema())

    def set_properties(
        self, name: str, comment: str, properties: Mapping[str, str], gone: Collection[str]
    ) -> None:
        """Gives the entry its comment and properties, and takes those of `gone` away.

        Spark's own statements would commit to the Delta table; these change the metastore alone.
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
        told = self._map({**properties, "comment": comment})
        self._class(commands + "AlterTableSetPropertiesCommand")(identifier, told, False).run(session)


def await_metastore(uris: str, seconds: float = PATIENCE) -> None:
    """Returns when one of `thrift://host:port,...` takes a connection; at once where none is named.

    Raises NotReady GS430 after the given seconds: a metastore that restarts is away for some ten.
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
                hint="Start it (`make up`), or name the one that is there by HIVE_METASTORE_URIS.",
                retryable=True,
            )
        time.sleep(0.5)


def _entry(table: Any) -> Entry:
    location, provider, comment = table.storage().locationUri(), table.provider(), table.comment()
    return Entry(
        location=plain_place(str(location.get())) if location.isDefined() else "",
        provider=str(provider.get()).lower() if provider.isDefined() else "",
        external=str(table.tableType().name()) == "EXTERNAL",
        comment=str(comment.get()) if comment.isDefined() else "",
        _table=table,
    )


def plain_place(place: str) -> str:
    """A location in one spelling: a local one as a path, others as they are, without a slash at the end."""
    if place.startswith("file:"):
        place = "/" + unquote(place.removeprefix("file:")).lstrip("/")
    return place.rstrip("/")


def made_known(name: str, path: str) -> str:
    """SQL that makes a catalog's entry `layer.table` of the Delta table at a path, where there is none."""
    return f"CREATE TABLE IF NOT EXISTS {_identifier(name)} USING delta LOCATION {text_literal(path)}"


def _identifier(name: str) -> str:
    return ".".join(quoted(part) for part in name.split(".", 1))
