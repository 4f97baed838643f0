"""The newest state of a table, and Goldsmith's last commit in it."""

from __future__ import annotations

from dataclasses import dataclass

from goldsmith.engine.delta.metadata import CommitMetadata

NO_TABLE = -1
"""The version of a table that does not exist."""


class HistoryGone(Exception):  # noqa: N818 - an expected state of an old log
    """The log no longer has the requested versions."""


@dataclass(frozen=True)
class TableState:
    """A table's newest state. version: NO_TABLE if it does not exist. counter: that of Goldsmith's last commit."""

    version: int
    id: str
    counter: int

    @property
    def exists(self) -> bool:
        return self.version != NO_TABLE


@dataclass(frozen=True)
class Bookmark:
    """Goldsmith's last commit that is in effect, and the state of the table."""

    state: TableState
    version: int
    metadata: CommitMetadata
    restored: bool
    """True if a RESTORE made it the last commit, and nothing was loaded since."""

    @property
    def foreign(self) -> tuple[str, ...]:
        """Operations that changed rows outside Goldsmith after the commit, or between it and its base version."""
        return self.metadata.foreign
