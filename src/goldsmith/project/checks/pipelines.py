"""Checks pipeline declarations against other pipelines and the project."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.graph import find_cycle
from goldsmith.project.hints import hint_for
from goldsmith.project.pipelines import Pipeline, Project
from goldsmith.project.tasks import cycle_of_layers

MAINTENANCE = "goldsmith_maintenance"
"""The name of the maintenance DAG, reserved among pipelines."""

_CONNECTION = re.compile(r"^[\w.-]+$")


def check_pipelines(
    project: Project, broken: Collection[str], *, partial: bool = False
) -> Iterator[DeclarationError]:
    """Mistakes in pipelines. broken: tables whose files could not be read. partial: not all pipelines were read."""
    for pipeline in project.pipelines.values():
        if not partial:
            yield from _after(project, pipeline, broken)
        yield from _settings(project, pipeline)
    yield from _cycle(project)


def _after(project: Project, pipeline: Pipeline, broken: Collection[str]) -> Iterator[DeclarationError]:
    for name in pipeline.spec.schedule.after if pipeline.spec.schedule else ():
        where = pipeline.where("schedule", "after")
        table = project.tables.get(name)
        if table is None and name not in broken:
            message = f"`schedule.after` names `{name}`, which is not a table."
            yield DeclarationError("GS108", message, where=where, hint=hint_for(name, project.tables))
        elif table is not None and table.pipeline == pipeline.name:
            yield DeclarationError(
                "GS110",
                f"`{name}` is a table of this pipeline: a pipeline cannot start after its own tables.",
                where=where,
                hint="Name tables of other pipelines. The order within a pipeline follows from its queries.",
            )


def _settings(project: Project, pipeline: Pipeline) -> Iterator[DeclarationError]:
    spec = pipeline.spec
    if pipeline.name == MAINTENANCE:
        message = f"`{MAINTENANCE}` is the name of Goldsmith's maintenance DAG."
        yield DeclarationError("GS109", message, where=pipeline.where(), hint="Rename the pipeline's folder.")
    if spec.pool not in project.spec.pools:
        message = f"The pool `{spec.pool}` is not declared in goldsmith.yaml."
        hint = hint_for(spec.pool, project.spec.pools) or f"Declare it, as in `pools: {{{spec.pool}: 2}}`."
        yield DeclarationError("GS108", message, where=pipeline.where("pool"), hint=hint)
    if spec.catchup and (spec.start_date is None or spec.schedule is None or spec.schedule.cron is None):
        yield DeclarationError(
            "GS110",
            "`catchup` needs both `start_date` and a cron expression.",
            where=pipeline.where("catchup"),
            hint="Declare them, or remove `catchup`.",
        )
    if spec.deadline is not None and not spec.alerts:
        yield DeclarationError(
            "GS110",
            "A `deadline` has no effect without `alerts`: it does not stop runs.",
            where=pipeline.where("deadline"),
            hint="Name Airflow connections in `alerts`. Use `timeout` to stop tasks that take too long.",
        )
    for index, name in enumerate(spec.alerts):
        if not _CONNECTION.match(name):
            yield DeclarationError(
                "GS103",
                f"`{name}` is not a valid name of an Airflow connection.",
                where=pipeline.where("alerts", index),
                hint="Declare the address as a connection, AIRFLOW_CONN_<NAME>, and use its name here.",
            )
    if spec.tasks == "layer":
        cycle = cycle_of_layers(project, pipeline)
        if cycle is not None:
            yield DeclarationError(
                "GS110",
                f"`tasks: layer` is not possible: the layers depend on each other in a cycle: {' -> '.join(cycle)}.",
                where=pipeline.where("tasks"),
                hint="Use `tasks: table` or `tasks: pipeline`.",
            )


def _cycle(project: Project) -> Iterator[DeclarationError]:
    """A cycle of pipelines that start after each other; none of them would ever start."""
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
    cycle = find_cycle(waits)
    if cycle is not None:
        yield DeclarationError(
            "GS107",
            f"These pipelines start after each other in a cycle: {' -> '.join(cycle)}.",
            where=project.pipelines[cycle[0]].where("schedule", "after"),
            hint="Give one of them a cron expression instead.",
        )
