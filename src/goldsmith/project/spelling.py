"""Matches column names in a declaration to the table's columns, case-insensitively as Spark SQL does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from goldsmith.project.models import TableSpec


def match_case(spec: TableSpec, columns: Collection[str]) -> TableSpec:
    """The declaration with its column names in the case of `columns`; unknown names stay unchanged.

    SQL and expectations stay unchanged: Spark resolves their names itself.
    """
    known = {name.lower(): name for name in columns}
    if all(known.get(name.lower(), name) == name for name in _named(spec)):
        return spec
    changed: dict[str, object] = {
        "load": spec.load.match_case(known) if spec.load else None,
        "cluster_by": _names(spec.cluster_by, known),
        "columns": {known.get(name.lower(), name): column for name, column in spec.columns.items()},
    }
    if isinstance(spec.fresh_within, dict):
        changed["fresh_within"] = {
            known.get(name.lower(), name): age for name, age in spec.fresh_within.items()
        }
    return spec.model_copy(update=changed)


def _named(spec: TableSpec) -> tuple[str, ...]:
    load, fresh = spec.load, spec.fresh_within
    named = load.named if load else ()
    return (*named, *spec.cluster_by, *spec.columns, *(fresh if isinstance(fresh, dict) else ()))


def _names(names: tuple[str, ...], known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(known.get(name.lower(), name) for name in names)
