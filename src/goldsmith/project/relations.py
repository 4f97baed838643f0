"""The tables that dashboards can read: gold and `ops`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from goldsmith.project.models import Column, Metric
from goldsmith.project.ops import OPS_TABLES
from goldsmith.project.pipelines import Project
from goldsmith.project.tables import Table
from goldsmith.project.types import is_temporal

SCHEMAS = ("gold", "ops")
"""The schemas that dashboards and analysts read."""

PLATFORM = "Goldsmith"


@dataclass(frozen=True)
class Relation:
    """A table that dashboards can read.

    name: `schema.table`. columns: None if they are unknown. owner: who is responsible for the metrics.
    """

    name: str
    description: str
    columns: Mapping[str, Column] | None
    metrics: Mapping[str, Metric]
    owner: str

    @property
    def schema(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def short(self) -> str:
        return self.name.split(".", 1)[1]

    def is_temporal(self, column: str) -> bool | None:
        """Whether a column holds dates or times; None if its type is unknown."""
        found = (self.columns or {}).get(column)
        if found is None or found.type is None:
            return None
        return is_temporal(found.type)

    @property
    def main_time(self) -> str | None:
        """The first column of dates or times, the default of time filters."""
        return next((name for name in self.columns or {} if self.is_temporal(name)), None)


def relations(project: Project) -> dict[str, Relation]:
    """Every gold table and every table of `ops`, by full name."""
    gold = [_of_table(project, table) for table in project.tables.values() if table.layer == "gold"]
    return {relation.name: relation for relation in (*sorted(gold, key=_name), *_of_ops())}


def _name(relation: Relation) -> str:
    return relation.name


def _of_table(project: Project, table: Table) -> Relation:
    spec, pipeline = table.spec, project.pipelines.get(table.pipeline)
    columns = None
    if table.columns is not None:
        columns = {name: spec.columns.get(name) or Column() for name in table.columns}
    owner = spec.owner or (pipeline.spec.owner if pipeline else None) or project.spec.name
    return Relation(table.name, " ".join(spec.description.split()), columns, spec.metrics, owner)


def _of_ops() -> Iterable[Relation]:
    for table in OPS_TABLES:
        yield Relation(f"ops.{table.name}", table.description, table.columns, table.metrics, PLATFORM)
