"""Columns that are delivered with another type than their table has, and what the declaration makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from goldsmith.errors import RunError
from goldsmith.project.tables import Table
from goldsmith.project.types import family, widens
from goldsmith.run.plan import NewFiles

_VOID = "void"
"""The type of a column that no file of the load has."""


@dataclass(frozen=True)
class TypeChange:
    """A column without a declared type. kind: its type in the table. brought: that of the files."""

    column: str
    kind: str
    brought: str

    @property
    def is_wider(self) -> bool:
        return widens(self.kind, self.brought)

    @property
    def always_fits(self) -> bool:
        """Whether the table's type has every value of the files."""
        return self.brought == _VOID or widens(self.brought, self.kind)


def kept_types(plan: NewFiles, delivered: Mapping[str, str]) -> dict[str, str]:
    """The table's types that the values of other types are cast to, by column.

    A rebuild keeps those that are declared to be kept, and takes the files' types else.
    """
    return {
        change.column: change.kind
        for change in _changes(plan, delivered)
        if (change.always_fits and plan.action == "incremental") or _is_kept_by_policy(plan, change)
    }


def quarantining(plan: NewFiles, delivered: Mapping[str, str]) -> list[TypeChange]:
    """The columns that keep their type although the files may have other values, whose rows are quarantined."""
    return [
        change
        for change in _changes(plan, delivered)
        if _is_kept_by_policy(plan, change) and not change.always_fits
    ]


def _is_kept_by_policy(plan: NewFiles, change: TypeChange) -> bool:
    quarantines = plan.table.spec.on_changed_type == "quarantine"
    return quarantines and not change.is_wider and family(change.kind) != "nested"


def check_types(plan: NewFiles, rows: Mapping[str, str]) -> None:
    """Raises RunError GS405 if a column of an incremental load has a type that the table cannot take."""
    if plan.action != "incremental":
        return
    table = plan.table
    for change in _changes(plan, rows):
        if change.is_wider and table.spec.on_widened_type == "widen":
            continue
        raise RunError(
            "GS405",
            f"The column {change.column} of `{table.name}` has the type {change.kind}, "
            f"and {change.brought} in the files.",
            where=table.where("columns"),
            hint=f"{_remedy(table, change)}, or read all files again: "
            f"`goldsmith run {table.name} --rebuild {table.name}`.",
        )


def widened(plan: NewFiles, rows: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that a load widens."""
    if plan.action != "incremental":
        return ()
    return tuple(change.column for change in _changes(plan, rows) if change.is_wider)


def _changes(plan: NewFiles, rows: Mapping[str, str]) -> Iterator[TypeChange]:
    if not plan.state.exists:
        return
    declared = {name.lower() for name, column in plan.table.spec.columns.items() if column.type}
    types = {name.lower(): kind for name, kind in plan.log.types().items()}
    for name, brought in rows.items():
        kind = types.get(name.lower())
        if kind is not None and kind != brought and name.lower() not in declared:
            yield TypeChange(name, kind, brought)


def _remedy(table: Table, change: TypeChange) -> str:
    if table.spec.source is not None and table.spec.source.may_change_types:
        if change.is_wider:
            return f"Set `on_widened_type: widen` to change the type to {change.brought}"
        if family(change.kind) != "nested":
            return "Set `on_changed_type: quarantine` to keep the type and quarantine other values"
    return f"Declare `{change.column}: {change.kind}` to keep the type and quarantine other values"
