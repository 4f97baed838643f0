"""The interface of planners: what a table's source has for it, from logs and the landing area. No Spark."""

from __future__ import annotations

from abc import ABC, abstractmethod

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import Bookmark
from goldsmith.project.tables import Table
from goldsmith.run.context import Run
from goldsmith.run.handle import TableHandle
from goldsmith.run.plan import Plan


class Planner(ABC):
    """Plans the loads of tables with one kind of source."""

    @abstractmethod
    def plan(self, run: Run, handle: TableHandle, *, force_full: str | None) -> Plan:
        """Plans a load. force_full: the reason to read everything. Raises SourceError, StorageError and RunError."""

    @abstractmethod
    def changed_declaration(self, table: Table, log: TableLog, bookmark: Bookmark) -> str | None:
        """Why the declaration of a loaded table makes its next load compute the whole table; None if it does not.

        Raises RunError GS405 or GS509 if the load is refused.
        """

    @abstractmethod
    def type_change_hint(self, table: Table) -> str:
        """The hint for a declared column whose type differs from the table's."""

    @abstractmethod
    def is_empty(self, run: Run, table: Table) -> bool:
        """True if it is known without reading a table that there are no rows to load."""
