"""Foresees what new files do to a table's columns, from the headers of the files and without Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from goldsmith.engine.ingest.formats import reader_of
from goldsmith.engine.ingest.formats.base import LandedFiles, Layout
from goldsmith.engine.ingest.layouts import table_columns
from goldsmith.project.types import widest
from goldsmith.run.context import Run
from goldsmith.run.plan import NewFiles
from goldsmith.run.sources.files import declared_files
from goldsmith.run.sources.type_changes import check_types, kept_types, quarantining, widened

MOST_FILES = 200
"""The number of the newest files whose headers are read."""


@dataclass(frozen=True)
class ColumnChanges:
    """What a load will do to the columns of its table. reason: as a part of the plan's reason."""

    reason: str = ""
    warnings: tuple[str, ...] = ()


def column_changes(run: Run, plan: NewFiles) -> ColumnChanges:
    """The changes that the headers of new files show: of all formats but JSON and XML, and not in `.zst` files.

    Raises SourceError and RunError where the load would.
    """
    landed = LandedFiles(declared_files(plan.table), run.landing)
    newest = sorted(plan.files, key=lambda file: file.modified)[-MOST_FILES:]
    groups = reader_of(landed.declared).headers(landed, newest)
    if not groups:
        return ColumnChanges()
    columns = table_columns(landed.declared, groups)
    if plan.action != "incremental":
        return ColumnChanges()
    before = plan.log.types()
    brought = _brought(columns, tuple(groups))
    known = {name: kind for name, kind in brought.items() if kind}
    kept = kept_types(plan, known)
    arriving = {name: kind for name, kind in known.items() if name not in kept}
    check_types(plan, arriving)
    wider = {name.lower(): arriving[name] for name in widened(plan, arriving)}
    after = {name: wider.get(name.lower(), kind) for name, kind in before.items()}
    present = {name.lower() for name in before}
    after |= {name: kind for name, kind in brought.items() if name.lower() not in present}
    warnings = [
        f"{change.column} is {change.brought} in the new files and remains {change.kind}: rows whose values do not fit "
        "are quarantined"
        for change in quarantining(plan, known)
    ]
    readers = [name for name, needs in run.project.needs.items() if plan.table.name in needs]
    if wider and readers:
        warnings.append(
            f"the changed type makes the next load of {', '.join(readers)} compute the whole table"
        )
    return ColumnChanges(changed_columns(before, after), tuple(warnings))


def changed_columns(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The part of a load's reason about new columns and other types. before: the former columns, empty for a new table."""
    new = [name for name in after if name not in before] if before else []
    words = f"; new {'column' if len(new) == 1 else 'columns'} {', '.join(new)}" if new else ""
    for name, kind in after.items():
        if before.get(name, kind) != kind:
            words += f"; {name} is {kind}, was {before[name]}"
    return words


def _brought(columns: Sequence[str], layouts: Sequence[Layout]) -> dict[str, str]:
    """The type of each column in the files that have it; empty if one of them is not known."""
    found: dict[str, list[str]] = {name.lower(): [] for name in columns}
    for layout in layouts:
        types = layout.types or ["string"] * len(layout.names)
        for name, kind in zip(layout.names, types, strict=True):
            if name.lower() in found:
                found[name.lower()].append(kind)
    return {name: widest(kinds) if all(kinds) else "" for name in columns if (kinds := found[name.lower()])}
