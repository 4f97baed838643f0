"""The state of a table for one load: looked up once, used until the commit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import Bookmark, TableState
from goldsmith.errors import StorageError, Where
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.ledger import recorded_counter

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from goldsmith.engine.delta.quarantine import QuarantineTable


@dataclass(frozen=True)
class TableHandle:
    """A table, its log and its newest state. bookmark: Goldsmith's last commit; None if there is none.

    session: None if the table is only planned.
    """

    table: Table
    path: str
    log: TableLog
    state: TableState
    bookmark: Bookmark | None
    quarantine_path: str
    session: SparkSession | None = field(repr=False)

    @classmethod
    def opened(cls, session: SparkSession | None, run: Run, table: Table) -> TableHandle:
        """Looks up a table."""
        path = run.path(table.name)
        log = TableLog(path)
        state = log.state()
        bookmark = log.bookmark(state) if state.exists else None
        if state.exists and state.counter == 0:
            state = replace(state, counter=recorded_counter(run, table.name, state.id))
        return cls(table, path, log, state, bookmark, run.quarantine_path(table.name), session)

    @property
    def counter(self) -> int:
        """The counter of the next commit."""
        return self.state.counter + 1

    @cached_property
    def quarantine(self) -> QuarantineTable:
        """The table's quarantine. Only of a handle with a session."""
        from goldsmith.engine.delta.quarantine import QuarantineTable

        return QuarantineTable(self.spark, self.quarantine_path)

    @property
    def spark(self) -> SparkSession:
        """The session of a load."""
        assert self.session is not None
        return self.session

    @property
    def is_foreign(self) -> bool:
        """True if the table exists and none of its commits is Goldsmith's."""
        return self.state.exists and self.state.counter == 0 and not self._is_unfinished

    @property
    def _is_unfinished(self) -> bool:
        """True for a clustered table that was created by a first load that was not committed."""
        first = self.log.commit(0) if self.state.version == 0 else None
        return first is not None and first.operation.startswith("CREATE") and not first.added

    def foreign(self) -> StorageError:
        """The error for a table without a commit of Goldsmith's."""
        name = self.table.name
        return StorageError(
            "GS406",
            f"`{name}` was written by another program.",
            where=Where(file=self.path, table=name),
            hint=f"Move it away, or replace it: `goldsmith run {name} --rebuild {name}`.",
        )
