"""What one load of a table is going to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from goldsmith.engine.delta.changes import Span
from goldsmith.engine.delta.log import Bookmark, TableLog, TableState
from goldsmith.engine.delta.metadata import Consumed, LoadedFile
from goldsmith.project.tables import Table
from goldsmith.run.ledger import NewFiles

Action = Literal["nothing", "first", "incremental", "full", "rebuild"]


@dataclass(frozen=True)
class Plan:
    """What one load of a table will do, and why.

    log: the table's. upstreams: each at the version that is read. driver: whose span is applied, where the
    load is incremental. consumed: what the table will have consumed after it. references: the version at which
    expectations look up each table that the plan pins. bytes: of all files that may be read, None where that is
    not known. more: changes of other drivers are left for a further load.
    """

    table: Table
    action: Action
    reason: str
    log: TableLog
    state: TableState
    bookmark: Bookmark | None = None
    upstreams: Mapping[str, Consumed] = field(default_factory=dict)
    consumed: Mapping[str, Consumed] = field(default_factory=dict)
    references: Mapping[str, Consumed] = field(default_factory=dict)
    driver: str | None = None
    span: Span | None = None
    files: NewFiles | None = None
    listing: str | None = None
    warning: str | None = None
    bytes: int | None = None
    more: bool = False

    @property
    def counter(self) -> int:
        """The counter that the load's commit will carry."""
        return self.state.counter + 1

    @property
    def loaded(self) -> tuple[LoadedFile, ...]:
        """The files that the load takes."""
        return self.files.files if self.files is not None else ()
