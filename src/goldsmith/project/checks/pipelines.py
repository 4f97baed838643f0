"""Checks of what a pipeline declares for its scheduler, against the other pipelines and the project."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.folding import circle_of_layers
from goldsmith.project.graph import find_cycle
from goldsmith.project.suggest import hint_for
from goldsmith.project.tables import Pipeline, Project

MAINTENANCE = "goldsmith_maintenance"
"""The name of the DAG that tidies up; no pipeline can have it."""

_CONNECTION = re.compile(r"^[\w.-]+$")


def check_pipelines(
    project: Project, broken: Collection[str], *, partial: bool = False
) -> Iterator[DeclarationError]:
    """The mistakes. broken: tables that are known by name alone. partial: other pipelines' tables were not read."""
    for pipeline in project.pipelines.values():
        if not partial:
            yield from _after(project, pipeline, broken)
        yield from _settings(project, pipeline)
    yield from _circle(project)


def _after(project: Project, pipeline: Pipeline, broken: Collection[str]) -> Iterator[DeclarationError]:
    for name in pipeline.spec.schedule.after if pipeline.spec.schedule else ():
        where = pipeline.where("schedule", "after")
        table = project.tables.get(name)
        if table is None and name not in broken:
            told = f"There is no table `{name}` to start after."
            yield DeclarationError("GS108", told, where=where, hint=hint_for(name, project.tables))
        elif table is not None and table.pipeline == pipeline.name:
            yield DeclarationError(
                "GS110",
                f"`{name}` is this pipeline's own table: it cannot wait for itself.",
                where=where,
                hint="Name tables of other pipelines; the order inside a pipeline follows from its queries.",
            )


def _settings(project: Project, pipeline: Pipeline) -> Iterator[DeclarationError]:
    spec = pipeline.spec
    if pipeline.name == MAINTENANCE:
        told = f"`{MAINTENANCE}` is the name of Goldsmith's own DAG."
        yield DeclarationError("GS109", told, where=pipeline.where(), hint="Rename the pipeline's folder.")
    if spec.pool not in project.spec.pools:
        told = f"No pool `{spec.pool}` is declared in goldsmith.yaml."
        hint = hint_for(spec.pool, project.spec.pools) or f"As in `pools: {{{spec.pool}: 2}}`."
        yield DeclarationError("GS108", told, where=pipeline.where("pool"), hint=hint)
    if spec.catchup and (spec.start_date is None or spec.schedule is None or spec.schedule.cron is None):
        yield DeclarationError(
            "GS110",
            "`catchup` runs what lies between the start date and now, and needs both `start_date` and a cron.",
            where=pipeline.where("catchup"),
            hint="Declare them, or take `catchup` away.",
        )
    if spec.deadline is not None and not spec.alerts:
        yield DeclarationError(
            "GS110",
            "A `deadline` has nobody to tell: it stops no run.",
            where=pipeline.where("deadline"),
            hint="Name Airflow connections in `alerts`; `timeout` ends tasks that take too long.",
        )
    for index, name in enumerate(spec.alerts):
        if not _CONNECTION.match(name):
            yield DeclarationError(
                "GS103",
                f"`{name}` is no name of an Airflow connection.",
                where=pipeline.where("alerts", index),
                hint="Declare the address as a connection, AIRFLOW_CONN_<NAME>, and write its name here.",
            )
    if spec.tasks == "layer":
        circle = circle_of_layers(project, pipeline)
        if circle is not None:
            yield DeclarationError(
                "GS110",
                f"Layers cannot be tasks here, they need each other: {' -> '.join(circle)}.",
                where=pipeline.where("tasks"),
                hint="Use `tasks: table` or `tasks: pipeline`.",
            )


def _circle(project: Project) -> Iterator[DeclarationError]:
    """Pipelines that wait for each other would start for ever."""
    waits = {
        pipeline.name: tuple(
            dict.fromkeys(
                project.tables[name].pipeline
                for name in (pipeline.spec.schedule.after if pipeline.spec.schedule else ())
                if name in project.tables and project.tables[name].pipeline != pipeline.name
            )
        )
        for pipeline in project.pipelines.values()
    }
    circle = find_cycle(waits)
    if circle is not None:
        yield DeclarationError(
            "GS107",
            f"These pipelines start after each other in a circle: {' -> '.join(circle)}.",
            where=project.pipelines[circle[0]].where("schedule", "after"),
            hint="Give one of them times of its own.",
        )
