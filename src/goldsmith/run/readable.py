"""The tables that queries can read, and the rows of an answer. No Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.state import NO_TABLE
from goldsmith.errors import DeclarationError
from goldsmith.project.hints import hint_for
from goldsmith.project.ops import OPS_TABLES
from goldsmith.run.context import Run

OPS = tuple(f"ops.{table.name}" for table in OPS_TABLES)


@dataclass(frozen=True)
class QueryResult:
    """Rows of a query, with dates, timestamps and intervals as text. more: there are rows beyond the limit.

    moments: the positions of timestamp columns, from 0.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    moments: frozenset[int] = frozenset()

    def as_dicts(self) -> list[dict[str, Any]]:
        """The rows for JSON: timestamps in ISO 8601, duplicate names with a number appended."""
        names: list[str] = []
        for at, name in enumerate(self.columns):
            names.append(name if name not in self.columns[:at] else f"{name}_{at + 1}")
        return [
            {
                name: value.replace(" ", "T", 1) if at in self.moments and value is not None else value
                for at, (name, value) in enumerate(zip(names, row, strict=True))
            }
            for row in self.rows
        ]


def paths_of(run: Run) -> dict[str, str]:
    """The paths of all tables of a project, including quarantines and `ops`."""
    paths = {name: run.path(name) for name in (*run.project.tables, *OPS)}
    return paths | {
        f"quarantine.{name.replace('.', '_')}": run.quarantine_path(name) for name in run.project.tables
    }


def loaded(path: str) -> bool:
    """Whether there is a Delta table at a path."""
    return TableLog(path).version() != NO_TABLE


def unreadable(name: str, paths: Mapping[str, str]) -> DeclarationError:
    """The error GS202 for a table that is not declared, or that has not been loaded."""
    if name not in paths:
        return DeclarationError("GS202", f"There is no table `{name}`.", hint=hint_for(name, list(paths)))
    if name.startswith("quarantine."):
        return DeclarationError("GS202", f"`{name}` does not exist: no row was ever quarantined.")
    return DeclarationError(
        "GS202", f"`{name}` has not been loaded yet.", hint=f"Load it: `goldsmith run {name}`."
    )
