"""Failures of a case."""

from __future__ import annotations


class Failed(Exception):  # noqa: N818 - the finding itself
    """A broken promise. kind: the category of the failure."""

    def __init__(self, kind: str, table: str, detail: str) -> None:
        super().__init__(f"{kind}: {table}: {detail}")
        self.kind, self.table, self.detail = kind, table, detail

    @property
    def short(self) -> str:
        """The failure in one line."""
        return f"{self.kind}: {self.table}: {' '.join(self.detail.split())}"[:300]
