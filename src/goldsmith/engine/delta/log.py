"""Looks into a table's Delta log: no Spark job, a few milliseconds each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from py4j.java_gateway import JavaClass
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.commit import Commit, read_commit
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.failures import has_cause, is_history_gone
from goldsmith.errors import StorageError, Where

NO_TABLE = -1
_PART = 4_000


class HistoryGone(Exception):  # noqa: N818 - an expected state of an old log
    """The log no longer has the versions that were asked for."""


@dataclass(frozen=True)
class TableState:
    """A table's newest state. version: NO_TABLE where there is none. counter: of Goldsmith's last commit."""

    version: int
    id: str
    counter: int

    @property
    def exists(self) -> bool:
        return self.version != NO_TABLE


@dataclass(frozen=True)
class Bookmark:
    """The last commit of Goldsmith that still counts, and the state it was found in."""

    state: TableState
    version: int
    metadata: CommitMetadata
    restored: bool
    """A RESTORE led to it, and nothing was loaded since."""

    @property
    def foreign(self) -> tuple[str, ...]:
        """Operations that changed rows outside Goldsmith: after the commit, or between it and what it was planned from."""
        return self.metadata.foreign


class TableLog:
    """The Delta log of the table at `path`. Commits that were read are kept: they never change."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark = spark
        self.path = path
        self._commits: dict[int, Commit] = {}
        jvm: Any = spark._jvm
        # Delta asks the thread for its session; threads of a pool were never told one.
        SparkSession._get_j_spark_session_class(jvm).setActiveSession(spark._jsparkSession)
        self._none = self._class("scala.None$").__getattr__("MODULE$")
        self._log = self._class("org.apache.spark.sql.delta.DeltaLog").forTable(spark._jsparkSession, path)

    def _class(self, name: str) -> Any:
        """A class by its full name: as `jvm.a.b.C` each dot would ask the JVM."""
        jvm: Any = self.spark._jvm
        return JavaClass(name, jvm._gateway_client)

    def version(self) -> int:
        """The newest version, NO_TABLE where there is no table."""
        return int(self._snapshot().version())

    def identity(self) -> tuple[str, int]:
        """The Delta table's id and its newest version; an empty id where there is no table."""
        snapshot = self._snapshot()
        version = int(snapshot.version())
        return (str(snapshot.metadata().id()) if version != NO_TABLE else "", version)

    def state(self) -> TableState:
        """The newest state. Raises StorageError GS401 if the folder holds something else than Delta."""
        id_, version = self.identity()
        if version == NO_TABLE:
            self._refuse_other_content()
            return TableState(NO_TABLE, "", 0)
        return TableState(version, id_, self._counter(version))

    def counter(self) -> int:
        """The counter of Goldsmith's last commit; 0 where the log holds none."""
        return self._counter(self.version())

    def size(self) -> int | None:
        """Bytes of the table's files, as its newest checksum tells; None if it has none."""
        checksum = self._log.unsafeVolatileSnapshot().checksumOpt()
        return int(checksum.get().tableSizeBytes()) if checksum.isDefined() else None

    def files(self) -> int:
        """How many files the newest version has."""
        return int(self._snapshot().numOfFiles())

    def retention(self) -> float:
        """Hours that the table keeps removed files for: `delta.deletedFileRetentionDuration`, seven days where unsaid."""
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
        """The columns and their Spark types, of a version or as last seen. Raises HistoryGone."""
        if version is None:
            return types_in(self._log.unsafeVolatileSnapshot().schema().json())
        try:
            held = self.spark.read.format("delta").option("versionAsOf", version).load(self.path)
        except Exception as error:
            if is_history_gone(error):
                raise HistoryGone(f"{self.path} version {version}") from None
            raise
        return types_in(held.schema.json())

    def table_property(self, key: str) -> str | None:
        """A property of the table as it was last seen."""
        found = self._log.unsafeVolatileSnapshot().metadata().configuration().get(key)
        return str(found.get()) if found.isDefined() else None

    def supports(self, feature: str) -> bool:
        """Whether the table's protocol, as it was last seen, names a feature of Delta's."""
        return bool(
            self._log.unsafeVolatileSnapshot().protocol().readerAndWriterFeatureNames().contains(feature)
        )

    def schema(self) -> Any:
        """The table's schema as it was last seen, as the JVM's StructType."""
        return self._log.unsafeVolatileSnapshot().schema()

    def last_seen(self) -> int:
        """The version that was last seen, without a look at the storage."""
        return int(self._log.unsafeVolatileSnapshot().version())

    def transaction(self) -> tuple[Any, Any]:
        """A transaction on the newest version, and the metadata that it begins with, both of the JVM."""
        transaction = self._log.startTransaction(self._none, self._none)
        return transaction, transaction.metadata()

    def checked(self, configuration: Any) -> Any:
        """Table properties as Delta spells them; raises what Delta says of those that it does not know."""
        return self._class("org.apache.spark.sql.delta.DeltaConfigs").validateConfigurations(configuration)

    def commit_description(self, transaction: Any, configuration: Any) -> None:
        """Commits a transaction that changed the table's metadata and no rows."""
        nothing = self._class("scala.collection.immutable.Nil$").__getattr__("MODULE$")
        operation = self._class("org.apache.spark.sql.delta.DeltaOperations$SetTableProperties")(
            configuration
        )
        transaction.commit(nothing, operation)

    def _refuse_other_content(self) -> None:
        folder = self._class("org.apache.hadoop.fs.Path")(self.path)
        system = folder.getFileSystem(self._configuration)
        if not system.exists(folder):
            return
        others = [str(item.getPath().getName()) for item in system.listStatus(folder)]
        # Data files without a log are what a first write leaves when it is killed: Delta's own, never seen.
        strange = [
            name
            for name in others
            if name != "_delta_log" and not name.endswith(".parquet") and name[:1] != "."
        ]
        if strange or (others and not all(name.startswith(("part-", ".", "_")) for name in others)):
            raise StorageError(
                "GS401",
                f"The table's folder holds something that is not a Delta table: {', '.join(sorted(others)[:3])}.",
                where=Where(file=self.path),
                hint="Move it away; Goldsmith makes the folder itself.",
            )

    @property
    def _configuration(self) -> Any:
        context: Any = self.spark.sparkContext._jsc
        return context.hadoopConfiguration()

    def commit(self, version: int) -> Commit:
        """One commit. Raises HistoryGone if the log no longer has it."""
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

        An answer of more than 8 KB leaves the JVM in two writes, and the second waits 40 ms for the kernel's
        delayed acknowledgement of the first.
        """
        held = self._class("scala.collection.mutable.StringBuilder")()
        lines.addString(held, "\n")
        length = int(held.length())
        return "".join(held.substring(at, min(at + _PART, length)) for at in range(0, length, _PART))

    def commits(self, after: int, until: int) -> Iterator[Commit]:
        """Commits with after < version <= until, oldest first. Raises HistoryGone."""
        for version in range(after + 1, until + 1):
            yield self.commit(version)

    def bookmark(self, state: TableState) -> Bookmark | None:
        """The last Goldsmith commit that the table's present content stands on.

        A RESTORE leads to the version that was restored, and the counters between are void.
        None if the log holds no such commit any more.
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
                foreign |= {*metadata.foreign, *self._unplanned(commit)}
                metadata = replace(metadata, foreign=tuple(sorted(foreign)))
                if restored and metadata.counter < state.counter:
                    taken_back = (metadata.counter + 1, state.counter)
                    metadata = _with_void(metadata, taken_back)
                return Bookmark(state, version, metadata, restored)
            if commit.operation == "RESTORE":
                restored = True
                target = commit.parameters.get("version")
                if target is None:
                    # Restored by time: the log does not name the version.
                    return None
                version = int(target)
                continue
            if commit.added or commit.removed:
                foreign.add(commit.operation)
            version -= 1
        return None

    def _unplanned(self, commit: Commit) -> set[str]:
        """Operations that changed rows between one of Goldsmith's commits and the version that it was planned from.

        Only the log store on S3 refuses such a commit. On a disk another program's append may come in between.
        """
        base = commit.base if commit.base is not None else commit.version - 1
        try:
            between = list(self.commits(base, commit.version - 1))
        except HistoryGone:
            return {"unknown"}
        return {other.operation for other in between if other.added or other.removed}

    def change_feed(self, first: int, last: int) -> DataFrame:
        """The rows that versions added and removed, as Delta's change feed has them. The commits must be there.

        Delta's reader hands each row over as objects of Java, which hold neither every date nor every text. The frame
        beneath it holds them all.
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
        """The commit of this run with this counter, looked for after a version; None if it was not taken."""
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


def _with_void(metadata: CommitMetadata, taken_back: tuple[int, int]) -> CommitMetadata:
    return replace(metadata, voided=(*metadata.voided, taken_back))


def types_in(schema: str) -> dict[str, str]:
    """The columns and their Spark types of a schema as JSON."""
    fields = StructType.fromJson(json.loads(schema)).fields
    return {field.name: field.dataType.simpleString() for field in fields}
