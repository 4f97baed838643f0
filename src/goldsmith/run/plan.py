"""Plans of loads."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.metadata import Consumed, LoadedFile, Pulled
from goldsmith.engine.delta.spans import Span
from goldsmith.engine.delta.state import TableState
from goldsmith.project.tables import Table
from goldsmith.run.handle import TableHandle

UNKNOWN_SIZE = sys.maxsize
"""The size in bytes of an unknown input: the greatest possible number."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Base class of plans. reason: why this plan was chosen. warnings: for the user."""

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
        """The counter of the load's commit."""
        return self.handle.counter


@dataclass(frozen=True, kw_only=True)
class Nothing(Planned):
    """The table is up to date."""

    action: ClassVar[Literal["nothing"]] = "nothing"


@dataclass(frozen=True, kw_only=True)
class Pull(Planned):
    """Asks the source for new rows. day: the day to ask for; None for everything new."""

    action: ClassVar[Literal["pull"]] = "pull"
    day: date | None = None


@dataclass(frozen=True, kw_only=True)
class NewFiles(Planned):
    """Loads delivered files. listing: the digest of all listed files; None for files that a source was asked for.

    pulled: the answer of that source. day: the day that it was asked for, whose rows are replaced. replaces_files: the
    load replaces the former rows of these files. bytes: the size of the files to load.
    """

    action: Literal["first", "incremental", "rebuild"]
    files: tuple[LoadedFile, ...]
    listing: str | None = None
    pulled: Pulled | None = None
    day: date | None = None
    replaces_files: bool = False
    bytes: int = UNKNOWN_SIZE


@dataclass(frozen=True, kw_only=True)
class Whole(Planned):
    """Computes the whole table. upstreams: the versions to read. bytes: the size of all of them."""

    action: Literal["first", "full", "rebuild"]
    upstreams: Mapping[str, Consumed]
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Changes(Planned):
    """Applies the changes of one upstream, the driver.

    upstreams: the versions to read. consumed: the versions consumed before. references: the versions of the tables
    that expectations look up. more: changes of other drivers remain for a further load.
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
class ReleasePlan(Planned):
    """Re-evaluates quarantined rows. consumed: the consumed versions, which do not change."""

    action: ClassVar[Literal["incremental"]] = "incremental"
    consumed: Mapping[str, Consumed]


LoadPlan = NewFiles | Whole | Changes
"""Plans of loads that write rows."""

Plan = Nothing | Pull | LoadPlan

CommitPlan = LoadPlan | ReleasePlan
"""Plans that end in a commit."""


def replaces(plan: CommitPlan) -> bool:
    """Whether the commit replaces all rows of the table."""
    return plan.action != "incremental"


def files_of(plan: LoadPlan) -> tuple[LoadedFile, ...]:
    """The files that a plan loads."""
    return plan.files if isinstance(plan, NewFiles) else ()


def consumed_by(plan: LoadPlan) -> Mapping[str, Consumed]:
    """The versions that the table has consumed after the load."""
    match plan:
        case NewFiles():
            return {}
        case Whole() | Changes():
            return plan.upstreams


def references_of(plan: CommitPlan) -> Mapping[str, Consumed]:
    """The pinned versions of the tables that expectations look up."""
    match plan:
        case NewFiles():
            return {}
        case Whole():
            return plan.upstreams
        case Changes():
            return plan.references
        case ReleasePlan():
            return plan.consumed
