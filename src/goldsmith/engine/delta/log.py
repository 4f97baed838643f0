"""Reads a table's Delta log: commits, bookmark, schema. No Spark job, a few milliseconds each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from py4j.java_gateway import JavaClass
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.conditions import has_cause, is_history_gone
from goldsmith.engine.delta.commit import Commit, read_commit
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.state import NO_TABLE, Bookmark, HistoryGone, TableState
from goldsmith.errors import StorageError, Where

_PART = 4_000


class TableLog:
    """The Delta log of the table at `path`. Caches commits, which never change."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark = spark
        self.path = path
        self._commits: dict[int, Commit] = {}
        jvm: Any = spark._jvm
        # Delta uses the thread's active session, which threads of a pool do not have.
        SparkSession._get_j_spark_session_class(jvm).setActiveSession(spark._jsparkSession)
        self._none = self._class("scala.None$").__getattr__("MODULE$")
        self._log = self._class("org.apache.spark.sql.delta.DeltaLog").forTable(spark._jsparkSession, path)

    def _class(self, name: str) -> Any:
        """A class by its full name, without a call to the JVM for each dot of `jvm.a.b.C`."""
        jvm: Any = self.spark._jvm
        return JavaClass(name, jvm._gateway_client)

    def version(self) -> int:
        """The newest version; NO_TABLE if the table does not exist."""
        return int(self._snapshot().version())

    def identity(self) -> tuple[str, int]:
        """The Delta table's id and its newest version; an empty id if the table does not exist."""
        snapshot = self._snapshot()
        version = int(snapshot.version())
        return (str(snapshot.metadata().id()) if version != NO_TABLE else "", version)

    def state(self) -> TableState:
        """The newest state. Raises StorageError GS401 if the folder contains something other than a Delta table."""
        id_, version = self.identity()
        if version == NO_TABLE:
            self._require_delta_folder()
            return TableState(NO_TABLE, "", 0)
        return TableState(version, id_, self._counter(version))

    def counter(self) -> int:
        """The counter of Goldsmith's last commit; 0 if the log has none."""
        return self._counter(self.version())

    def size(self) -> int | None:
        """The size of the table's files in bytes, from its newest checksum; None if it has none."""
        checksum = self._log.unsafeVolatileSnapshot().checksumOpt()
        return int(checksum.get().tableSizeBytes()) if checksum.isDefined() else None

    def files(self) -> int:
        """The number of files of the newest version."""
        return int(self._snapshot().numOfFiles())

    def retention(self) -> float:
        """The retention of removed files in hours: `delta.deletedFileRetentionDuration`, by default seven days."""
        snapshot = self._snapshot()
        kept = self._class("org.apache.spark.sql.delta.DeltaLog").tombstoneRetentionMillis(
            snapshot.metadata()
        )
        return float(kept) / 3_600_000

    def _snapshot(self) -> Any:
        return self._log.update(False, self._none, self._none)

    def _counter(self, version: int) -> int:
        try:
            for number in range(version, -1, -1):
                metadata = self.commit(number).metadata
                if metadata is not None:
                    return metadata.counter
        except HistoryGone:
            return 0
        return 0

    def types(self, version: int | None = None) -> dict[str, str]:
        """The columns and their Spark types, at a version or in the cached snapshot. Raises HistoryGone."""
        if version is None:
            return types_in(self._log.unsafeVolatileSnapshot().schema().json())
        try:
            frame = self.spark.read.format("delta").option("versionAsOf", version).load(self.path)
        except Exception as error:
            if is_history_gone(error):
                raise HistoryGone(f"{self.path} version {version}") from None
            raise
        return types_in(frame.schema.json())

    def table_property(self, key: str) -> str | None:
        """A table property, from the cached snapshot."""
        found = self._log.unsafeVolatileSnapshot().metadata().configuration().get(key)
        return str(found.get()) if found.isDefined() else None

    def supports(self, feature: str) -> bool:
        """Whether the table's protocol has a Delta feature, from the cached snapshot."""
        return bool(
            self._log.unsafeVolatileSnapshot().protocol().readerAndWriterFeatureNames().contains(feature)
        )

    def schema(self) -> Any:
        """The table's schema as the JVM's StructType, from the cached snapshot."""
        return self._log.unsafeVolatileSnapshot().schema()

    def cached_version(self) -> int:
        """The version of the cached snapshot, without access to the storage."""
        return int(self._log.unsafeVolatileSnapshot().version())

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

    def _require_delta_folder(self) -> None:
        folder = self._class("org.apache.hadoop.fs.Path")(self.path)
        system = folder.getFileSystem(self._configuration)
        if not system.exists(folder):
            return
        others = [str(item.getPath().getName()) for item in system.listStatus(folder)]
        # Data files without a log are left by a killed first write. They belong to Delta and were never visible.
        unexpected = [
            name
            for name in others
            if name != "_delta_log" and not name.endswith(".parquet") and name[:1] != "."
        ]
        if unexpected or (others and not all(name.startswith(("part-", ".", "_")) for name in others)):
            raise StorageError(
                "GS401",
                f"The table's folder contains files that are not a Delta table: {', '.join(sorted(others)[:3])}.",
                where=Where(file=self.path),
                hint="Move them away: Goldsmith creates the folder itself.",
            )

    @property
    def _configuration(self) -> Any:
        context: Any = self.spark.sparkContext._jsc
        return context.hadoopConfiguration()

    def commit(self, version: int) -> Commit:
        """A commit. Raises HistoryGone if the log no longer has it."""
        if version in self._commits:
            return self._commits[version]
        path = self._class("org.apache.hadoop.fs.Path")(f"{self.path}/_delta_log/{version:020d}.json")
        try:
            lines = self._text(self._log.store().read(path, self._configuration)).split("\n")
        except Py4JJavaError as error:
            if has_cause(error, "FileNotFoundException", "NoSuchFileException"):
                raise HistoryGone(f"{self.path} version {version}") from None
            raise
        self._commits[version] = read_commit(version, lines)
        return self._commits[version]

    def _text(self, lines: Any) -> str:
        """A Scala sequence of lines as one text, fetched in parts.

        The JVM sends a reply of more than 8 KB in two writes, and the second waits 40 ms for the kernel's delayed
        acknowledgement of the first.
        """
        text = self._class("scala.collection.mutable.StringBuilder")()
        lines.addString(text, "\n")
        length = int(text.length())
        return "".join(text.substring(at, min(at + _PART, length)) for at in range(0, length, _PART))

    def commits(self, after: int, until: int) -> Iterator[Commit]:
        """Commits with after < version <= until, oldest first. Raises HistoryGone."""
        for version in range(after + 1, until + 1):
            yield self.commit(version)

    def bookmark(self, state: TableState) -> Bookmark | None:
        """Goldsmith's last commit that the table's current content is based on.

        After a RESTORE it is searched from the restored version, and the counters in between are voided. None if the
        log no longer has such a commit.
        """
        version, restored = state.version, False
        foreign: set[str] = set()
        while version >= 0:
            try:
                commit = self.commit(version)
            except HistoryGone:
                return None
            if commit.metadata is not None:
                metadata = commit.metadata
                foreign |= {*metadata.foreign, *self._concurrent_changes(commit)}
                metadata = replace(metadata, foreign=tuple(sorted(foreign)))
                if restored and metadata.counter < state.counter:
                    metadata = _with_voided(metadata, (metadata.counter + 1, state.counter))
                return Bookmark(state, version, metadata, restored)
            if commit.operation == "RESTORE":
                restored = True
                target = commit.parameters.get("version")
                if target is None:
                    # RESTORE to a timestamp: the log does not record the version.
                    return None
                version = int(target)
                continue
            if commit.added or commit.removed:
                foreign.add(commit.operation)
            version -= 1
        return None

    def _concurrent_changes(self, commit: Commit) -> set[str]:
        """Operations that changed rows between one of Goldsmith's commits and its base version.

        On S3 the log store rejects such a commit. On a disk another program may append in between.
        """
        base = commit.base if commit.base is not None else commit.version - 1
        try:
            between = list(self.commits(base, commit.version - 1))
        except HistoryGone:
            return {"unknown"}
        return {other.operation for other in between if other.added or other.removed}

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

    def own_commit(self, after: int, run_id: str, counter: int) -> Commit | None:
        """This run's commit with this counter, searched after a version; None if it was not made."""
        version = after + 1
        while True:
            try:
                commit = self.commit(version)
            except HistoryGone:
                return None
            if commit.metadata is not None and (commit.metadata.run_id, commit.metadata.counter) == (
                run_id,
                counter,
            ):
                return commit
            version += 1

    def committed_since(self, counter: int) -> list[CommitMetadata]:
        """The metadata of commits with a greater counter, oldest first, as far back as the log goes."""
        found = []
        version = self.version()
        while version >= 0:
            try:
                commit = self.commit(version)
            except HistoryGone:
                break
            if commit.metadata is not None:
                if commit.metadata.counter <= counter:
                    break
                found.append(commit.metadata)
            version -= 1
        return found[::-1]


def _with_voided(metadata: CommitMetadata, counters: tuple[int, int]) -> CommitMetadata:
    return replace(metadata, voided=(*metadata.voided, counters))


def types_in(schema: str) -> dict[str, str]:
    """The columns and Spark types of a schema in JSON."""
    fields = StructType.fromJson(json.loads(schema)).fields
    return {field.name: field.dataType.simpleString() for field in fields}
