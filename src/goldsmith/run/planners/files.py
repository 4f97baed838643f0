"""Plans bronze tables: which delivered files they have not loaded."""

from __future__ import annotations

from typing_extensions import override

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import Bookmark
from goldsmith.engine.ingest.landing import listing_digest
from goldsmith.project.sources import FilesSource
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.ledger import Ledger, added_since, check_complete, known_files, new_files
from goldsmith.run.plan import NewFiles, Nothing, Plan
from goldsmith.run.planners.base import Planner
from goldsmith.run.type_check import check_types_unchanged


class FilesPlanner(Planner):
    """Compares the listing of the landing area with the files that the table has loaded."""

    @override
    def changed_declaration(self, table: Table, log: TableLog, bookmark: Bookmark) -> None:
        """Raises RunError GS405 for a changed type. A changed declaration applies to new files only."""
        check_types_unchanged(table, log, bookmark, self.type_change_hint(table))

    @override
    def plan(self, run: Run, handle: TableHandle, *, force_full: str | None) -> Plan:
        """Plans to load the files that the table has not loaded yet."""
        table, bookmark = handle.table, handle.bookmark
        requested = table.name in run.rebuild
        if handle.is_foreign and not requested:
            raise handle.foreign()
        if bookmark is not None and not requested:
            self.changed_declaration(table, handle.log, bookmark)
        warnings = row_warnings(run, handle)
        listing = run.landing.files(declared_glob(table).files, table=table.name)
        digest = listing_digest(listing)
        if (
            bookmark is not None
            and bookmark.metadata.listing == digest
            and not bookmark.restored
            and not requested
        ):
            return Nothing(handle=handle, reason="no new files", warnings=warnings)
        if requested:
            check_complete(table, listing, loaded_files(run, handle))
            return NewFiles(
                handle=handle, reason="asked for", action="rebuild", files=listing, listing=digest
            )
        found = added_since(listing, bookmark)
        if found is None:
            found = new_files(table, declared_glob(table), listing, loaded_files(run, handle))
        types = [column.type for column in table.spec.columns.values()]
        if not found.files and not handle.state.exists and declared_glob(table).gives_columns(types):
            # Created without rows, so that its downstream tables can load.
            return NewFiles(handle=handle, reason="no files yet", action="first", files=(), listing=digest)
        if not found.files:
            ignored = f"; {len(found.ignored)} replaced files are ignored" if found.ignored else ""
            return Nothing(handle=handle, reason="no new files" + ignored, warnings=warnings)
        reason = f"{len(found.files)} new file{'s' if len(found.files) > 1 else ''}"
        if found.replaced:
            reason += f", {len(found.replaced)} of them replaced"
        return NewFiles(
            handle=handle,
            reason=reason,
            warnings=warnings,
            action="incremental" if handle.state.exists else "first",
            files=found.files,
            listing=digest,
            replaces_files=bool(found.replaced) and declared_glob(table).on_replaced == "replace",
            bytes=sum(file.size for file in found.files),
        )

    @override
    def type_change_hint(self, table: Table) -> str:
        """Bronze is only rebuilt on request."""
        rebuild = f"`goldsmith run {table.name} --rebuild {table.name}`"
        return f"Run {rebuild} to read all its files again: bronze is never rebuilt automatically."

    @override
    def is_empty(self, run: Run, table: Table) -> bool:
        """True if there are no files."""
        return not run.landing.files(declared_glob(table).files, table=table.name)


def declared_glob(table: Table) -> FilesSource:
    """The declaration of a table that reads the files of a glob."""
    assert isinstance(table.spec.source, FilesSource)
    return table.spec.source


def loaded_files(run: Run, handle: TableHandle) -> Ledger:
    """All files that the table has loaded."""
    if not handle.state.counter:
        return {}
    return known_files(handle.session, run, handle.table, handle.log, handle.bookmark)


def row_warnings(run: Run, handle: TableHandle) -> tuple[str, ...]:
    """The warning for rows written by other programs. Deletions from bronze are allowed."""
    name, bookmark = handle.table.name, handle.bookmark
    unexpected = [operation for operation in bookmark.foreign if operation != "DELETE"] if bookmark else []
    if not unexpected or name in run.rebuild:
        return ()
    return (
        f"its rows were changed outside Goldsmith ({', '.join(unexpected)}); "
        f"`goldsmith run {name} --rebuild {name}` restores the delivered rows",
    )
