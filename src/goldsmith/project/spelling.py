"""Names of columns in a declaration, spelt as the table's columns are: case does not count, as in Spark SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from goldsmith.project.models import TableSpec


def respelt(spec: TableSpec, columns: Collection[str]) -> TableSpec:
    """The declaration with every column that it names spelt as in `columns`; names that are not there stay.

    SQL and expectations stay as they are written: Spark resolves their names itself.
    """
    known = {name.lower(): name for name in columns}
    if all(known.get(name.lower(), name) == name for name in _named(spec)):
        return spec
    changed: dict[str, object] = {
        "load": spec.load.respelt(known) if spec.load else None,
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
