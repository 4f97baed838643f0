"""Which delivered files a bronze table has loaded.

A table's commits name the files they loaded, so that rows and ledger cannot disagree; `ops.files` keeps
the same for ever. Where both are lost, the rows themselves tell (`_source_file` and its companions).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.log import NO_TABLE, Bookmark, HistoryGone, TableLog
from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.landing import added_to
from goldsmith.errors import SourceError, Where
from goldsmith.project.sources import FilesSource
from goldsmith.project.tables import Table
from goldsmith.run.context import Run


@dataclass(frozen=True)
class FoundFiles:
    """What a listing holds that the table does not. replaced: of these, the ones loaded before in another state."""

    files: tuple[LoadedFile, ...]
    replaced: tuple[LoadedFile, ...]
    ignored: tuple[LoadedFile, ...]


def added_since(listing: Sequence[LoadedFile], bookmark: Bookmark | None) -> FoundFiles | None:
    """What came since the table's last load, where the listings alone tell; None if the ledger must be asked."""
    if bookmark is None or bookmark.restored or bookmark.metadata.listing is None:
        return None
    added = added_to(bookmark.metadata.listing, listing)
    return FoundFiles(added, (), ()) if added is not None else None


def known_files(
    spark: SparkSession, run: Run, table: Table, log: TableLog, bookmark: Bookmark | None
) -> frozenset[LoadedFile]:
    """Every file that the table has loaded, in each state it was loaded in."""
    if bookmark is None:
        return _from_rows(spark, run.path(table.name))
    recorded, last = _recorded(spark, run, table, bookmark)
    recent = log.committed_since(last)
    files = {
        file for commit in recent if not bookmark.metadata.is_void(commit.counter) for file in commit.files
    }
    first = min((commit.counter for commit in recent), default=last + 1)
    if first > last + 1:
        # Commits are gone that nothing recorded: the rows themselves still tell.
        files |= _from_rows(spark, run.path(table.name))
    return frozenset(recorded | files)


def _recorded(spark: SparkSession, run: Run, table: Table, bookmark: Bookmark) -> tuple[set[LoadedFile], int]:
    """What ops.files holds of the table, and up to which counter the table is recorded."""
    log = TableLog(spark, run.path("ops.files"))
    if log.version() == NO_TABLE:
        return set(), 0
    last = recorded(log).get(table.name, (bookmark.state.id, 0))
    if last[0] != bookmark.state.id:
        return set(), 0
    frame = spark.read.format("delta").load(log.path)
    mine = (F.col("table") == table.name) & (F.col("table_id") == bookmark.state.id)
    rows = [row for row in frame.where(mine).collect() if not bookmark.metadata.is_void(row.counter)]
    tagged = "etag" in frame.columns
    files = {LoadedFile(row.path, row.size, row.modified_ms, row.etag if tagged else None) for row in rows}
    return files, last[1]


def recorded(log: TableLog) -> dict[str, tuple[str, int]]:
    """Of each table, the Delta id and the counter up to which one of the platform's own tables has recorded it.

    Read from the newest commit that says so; empty if there is none.
    """
    version = log.version()
    while version >= 0:
        try:
            told = log.commit(version).user_metadata
        except HistoryGone:
            break
        if told and '"recorded"' in told:
            held: dict[str, list[Any]] = json.loads(told)["recorded"]
            return {table: (str(id_), int(counter)) for table, (id_, counter) in held.items()}
        version -= 1
    return {}


def recorded_counter(spark: SparkSession, run: Run, table: str, table_id: str) -> int:
    """The last counter that `ops.table_runs` has of a table, for one whose log names none any more; else 0."""
    id_, counter = recorded(TableLog(spark, run.path("ops.table_runs"))).get(table, ("", 0))
    return counter if id_ == table_id else 0


def _from_rows(spark: SparkSession, path: str) -> frozenset[LoadedFile]:
    frame: DataFrame = spark.read.format("delta").load(path)
    rows = frame.select(
        "_source_file", "_source_size", F.unix_millis("_source_modified").alias("modified")
    ).distinct()
    return frozenset(LoadedFile(row._source_file, row._source_size, row.modified) for row in rows.collect())


def new_files(
    table: Table, source: FilesSource, listing: Sequence[LoadedFile], known: frozenset[LoadedFile]
) -> FoundFiles:
    """The listing less what is known, by path, size, modification time and ETag, where both have one; old times are
    no reason to skip a file.

    Raises SourceError GS304 if a file was replaced and the table says `on_replaced: fail`.
    """
    names = {file.path for file in known}
    tags: dict[tuple[str, int, int], set[str | None]] = {}
    for file in known:
        tags.setdefault(file.state, set()).add(file.etag)
    fresh = [file for file in listing if not _has(tags.get(file.state), file.etag)]
    replaced = tuple(file for file in fresh if file.path in names)
    policy = source.on_replaced
    if replaced and policy == "fail":
        raise SourceError(
            "GS304",
            "A file was replaced after it was loaded, and this table says `on_replaced: fail`.",
            where=Where(file=replaced[0].path, table=table.name),
            hint="Put the former file back, with its modification time; or say `on_replaced: load` or `ignore`.",
        )
    if policy == "ignore":
        return FoundFiles(tuple(file for file in fresh if file.path not in names), replaced, replaced)
    return FoundFiles(tuple(fresh), replaced, ())


def _has(tags: set[str | None] | None, etag: str | None) -> bool:
    """Whether a file with this ETag is among those that are known; rows alone do not tell theirs."""
    return tags is not None and (etag is None or None in tags or etag in tags)


def check_complete(table: Table, listing: Sequence[LoadedFile], known: frozenset[LoadedFile]) -> None:
    """Raises SourceError GS306 if a file that was loaded is not there any more: a rebuild would lose its rows."""
    present = {file.path for file in listing}
    missing = sorted({file.path for file in known} - present)
    if missing:
        raise SourceError(
            "GS306",
            f"{len(missing)} files that `{table.name}` has loaded are not there any more.",
            where=Where(file=missing[0], table=table.name),
            hint="Bring them back; a rebuild of bronze reads everything again.",
        )
