"""Manual additions to generated files: keys that the generator never writes are preserved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldsmith.publish.dqops.names import GROUPING

_OURS = frozenset({"timestamp_columns", "owner", "schedules_override", "labels", "columns"})
_OURS_IN_COLUMNS = frozenset({"type_snapshot"})
"""Keys that the generator writes for some tables and columns; for the others it removes them."""

_FORMERLY = "${DQOPS_WEBHOOK}"
"""The notification address of former generators. The server never replaced the variable in it."""

_ADDED = ("custom",)
"""Categories of daily checks for the user's own checks."""

_BELOW = {
    "spark": "spark",
    "incident_grouping": "incidents",
    "groupings": "groupings",
    "monitoring_checks": "checks",
}
"""Keys of `spec` that contain both generated and added keys."""


def with_additions(made: Mapping[str, Any], found: Any, *, depth: str = "document") -> dict[str, Any]:
    """The generated document `made` with the manual additions of the existing one, `found`.

    Preserved are: keys of `spec` and of its columns that the generator does not use (`filter`, `comments` of a table,
    `profiling_checks`, `partitioned_checks`, ...), other `groupings`, monthly checks, checks under `custom`, and of the
    connection other properties and the notification addresses. Everything else is generated.
    """
    merged = dict(made)
    if not isinstance(found, Mapping):
        return merged
    match depth:
        case "document":
            merged["spec"] = with_additions(made["spec"], found.get("spec"), depth="spec")
        case "spec":
            merged = _merged(made, found, below=_BELOW, ours=_OURS)
            columns = found.get("columns")
            if isinstance(columns, Mapping):
                merged_columns = {
                    name: _merged(
                        column,
                        columns.get(name),
                        below={"monitoring_checks": "checks"},
                        ours=_OURS_IN_COLUMNS,
                    )
                    for name, column in made.get("columns", {}).items()
                }
                merged |= {"columns": merged_columns} if merged_columns else {}
        case "spark":
            merged = _merged(made, found, below={"properties": "properties"})
        case "properties":
            merged = _merged(made, found, below={})
        case "groupings":
            merged = _merged(made, found, below={}, ours=frozenset({GROUPING}))
        case "incidents":
            merged = _merged(made, found, below={"incident_notification": "notifications"})
        case "notifications":
            merged |= {key: value for key, value in found.items() if value != _FORMERLY}
        case "checks":
            merged = _merged(made, found, below={"daily": "daily"})
        case "daily":
            merged |= {name: found[name] for name in _ADDED if name in found}
    return merged


def _merged(
    made: Mapping[str, Any],
    found: Any,
    *,
    below: Mapping[str, str],
    ours: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The generated keys, with those of `below` merged recursively, then the added keys."""
    if not isinstance(found, Mapping):
        return dict(made)
    merged: dict[str, Any] = {}
    for key, value in made.items():
        inner = below.get(key)
        merged[key] = with_additions(value, found.get(key), depth=inner) if inner else value
    added = {key: value for key, value in found.items() if key not in made and key not in ours}
    for key, inner in below.items():
        if key in added:
            preserved = with_additions({}, added.pop(key), depth=inner)
            merged |= {key: preserved} if preserved else {}
    return merged | added
