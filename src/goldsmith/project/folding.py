"""Tables as tasks: how a pipeline's tables are folded into the units that a scheduler starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from goldsmith.project.graph import find_cycle, in_order
from goldsmith.project.models import LAYERS
from goldsmith.project.tables import Pipeline, Project


@dataclass(frozen=True)
class Unit:
    """What one task loads. name: of the table, the layer, or `tables` for all. tables: in loading order.

    after: the units of the same pipeline that must be done first.
    """

    name: str
    tables: tuple[str, ...]
    after: tuple[str, ...]


def units_of(project: Project, pipeline: Pipeline) -> tuple[Unit, ...]:
    """The pipeline's tasks in an order in which they can run, as its `tasks` declares."""
    tables = [table for table in project.tables.values() if table.pipeline == pipeline.name]
    home = {table.name: _unit(pipeline, table.name) for table in tables}
    members: dict[str, list[str]] = {}
    for table in tables:
        members.setdefault(home[table.name], []).append(table.name)
    after = _after({table.name: table.needs for table in tables}, home)
    order = in_order(after)
    return tuple(Unit(name, tuple(members[name]), after[name]) for name in order)


def circle_of_layers(project: Project, pipeline: Pipeline) -> tuple[str, ...] | None:
    """The layers of the pipeline that need each other, so that they cannot be one task each; else None."""
    tables = [table for table in project.tables.values() if table.pipeline == pipeline.name]
    home = {table.name: table.layer for table in tables}
    return find_cycle(_after({table.name: table.needs for table in tables}, home))


def _unit(pipeline: Pipeline, table: str) -> str:
    match pipeline.spec.tasks:
        case "table":
            return table
        case "layer":
            return table.split(".", 1)[0]
        case "pipeline":
            return "tables"


def _after(needs: Mapping[str, tuple[str, ...]], home: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {unit: {} for unit in sorted(set(home.values()), key=_place)}
    for name, wanted in needs.items():
        for need in wanted:
            if need in home and home[need] != home[name]:
                found[home[name]][home[need]] = None
    return {unit: tuple(upstream) for unit, upstream in found.items()}


def _place(unit: str) -> tuple[int, str]:
    layer = unit.split(".", 1)[0]
    return (LAYERS.index(layer) if layer in LAYERS else len(LAYERS), unit)
