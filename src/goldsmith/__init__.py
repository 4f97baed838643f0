"""Goldsmith: a medallion lakehouse declared table by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goldsmith.notebook import session

__all__ = ["session"]


def __getattr__(name: str) -> Any:
    # Imported lazily: the command and the DAG processor import this package without Spark.
    if name == "session":
        from goldsmith.notebook import session

        return session
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
