"""Decides which delivered files a bronze table loads."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from goldsmith.engine.delta.log import Bookmark, TableLog, TableState
from goldsmith.engine.ingest.landing import listed
from goldsmith.engine.ingest.shape import same_type
from goldsmith.errors import RunError, StorageError, Where
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.ledger import NewFiles, added_since, check_complete, known_files, new_files
from goldsmith.run.plan import Action, Plan


def plan_files(
    spark: SparkSession, run: Run, table: Table, log: TableLog, state: TableState, bookmark: Bookmark | None
) -> Plan:
    """The plan for a bronze table: the files that it has not loaded yet."""
    assert table.spec.source is not None
    asked = table.name in run.rebuild
    if state.exists and state.counter == 0 and not asked and not just_made(log, state):
        raise foreign(run, table)
    if bookmark is not None and not asked:
        refuse_other_types(table, log, bookmark)
    warning = _warning(run, table, bookmark)
    listing = run.landing.files(table.spec.source.files, table=table.name)
    seen = listed(listing)
    if bookmark is not None and bookmark.metadata.listing == seen and not bookmark.restored and not asked:
        return Plan(table, "nothing", "no new files", log, state, bookmark, warning=warning)
    if asked:
        known = known_files(spark, run, table, log, bookmark) if state.counter else frozenset()
        check_complete(table, listing, known)
        every = NewFiles(listing, (), ())
        return Plan(table, "rebuild", "asked for", log, state, bookmark, files=every, listing=seen)
    found = added_since(listing, bookmark)
    if found is None:
        known = known_files(spark, run, table, log, bookmark) if state.counter else frozenset()
        found = new_files(table, listing, known)
    if not found.files and not state.exists and _known_before_files(table):
        # Made without rows, so that what is built on it can load.
        return Plan(table, "first", "no files yet", log, state, bookmark, files=found, listing=seen)
    if not found.files:
        ignored = f"; {len(found.ignored)} replaced files are ignored" if found.ignored else ""
        return Plan(table, "nothing", "no new files" + ignored, log, state, bookmark, warning=warning)
    reason = f"{len(found.files)} new file{'s' if len(found.files) > 1 else ''}"
    if found.replaced:
        reason += f", {len(found.replaced)} of them replaced"
    action: Action = "incremental" if state.exists else "first"
    size = sum(file.size for file in found.files)
    return Plan(
        table,
        action,
        reason,
        log,
        state,
        bookmark,
        files=found,
        listing=seen,
        warning=warning,
        bytes=size,
    )


def _warning(run: Run, table: Table, bookmark: Bookmark | None) -> str | None:
    """What is said of rows that came past the landing area. Deleting from bronze is an operator's right."""
    strange = [operation for operation in bookmark.foreign if operation != "DELETE"] if bookmark else []
    if not strange or table.name in run.rebuild:
        return None
    return (
        f"its rows were changed outside Goldsmith ({', '.join(strange)}); "
        f"`goldsmith run {table.name} --rebuild {table.name}` makes it what was delivered"
    )


def _known_before_files(table: Table) -> bool:
    """Whether the declaration says what the columns will be: text where it names no type, but for Parquet's own types."""
    assert table.spec.source is not None
    columns = table.spec.columns.values()
    return bool(columns) and (table.spec.source.format != "parquet" or all(column.type for column in columns))


def just_made(log: TableLog, state: TableState) -> bool:
    """True for a clustered table whose first load did not come to its commit: made, and empty."""
    return state.version == 0 and log.commit(0).operation.startswith("CREATE") and not log.commit(0).added


def refuse_other_types(table: Table, log: TableLog, bookmark: Bookmark) -> None:
    """Raises RunError GS405 where a changed declaration gives a column another type than the table has."""
    if bookmark.metadata.definition == table.definition:
        return
    held = {name.lower(): kind for name, kind in log.types().items()}
    for name, column in table.spec.columns.items():
        kind = held.get(name.lower())
        if kind is not None and column.type and not same_type(column.type, kind):
            rebuild = f"`goldsmith run {table.name} --rebuild {table.name}`"
            hint = f"Bronze is never rebuilt by itself: {rebuild} reads all its files again."
            if table.spec.source is None:
                hint = (
                    f"A load rebuilds it and judges its quarantined rows again: `goldsmith run {table.name}`."
                )
            raise RunError(
                "GS405",
                f"`{table.name}` holds {name} as {kind}, and it is declared as {column.type} now.",
                where=table.where("columns", name),
                hint=hint,
            )


def refuse_types_of_files(table: Table, held: Mapping[str, str], delivered: StructType) -> None:
    """Raises RunError GS405 where files bring an undeclared column with another type than the table has.

    held: the table's columns and their types. Declared columns are cast and never differ.
    """
    types = {name.lower(): kind for name, kind in held.items()}
    for field in delivered.fields:
        brought, kind = field.dataType.simpleString(), types.get(field.name.lower())
        if kind is not None and kind != brought:
            raise RunError(
                "GS405",
                f"`{table.name}` holds {field.name} as {kind}, and the files have it as {brought}.",
                where=table.where("columns"),
                hint=f"Declare it: `{field.name}: {kind}` keeps what it is, and quarantines what does not fit. "
                f"`goldsmith run {table.name} --rebuild {table.name}` reads all its files again instead.",
            )


def foreign(run: Run, table: Table) -> StorageError:
    """The error for a table in whose log no commit is Goldsmith's."""
    return StorageError(
        "GS406",
        f"`{table.name}` was written by something other than Goldsmith.",
        where=Where(file=run.path(table.name), table=table.name),
        hint=f"Move it away, or replace it: `goldsmith run {table.name} --rebuild {table.name}`.",
    )
