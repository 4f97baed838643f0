"""What one load of a table is going to do."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from goldsmith.engine.delta.changes import Span
from goldsmith.engine.delta.log import TableLog, TableState
from goldsmith.engine.delta.metadata import Consumed, LoadedFile
from goldsmith.project.tables import Table
from goldsmith.run.handle import TableHandle

UNKNOWN_SIZE = sys.maxsize
"""Bytes, where nothing says how much there is to read: as much as can be."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What all plans have. reason: why this and nothing else. warnings: what a person should hear of."""

    handle: TableHandle
    reason: str
    warnings: tuple[str, ...] = ()

    @property
    def table(self) -> Table:
        return self.handle.table

    @property
    def log(self) -> TableLog:
        return self.handle.log

    @property
    def state(self) -> TableState:
        return self.handle.state

    @property
    def counter(self) -> int:
        """The counter that the load's commit will carry."""
        return self.handle.counter


@dataclass(frozen=True, kw_only=True)
class Nothing(Planned):
    """The table is up to date."""

    action: ClassVar[Literal["nothing"]] = "nothing"


@dataclass(frozen=True, kw_only=True)
class NewFiles(Planned):
    """Delivered files are loaded. listing: of all files there are, as commits keep it. bytes: of those to read."""

    action: Literal["first", "incremental", "rebuild"]
    files: tuple[LoadedFile, ...]
    listing: str
    bytes: int = UNKNOWN_SIZE


@dataclass(frozen=True, kw_only=True)
class Whole(Planned):
    """The whole table is computed. upstreams: each at the version that is read. bytes: of all of them."""

    action: Literal["first", "full", "rebuild"]
    upstreams: Mapping[str, Consumed]
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Changes(Planned):
    """The changes of one upstream, the driver, are applied.

    upstreams: each at the version that is read. consumed: what the table had consumed before. references: the
    version at which expectations look up each table. more: changes of other drivers are left for a further load.
    """

    action: ClassVar[Literal["incremental"]] = "incremental"
    upstreams: Mapping[str, Consumed]
    consumed: Mapping[str, Consumed]
    references: Mapping[str, Consumed]
    driver: str
    span: Span
    bytes: int
    more: bool


@dataclass(frozen=True, kw_only=True)
class Again(Planned):
    """Quarantined rows go through the rules of today. consumed: what the table has consumed, and still has after it."""

    action: ClassVar[Literal["incremental"]] = "incremental"
    consumed: Mapping[str, Consumed]


LoadPlan = NewFiles | Whole | Changes
"""What a load does."""

Plan = Nothing | LoadPlan

CommitPlan = LoadPlan | Again
"""Whatever ends in a commit."""


def replaces(plan: CommitPlan) -> bool:
    """Whether the commit replaces all that the table holds."""
    return plan.action != "incremental"


def files_of(plan: LoadPlan) -> tuple[LoadedFile, ...]:
    """The files that are loaded."""
    return plan.files if isinstance(plan, NewFiles) else ()


def consumed_by(plan: LoadPlan) -> Mapping[str, Consumed]:
    """The upstreams as the table has consumed them after the load."""
    match plan:
        case NewFiles():
            return {}
        case Whole() | Changes():
            return plan.upstreams


def references_of(plan: CommitPlan) -> Mapping[str, Consumed]:
    """The version at which expectations look up each table that the plan pins."""
    match plan:
        case NewFiles():
            return {}
        case Whole():
            return plan.upstreams
        case Changes():
            return plan.references
        case Again():
            return plan.consumed
