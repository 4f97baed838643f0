"""Names of columns in a declaration, spelt as the table's columns are: case does not count, as in Spark SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from goldsmith.project.models import Load, Merge, OverwritePartitions, TableSpec


def respelt(spec: TableSpec, columns: Collection[str]) -> TableSpec:
    """The declaration with every column that it names spelt as in `columns`; names that are not there stay.

    SQL and expectations stay as they are written: Spark resolves their names itself.
    """
    known = {name.lower(): name for name in columns}
    if all(known.get(name.lower(), name) == name for name in _named(spec)):
        return spec
    changed: dict[str, object] = {
        "load": _load(spec.load, known),
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
    key = (*load.key, *load.newest_by) if isinstance(load, Merge) else ()
    by = load.by if isinstance(load, OverwritePartitions) else ()
    return (*key, *by, *spec.cluster_by, *spec.columns, *(fresh if isinstance(fresh, dict) else ()))


def _load(load: Load | None, known: Mapping[str, str]) -> Load | None:
    if isinstance(load, Merge):
        return load.model_copy(
            update={"key": _names(load.key, known), "newest_by": _names(load.newest_by, known)}
        )
    if isinstance(load, OverwritePartitions):
        return load.model_copy(update={"by": _names(load.by, known)})
    return load


def _names(names: tuple[str, ...], known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(known.get(name.lower(), name) for name in names)
