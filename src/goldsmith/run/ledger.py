"""Which delivered files a bronze table has loaded.

A table's commits name the files they loaded, so that rows and ledger cannot disagree; `ops.files` keeps
the same for ever. Where both are lost, the rows themselves tell (`_source_file` and its companions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.log import Bookmark, TableLog
from goldsmith.engine.metadata import LoadedFile
from goldsmith.errors import SourceError, Where
from goldsmith.project.tables import Table
from goldsmith.run.context import Run


@dataclass(frozen=True)
class NewFiles:
    """What a listing holds that the table does not. replaced: of these, the ones loaded before in another state."""

    files: tuple[LoadedFile, ...]
    replaced: tuple[LoadedFile, ...]
    ignored: tuple[LoadedFile, ...]


def known_files(
    spark: SparkSession, run: Run, table: Table, log: TableLog, bookmark: Bookmark | None
) -> frozenset[LoadedFile]:
    """Every file that the table has loaded, in each state it was loaded in."""
    if not log.state().exists:
        return frozenset()
    recorded, last = _recorded(spark, run, table, bookmark)
    if bookmark is None and not recorded:
        return _from_rows(spark, run.path(table.name))
    recent = {
        file
        for metadata in log.committed_since(last)
        if bookmark is None or not bookmark.metadata.is_void(metadata.counter)
        for file in metadata.files
    }
    return frozenset(recorded | recent)


def _recorded(
    spark: SparkSession, run: Run, table: Table, bookmark: Bookmark | None
) -> tuple[set[LoadedFile], int]:
    """What ops.files holds of the table, and up to which counter."""
    path = run.path("ops.files")
    if not TableLog(spark, path).state().exists:
        return set(), 0
    rows = spark.read.format("delta").load(path).where(F.col("table") == table.name).collect()
    valid = [row for row in rows if bookmark is None or not bookmark.metadata.is_void(row.counter)]
    files = {LoadedFile(row.path, row.size, row.modified_ms) for row in valid}
    return files, max((row.counter for row in rows), default=0)


def _from_rows(spark: SparkSession, path: str) -> frozenset[LoadedFile]:
    frame: DataFrame = spark.read.format("delta").load(path)
    rows = frame.select(
        "_source_file", "_source_size", F.unix_millis("_source_modified").alias("modified")
    ).distinct()
    return frozenset(LoadedFile(row._source_file, row._source_size, row.modified) for row in rows.collect())


def new_files(table: Table, listing: Sequence[LoadedFile], known: frozenset[LoadedFile]) -> NewFiles:
    """The listing less what is known, by path, size and modification time; old times are no reason to skip a file.

    Raises SourceError GS304 where a file was replaced and the table says `on_replaced: fail`.
    """
    assert table.spec.source is not None
    names = {file.path for file in known}
    fresh = [file for file in listing if file not in known]
    replaced = tuple(file for file in fresh if file.path in names)
    policy = table.spec.source.on_replaced
    if replaced and policy == "fail":
        raise SourceError(
            "GS304",
            "A file was replaced after it was loaded, and this table says `on_replaced: fail`.",
            where=Where(file=replaced[0].path, table=table.name),
            hint="Put the former file back, or say `on_replaced: load` or `ignore`.",
        )
    if policy == "ignore":
        return NewFiles(tuple(file for file in fresh if file.path not in names), replaced, replaced)
    return NewFiles(tuple(fresh), replaced, ())


def check_complete(table: Table, listing: Sequence[LoadedFile], known: frozenset[LoadedFile]) -> None:
    """Raises SourceError GS306 where a file that was loaded is not there any more: a rebuild would lose its rows."""
    present = {file.path for file in listing}
    missing = sorted({file.path for file in known} - present)
    if missing:
        raise SourceError(
            "GS306",
            f"{len(missing)} files that `{table.name}` has loaded are not there any more.",
            where=Where(file=missing[0], table=table.name),
            hint="Bring them back; a rebuild of bronze reads everything again.",
        )
