"""What people add to generated files by hand and keep: keys that the generator never writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldsmith.publish.dqops.names import GROUPING

_OURS = frozenset({"timestamp_columns", "owner", "schedules_override", "labels", "columns"})
_OURS_IN_COLUMNS = frozenset({"type_snapshot"})
"""Keys that the generator writes for some tables and columns: where it does not, they are taken away."""

_FORMERLY = "${DQOPS_WEBHOOK}"
"""The address of notifications that was generated once. The server never replaced the variable in it."""

_ADDED = ("custom",)
"""Categories of daily checks that are for people's own checks."""


_BELOW = {
    "spark": "spark",
    "incident_grouping": "incidents",
    "groupings": "groupings",
    "monitoring_checks": "checks",
}
"""Keys of `spec` that hold what is generated and what people add."""


def with_kept(made: Mapping[str, Any], found: Any, *, depth: str = "document") -> dict[str, Any]:
    """The generated document with what a person added to the one that is there.

    Kept are: keys of `spec` and of its columns that the generator has no use for (`filter`, `comments` of a table,
    `profiling_checks`, `partitioned_checks`, ...), further `groupings`, monthly checks, checks under `custom`, and of
    the connection further properties and the addresses of notifications. Everything else is as generated.
    """
    merged = dict(made)
    if not isinstance(found, Mapping):
        return merged
    match depth:
        case "document":
            merged["spec"] = with_kept(made["spec"], found.get("spec"), depth="spec")
        case "spec":
            merged = _united(made, found, below=_BELOW, ours=_OURS)
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
        case "groupings":
            merged = _united(made, found, below={}, ours=frozenset({GROUPING}))
        case "incidents":
            merged = _united(made, found, below={"incident_notification": "notifications"})
        case "notifications":
            merged |= {key: value for key, value in found.items() if value != _FORMERLY}
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
