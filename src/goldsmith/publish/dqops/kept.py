"""What people add to generated files by hand and keep: keys that the generator never writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OURS = frozenset({"timestamp_columns", "owner", "schedules_override", "labels", "columns"})
_OURS_IN_COLUMNS = frozenset({"type_snapshot"})
"""Keys that the generator writes for some tables and columns: where it does not, they are taken away."""

_ADDED = ("custom",)
"""Categories of daily checks that are for people's own checks."""


def with_kept(made: Mapping[str, Any], found: Any, *, depth: str = "document") -> dict[str, Any]:
    """The generated document with what a person added to the one that is there.

    Kept are: keys of `spec` and of its columns that the generator has no use for (`filter`, `comments` of a table,
    `groupings`, `profiling_checks`, `partitioned_checks`, ...), monthly checks, checks under `custom`, and further
    properties of the connection. Everything else is as generated.
    """
    merged = dict(made)
    if not isinstance(found, Mapping):
        return merged
    match depth:
        case "document":
            merged["spec"] = with_kept(made["spec"], found.get("spec"), depth="spec")
        case "spec":
            merged = _united(made, found, below={"spark": "spark", "monitoring_checks": "checks"}, ours=_OURS)
            columns = found.get("columns")
            if isinstance(columns, Mapping):
                merged_columns = {
                    name: _united(
                        column,
                        columns.get(name),
                        below={"monitoring_checks": "checks"},
                        ours=_OURS_IN_COLUMNS,
                    )
                    for name, column in made.get("columns", {}).items()
                }
                merged |= {"columns": merged_columns} if merged_columns else {}
        case "spark":
            merged = _united(made, found, below={"properties": "properties"})
        case "properties":
            merged = _united(made, found, below={})
        case "checks":
            merged = _united(made, found, below={"daily": "daily"})
        case "daily":
            merged |= {name: found[name] for name in _ADDED if name in found}
    return merged


def _united(
    made: Mapping[str, Any],
    found: Any,
    *,
    below: Mapping[str, str],
    ours: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The generated keys, those of `below` united in their turn, then what else is there."""
    if not isinstance(found, Mapping):
        return dict(made)
    merged: dict[str, Any] = {}
    for key, value in made.items():
        inner = below.get(key)
        merged[key] = with_kept(value, found.get(key), depth=inner) if inner else value
    added = {key: value for key, value in found.items() if key not in made and key not in ours}
    for key, inner in below.items():
        if key in added:
            kept = with_kept({}, added.pop(key), depth=inner)
            merged |= {key: kept} if kept else {}
    return merged | added
