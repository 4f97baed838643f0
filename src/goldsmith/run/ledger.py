"""The ledger: which delivered files a bronze table has loaded.

A table's commits list the files they loaded, so that rows and ledger cannot disagree; `ops.files` keeps the list
forever. If both are lost, it is restored from the rows' system columns (`_source_file` and others).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.delta.state import NO_TABLE, Bookmark, HistoryGone
from goldsmith.engine.delta.table_rows import plain_text, rows_of
from goldsmith.engine.ingest.landing import files_added_to
from goldsmith.errors import SourceError, Where
from goldsmith.project.sources import FilesSource
from goldsmith.project.tables import Table
from goldsmith.run.context import Run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Ledger = dict[LoadedFile, int]
"""Loaded files, each with the counter of the commit that loaded it last."""


@dataclass(frozen=True)
class FoundFiles:
    """Files of a listing that the table has not loaded. replaced: those that were loaded before in another state."""

    files: tuple[LoadedFile, ...]
    replaced: tuple[LoadedFile, ...]
    ignored: tuple[LoadedFile, ...]


def added_since(listing: Sequence[LoadedFile], bookmark: Bookmark | None) -> FoundFiles | None:
    """The files added since the last load, from the listing's digest alone; None if the ledger is needed."""
    if bookmark is None or bookmark.restored or bookmark.metadata.listing is None:
        return None
    added = files_added_to(bookmark.metadata.listing, listing)
    return FoundFiles(added, (), ()) if added is not None else None


def known_files(
    spark: SparkSession | None, run: Run, table: Table, log: TableLog, bookmark: Bookmark | None
) -> Ledger:
    """All files that the table has loaded, in every state that was loaded. Raises NeedsSpark without a session."""
    if bookmark is None:
        return _from_rows(spark, run.path(table.name))
    files, last = _recorded(spark, run, table, bookmark)
    recent = log.committed_since(last)
    first = min((commit.counter for commit in recent), default=last + 1)
    if first > last + 1:
        # Unrecorded commits are no longer in the log: read the files from the rows.
        files = _from_rows(spark, run.path(table.name)) | files
    for commit in recent:
        if not bookmark.metadata.is_voided(commit.counter):
            files |= {file: max(commit.counter, files.get(file, 0)) for file in commit.files}
    return files


def _recorded(spark: SparkSession | None, run: Run, table: Table, bookmark: Bookmark) -> tuple[Ledger, int]:
    """The table's files in ops.files, and the counter up to which the table is recorded."""
    log = TableLog(run.path("ops.files"))
    if log.version() == NO_TABLE:
        return {}, 0
    last = recorded(log).get(table.name, (bookmark.state.id, 0))
    if last[0] != bookmark.state.id:
        return {}, 0
    tags = ("etag",) if "etag" in log.types() else ()
    columns = ", ".join(("path", "size", "modified_ms", "counter", *tags))
    own = f"t.table = {plain_text(table.name)} AND table_id = {plain_text(bookmark.state.id)}"
    rows = rows_of(spark, log.path, f"SELECT {columns} FROM {{t}} WHERE {own}")
    files: Ledger = {}
    for row in sorted(rows, key=lambda row: int(row["counter"])):
        if not bookmark.metadata.is_voided(row["counter"]):
            file = LoadedFile(row["path"], row["size"], row["modified_ms"], row.get("etag"))
            files[file] = row["counter"]
    return files, last[1]


def recorded(log: TableLog) -> dict[str, tuple[str, int]]:
    """For each table, the Delta id and the counter up to which one of the tables of `ops` has recorded it.

    Read from the newest commit with this information; empty if there is none.
    """
    version = log.version()
    while version >= 0:
        try:
            metadata = log.commit(version).user_metadata
        except HistoryGone:
            break
        if metadata and '"recorded"' in metadata:
            found: dict[str, list[Any]] = json.loads(metadata)["recorded"]
            return {table: (str(id_), int(counter)) for table, (id_, counter) in found.items()}
        version -= 1
    return {}


def recorded_counter(run: Run, table: str, table_id: str) -> int:
    """A table's last counter in `ops.table_runs`, for tables whose log no longer has one; else 0."""
    id_, counter = recorded(TableLog(run.path("ops.table_runs"))).get(table, ("", 0))
    return counter if id_ == table_id else 0


def _from_rows(spark: SparkSession | None, path: str) -> Ledger:
    rows = rows_of(spark, path, "SELECT DISTINCT _source_file, _source_size, _source_modified FROM {t}")
    states = {(_millis(row["_source_modified"]), row["_source_size"], row["_source_file"]) for row in rows}
    # Older than every commit. Of two states of a file, the one that was modified last was loaded last.
    return {
        LoadedFile(name, size, modified): -at
        for at, (modified, size, name) in enumerate(sorted(states, reverse=True), 1)
    }


def _millis(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def new_files(table: Table, source: FilesSource, listing: Sequence[LoadedFile], known: Ledger) -> FoundFiles:
    """The files of the listing that are not known by path, size, modification time, and ETag if both have one.

    Old modification times do not matter. With `on_replaced: replace`, only the last loaded state of a file is known: the
    rows of its other states are gone. Raises SourceError GS304 if a file was replaced and the table has
    `on_replaced: fail`.
    """
    names = {file.path for file in known}
    if source.on_replaced == "replace":
        known = _last_states(known)
    tags: dict[tuple[str, int, int], set[str | None]] = {}
    for file in known:
        tags.setdefault(file.state, set()).add(file.etag)
    fresh = [file for file in listing if not _has(tags.get(file.state), file.etag)]
    replaced = tuple(file for file in fresh if file.path in names)
    policy = source.on_replaced
    if replaced and policy == "fail":
        raise SourceError(
            "GS304",
            "A file was replaced after it was loaded, and this table has `on_replaced: fail`.",
            where=Where(file=replaced[0].path, table=table.name),
            hint="Restore the original file with its modification time, or set `on_replaced: load`, `replace` or `ignore`.",
        )
    if policy == "ignore":
        return FoundFiles(tuple(file for file in fresh if file.path not in names), replaced, replaced)
    return FoundFiles(tuple(fresh), replaced, ())


def _last_states(known: Ledger) -> Ledger:
    """The state of each file that was loaded last."""
    last: dict[str, LoadedFile] = {}
    for file in sorted(known, key=lambda file: known[file]):
        last[file.path] = file
    return {file: known[file] for file in last.values()}


def _has(tags: set[str | None] | None, etag: str | None) -> bool:
    """Whether a file with this ETag is known; files read from rows have no ETag."""
    return tags is not None and (etag is None or None in tags or etag in tags)


def check_complete(table: Table, listing: Sequence[LoadedFile], known: Collection[LoadedFile]) -> None:
    """Raises SourceError GS306 if a loaded file no longer exists: a rebuild would lose its rows."""
    present = {file.path for file in listing}
    missing = sorted({file.path for file in known} - present)
    if missing:
        raise SourceError(
            "GS306",
            f"{len(missing)} files that `{table.name}` has loaded no longer exist.",
            where=Where(file=missing[0], table=table.name),
            hint="Restore them: a rebuild of a bronze table reads all its files again.",
        )
