"""What a case can end with."""

from __future__ import annotations


class Failed(Exception):  # noqa: N818 - the finding itself
    """The lake is not what was promised. kind: a word by which failures are told apart."""

    def __init__(self, kind: str, table: str, told: str) -> None:
        super().__init__(f"{kind}: {table}: {told}")
        self.kind, self.table, self.told = kind, table, told

    @property
    def short(self) -> str:
        """One line."""
        return f"{self.kind}: {self.table}: {' '.join(self.told.split())}"[:300]
