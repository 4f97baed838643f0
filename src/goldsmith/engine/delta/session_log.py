"""What only Delta's own classes in the session's JVM can do with a table's log: change feeds and metadata commits."""

from __future__ import annotations

from typing import Any

from py4j.java_gateway import JavaClass
from pyspark.sql import DataFrame, SparkSession

from goldsmith.engine.delta.state import NO_TABLE


class SessionLog:
    """Delta's log of the table at `path`, in the session's JVM."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark = spark
        jvm: Any = spark._jvm
        # Delta uses the thread's active session, which threads of a pool do not have.
        SparkSession._get_j_spark_session_class(jvm).setActiveSession(spark._jsparkSession)
        self._none = self._class("scala.None$").__getattr__("MODULE$")
        self._log = self._class("org.apache.spark.sql.delta.DeltaLog").forTable(spark._jsparkSession, path)

    def _class(self, name: str) -> Any:
        """A class by its full name, without a call to the JVM for each dot of `jvm.a.b.C`."""
        jvm: Any = self.spark._jvm
        return JavaClass(name, jvm._gateway_client)

    def _snapshot(self) -> Any:
        return self._log.update(False, self._none, self._none)

    def exists(self, *, look: bool) -> bool:
        """Whether there is a table. look: read the storage; else the session's snapshot suffices."""
        snapshot = self._snapshot() if look else self._log.unsafeVolatileSnapshot()
        return int(snapshot.version()) != NO_TABLE

    def schema(self) -> Any:
        """The table's schema as the JVM's StructType, from the session's snapshot."""
        return self._log.unsafeVolatileSnapshot().schema()

    def files(self) -> int:
        """The number of files of the newest version."""
        return int(self._snapshot().numOfFiles())

    def retention(self) -> float:
        """The retention of removed files in hours: `delta.deletedFileRetentionDuration`, by default seven days."""
        kept = self._class("org.apache.spark.sql.delta.DeltaLog").tombstoneRetentionMillis(
            self._snapshot().metadata()
        )
        return float(kept) / 3_600_000

    def transaction(self) -> tuple[Any, Any]:
        """A transaction on the newest version and the table's metadata, both as JVM objects."""
        transaction = self._log.startTransaction(self._none, self._none)
        return transaction, transaction.metadata()

    def validated(self, configuration: Any) -> Any:
        """Table properties in Delta's spelling. Raises Delta's exception for unknown ones."""
        return self._class("org.apache.spark.sql.delta.DeltaConfigs").validateConfigurations(configuration)

    def commit_properties(self, transaction: Any, configuration: Any) -> None:
        """Commits a transaction that changes the table's metadata and no rows."""
        nothing = self._class("scala.collection.immutable.Nil$").__getattr__("MODULE$")
        operation = self._class("org.apache.spark.sql.delta.DeltaOperations$SetTableProperties")(
            configuration
        )
        transaction.commit(nothing, operation)

    def change_feed(self, first: int, last: int) -> DataFrame:
        """The change feed of some versions. The commits must exist.

        Delta's reader converts rows to Java objects, which cannot represent every date and text. The frame beneath it
        can.
        """
        snapshot = self._snapshot()
        if int(snapshot.version()) != last:
            snapshot = self._log.getSnapshotAt(last, self._none, self._none, False)
        reader = self._class("org.apache.spark.sql.delta.commands.cdc.CDCReader$").__getattr__("MODULE$")
        schema = self._class("scala.Option").apply(snapshot)
        frame = reader.changesToBatchDF(
            self._log, first, last, self.spark._jsparkSession, self._none, schema, False, self._none
        )
        return DataFrame(frame, self.spark)
