"""The interface of what answers `goldsmith sql`."""

from __future__ import annotations

from typing import Protocol

from goldsmith.run.readable import QueryResult


class SqlSession(Protocol):
    """Answers queries one after the other."""

    @property
    def engine(self) -> str:
        """What answers, for people."""
        ...

    def answer(self, query: str, limit: int) -> QueryResult:
        """The first rows of a query. Raises GoldsmithError."""
        ...

    def close(self) -> None:
        """Ends the session."""
        ...
