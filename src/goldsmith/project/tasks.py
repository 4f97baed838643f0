"""Groups the tables of a pipeline into the tasks that a scheduler starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from goldsmith.project.graph import find_cycle, in_order
from goldsmith.project.models import LAYERS
from goldsmith.project.pipelines import Pipeline, Project


@dataclass(frozen=True)
class Unit:
    """The tables that one task loads, in loading order. name: the table, the layer, or `tables` for all.

    after: the units of the same pipeline that must be loaded first.
    """

    name: str
    tables: tuple[str, ...]
    after: tuple[str, ...]


def units_of(project: Project, pipeline: Pipeline) -> tuple[Unit, ...]:
    """The tasks of a pipeline in an order in which they can run, by its key `tasks`."""
    tables = [table for table in project.tables.values() if table.pipeline == pipeline.name]
    unit_of = {table.name: _unit(pipeline, table.name) for table in tables}
    members: dict[str, list[str]] = {}
    for table in tables:
        members.setdefault(unit_of[table.name], []).append(table.name)
    after = _after({table.name: table.needs for table in tables}, unit_of)
    order = in_order(after)
    return tuple(Unit(name, tuple(members[name]), after[name]) for name in order)


def cycle_of_layers(project: Project, pipeline: Pipeline) -> tuple[str, ...] | None:
    """A cycle among the pipeline's layers, which then cannot be one task each; None if there is none."""
    tables = [table for table in project.tables.values() if table.pipeline == pipeline.name]
    unit_of = {table.name: table.layer for table in tables}
    return find_cycle(_after({table.name: table.needs for table in tables}, unit_of))


def _unit(pipeline: Pipeline, table: str) -> str:
    match pipeline.spec.tasks:
        case "table":
            return table
        case "layer":
            return table.split(".", 1)[0]
        case "pipeline":
            return "tables"


def _after(needs: Mapping[str, tuple[str, ...]], unit_of: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {unit: {} for unit in sorted(set(unit_of.values()), key=_place)}
    for name, wanted in needs.items():
        for need in wanted:
            if need in unit_of and unit_of[need] != unit_of[name]:
                found[unit_of[name]][unit_of[need]] = None
    return {unit: tuple(upstream) for unit, upstream in found.items()}


def _place(unit: str) -> tuple[int, str]:
    layer = unit.split(".", 1)[0]
    return (LAYERS.index(layer) if layer in LAYERS else len(LAYERS), unit)
