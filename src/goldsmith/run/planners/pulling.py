"""Plans tables whose source each load asks for new rows."""

from __future__ import annotations

from typing_extensions import override

from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.ledger import check_complete
from goldsmith.run.plan import NewFiles, Plan, Pull
from goldsmith.run.planners.files import FilesPlanner, loaded_files, row_warnings


class PullingPlanner(FilesPlanner):
    """Plans to ask the source."""

    @override
    def plan(self, run: Run, handle: TableHandle, *, force_full: str | None) -> Plan:
        """Plans to ask the source. A rebuild reads the staged files again, and does not ask it."""
        table, bookmark = handle.table, handle.bookmark
        if table.name in run.rebuild and bookmark is not None:
            known = loaded_files(run, handle)
            found = (run.landing.state(path) for path in sorted({file.path for file in known}))
            files = tuple(file for file in found if file is not None)
            check_complete(table, files, known)
            return NewFiles(
                handle=handle,
                reason="asked for",
                action="rebuild",
                files=files,
                pulled=bookmark.metadata.pulled,
            )
        if handle.is_foreign and table.name not in run.rebuild:
            raise handle.foreign()
        if bookmark is not None:
            self.changed_declaration(table, handle.log, bookmark)
        return Pull(handle=handle, reason=f"asks {table.origin}", warnings=row_warnings(run, handle))

    @override
    def is_empty(self, run: Run, table: Table) -> bool:
        """Only the source knows."""
        return False
