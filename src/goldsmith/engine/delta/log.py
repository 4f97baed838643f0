"""Reads a table's Delta log from its files: commits, bookmark, schema. No JVM, a few milliseconds each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from goldsmith.engine.delta.commit import Commit, read_commit
from goldsmith.engine.delta.delta_rs import checkpointed
from goldsmith.engine.delta.log_files import log_files
from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.engine.delta.spark_types import types_in
from goldsmith.engine.delta.state import NO_TABLE, Bookmark, HistoryGone, TableState
from goldsmith.errors import StorageError, Where

_MANAGED = ("catalogManaged", "catalogOwned-preview", "coordinatedCommits-preview")
"""Table features whose commits are not in the log's folder alone."""


class TableLog:
    """The Delta log of the table at `path`. Each method reads the newest version; commits never change and are cached."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._files = log_files(path)
        self._newest = NO_TABLE
        self._commits: dict[int, Commit] = {}
        self._checksums: dict[int, Mapping[str, Any]] = {}

    def version(self) -> int:
        """The newest version; NO_TABLE if the table does not exist."""
        newest = self._files.newest(self._newest)
        if newest < self._newest:
            # The table was deleted, and perhaps made again.
            self._commits, self._checksums = {}, {}
        self._newest = newest
        return newest

    def identity(self) -> tuple[str, int]:
        """The Delta table's id and its newest version; an empty id if the table does not exist."""
        version = self.version()
        return (str(self._table(version)["id"]) if version != NO_TABLE else "", version)

    def state(self) -> TableState:
        """The newest state. Raises StorageError: GS401 if the folder contains something other than a Delta table, GS408
        for a table whose commits are kept by a catalog."""
        id_, version = self.identity()
        if version == NO_TABLE:
            self._require_delta_folder()
            return TableState(NO_TABLE, "", 0)
        self._require_known_commits(version)
        return TableState(version, id_, self._counter(version))

    def counter(self) -> int:
        """The counter of Goldsmith's last commit; 0 if the log has none."""
        return self._counter(self.version())

    def size(self) -> int | None:
        """The size of the table's files in bytes, from its newest checksum; None if it has none."""
        found = self._checksum(self.version()).get("tableSizeBytes")
        return int(found) if found is not None else None

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
        """The columns and their Spark types, at a version or at the newest one. Raises HistoryGone."""
        if version is not None:
            self.commit(version)
        return types_in(self._table(self.version() if version is None else version)["schemaString"])

    def table_property(self, key: str) -> str | None:
        """A table property."""
        found = (self._table(self.version()).get("configuration") or {}).get(key)
        return str(found) if found is not None else None

    def features(self) -> frozenset[str]:
        """The Delta table features that the table's protocol names."""
        return frozenset(_features(self._action("protocol", self.version())))

    def _table(self, version: int) -> Mapping[str, Any]:
        return self._action("metadata", version)

    def _action(self, name: str, version: int) -> Mapping[str, Any]:
        """The table's metadata or protocol at a version.

        Raises HistoryGone if the log no longer has it, StorageError GS409 if that is the newest version.
        """
        found = self._checksum(version).get(name)
        if isinstance(found, dict):
            return found
        for number in range(version, -1, -1):
            try:
                commit = self.commit(number)
            except HistoryGone:
                break
            action = commit.table if name == "metadata" else commit.protocol
            if action is not None:
                return action
        try:
            return checkpointed(self.path, name, version)
        except HistoryGone as error:
            if version != self._newest:
                raise
            raise self._damaged(version, error) from error

    def _damaged(self, version: int, cause: HistoryGone) -> StorageError:
        return StorageError(
            "GS409",
            f"The table's log lacks files: it has version {version}, and no commit or checkpoint with the table's schema. "
            f"{cause}",
            where=Where(file=f"{self.path}/_delta_log"),
            hint="Run it again if the storage was unavailable. Else restore the missing files of `_delta_log`.",
            retryable=True,
        )

    def _checksum(self, version: int) -> Mapping[str, Any]:
        """The checksum file of a version; empty if it has none, as right after the commit or in other programs' tables."""
        if version not in self._checksums:
            try:
                found = json.loads(self._files.text(f"{version:020d}.crc"))
            except (FileNotFoundError, ValueError):
                return {}
            self._checksums[version] = found
        return self._checksums[version]

    def _require_known_commits(self, version: int) -> None:
        managed = [name for name in _MANAGED if name in _features(self._action("protocol", version))]
        if managed:
            raise StorageError(
                "GS408",
                f"The commits of this table are kept by a catalog ({managed[0]}), and not only in its folder.",
                where=Where(file=self.path),
                hint="Drop the feature: `ALTER TABLE ... DROP FEATURE`. Goldsmith reads and writes the log in the folder.",
            )

    def _require_delta_folder(self) -> None:
        names = self._files.folder()
        # Data files without a log are left by a killed first write. They belong to Delta and were never visible.
        unexpected = [
            name
            for name in names
            if name != "_delta_log" and not name.endswith(".parquet") and name[:1] != "."
        ]
        if unexpected or (names and not all(name.startswith(("part-", ".", "_")) for name in names)):
            raise StorageError(
                "GS401",
                f"The table's folder contains files that are not a Delta table: {', '.join(sorted(names)[:3])}.",
                where=Where(file=self.path),
                hint="Move them away: Goldsmith creates the folder itself.",
            )

    def commit(self, version: int) -> Commit:
        """A commit. Raises HistoryGone if the log no longer has it."""
        if version not in self._commits:
            try:
                text = self._files.text(f"{version:020d}.json")
            except FileNotFoundError:
                raise HistoryGone(f"{self.path} version {version}") from None
            self._commits[version] = read_commit(version, text.split("\n"))
        return self._commits[version]

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


def _features(protocol: Mapping[str, Any]) -> tuple[str, ...]:
    return (*(protocol.get("readerFeatures") or ()), *(protocol.get("writerFeatures") or ()))
