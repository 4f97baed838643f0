"""Builds DAGs from the declarations: pipelines as DAGs, layers as task groups, tables as tasks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, TaskGroup

from goldsmith.errors import DeclarationErrors, GoldsmithError
from goldsmith.project.checks.pipelines import MAINTENANCE
from goldsmith.project.loading import find_root, load_project, read_project
from goldsmith.project.models import PipelineSpec
from goldsmith.project.pipelines import Pipeline, Project
from goldsmith.project.tasks import Unit, units_of
from goldsmith.publish.airflow.alerts import deadline_of, on_failure
from goldsmith.publish.airflow.assets import asset_of
from goldsmith.publish.airflow.gates import configured
from goldsmith.publish.airflow.maintenance import maintenance_dag
from goldsmith.publish.airflow.operators import DeliverFeed, LoadTables, WaitForTables
from goldsmith.publish.airflow.quality import exchange_results, gate_after, gates_doc, gates_of
from goldsmith.publish.airflow.schedules import cron_of, schedule_of, start_of

FEED = "feed"
"""The task that delivers a pipeline's files, if it has a feed."""

WAIT = "wait"
"""The task that waits for tables of other pipelines, if the schedule has a cron expression too."""

_RETRY_AFTER = timedelta(seconds=30)
_RETRY_AT_MOST = timedelta(minutes=10)


def project_root(beside: Path) -> Path:
    """The project folder: GOLDSMITH_PROJECT, else the nearest project folder at or above `beside`."""
    named = os.environ.get("GOLDSMITH_PROJECT")
    return find_root(Path(named) if named else beside)


def all_dags(root: Path, only: str | None = None) -> dict[str, DAG]:
    """The DAGs of all valid pipelines and the maintenance DAG, by id.

    only: build this DAG alone, without reading tables of other pipelines.
    A pipeline with errors has no DAG; `check` reports them. Raises DeclarationErrors if goldsmith.yaml is invalid.
    """
    reading = read_project(root, None if only is None else (only,))
    project = reading.project
    broken = {str(problem.where.file) for problem in reading.problems}
    wanted = [
        pipeline
        for pipeline in project.pipelines.values()
        if only in (None, pipeline.name) and not any(_below(file, pipeline.folder) for file in broken)
    ]
    dags = {pipeline.name: pipeline_dag(project, pipeline) for pipeline in wanted}
    if project.spec.maintenance is not None and only in (None, MAINTENANCE):
        dags[MAINTENANCE] = maintenance_dag(project, _profile(), driver_memory(project, _profile()))
    return dags


def check(root: Path) -> None:
    """Checks the whole project. Raises ImportError with all errors, each with file, line and hint."""
    try:
        load_project(root)
    except GoldsmithError as error:
        raise ImportError(_error_text(error)) from None


def pipeline_dag(project: Project, pipeline: Pipeline) -> DAG:
    """The DAG of a pipeline."""
    spec = pipeline.spec
    tables = [table.name for table in project.tables.values() if table.pipeline == pipeline.name]
    dag = DAG(
        dag_id=pipeline.name,
        description=spec.description or None,
        doc_md=_docs(project, pipeline),
        schedule=schedule_of(project, pipeline),
        start_date=start_of(pipeline),
        catchup=spec.catchup,
        max_active_runs=spec.max_active_runs,
        tags=sorted({"goldsmith", *spec.tags}),
        params=_form(tables),
        default_args=_defaults(spec),
        deadline=deadline_of(pipeline),
    )
    shared: dict[str, Any] = {
        "known": tables,
        "cron": cron_of(project, pipeline),
        "project": str(project.root),
        "profile": _profile(),
        "pool": spec.pool,
        "priority_weight": spec.priority,
        "weight_rule": "absolute",
    }
    memory = driver_memory(project, _profile())
    # The tasks upstream of the first tables.
    first: list[Any] = []
    gates = gates_of(project, pipeline)
    with dag:
        waited = _wait(project, pipeline, shared)
        if waited is not None:
            first.append(waited)
        feed = (
            DeliverFeed(task_id=FEED, pipeline=pipeline.name, **shared)
            if pipeline.feed_file is not None
            else None
        )
        if feed is not None:
            feed.set_upstream(first)
            first.append(feed)
        # The task after which a table can be read: its gate, else its load.
        ready: dict[str, Any] = {}
        groups: dict[str, TaskGroup] = {}
        for unit in units_of(project, pipeline):
            mine = tuple(name for name in unit.tables if name in gates)
            task = _task(project, pipeline, unit, groups, {**shared, "driver_memory": memory, "gated": mine})
            before = {ready[need].task_id: ready[need] for need in _needs(project, unit) if need in ready}
            task.set_upstream([*before.values()] or first[-1:])
            for name in unit.tables:
                ready[name] = gate_after(task, project, name, shared) if name in gates else task
        if configured():
            exchange_results(dag, pipeline, shared, memory)
    return dag


def _wait(project: Project, pipeline: Pipeline, shared: Mapping[str, Any]) -> WaitForTables | None:
    """The task that delays a run of a cron schedule until the tables in `after` are loaded."""
    schedule = pipeline.spec.schedule
    if schedule is None or schedule.cron is None or not schedule.after:
        return None
    crons = {
        name: cron_of(project, project.pipelines[home])
        for name in schedule.after
        if (home := project.pipeline_of(name)) is not None
    }
    return WaitForTables(task_id=WAIT, tables=crons, known=shared["known"], cron=shared["cron"])


def _task(
    project: Project, pipeline: Pipeline, unit: Unit, groups: dict[str, TaskGroup], shared: Mapping[str, Any]
) -> LoadTables:
    inlets = [asset_of(need) for need in _needs(project, unit)]
    one = project.tables[unit.tables[0]] if len(unit.tables) == 1 else None
    layer, _, short = unit.name.partition(".")
    if short and layer not in groups:
        groups[layer] = TaskGroup(layer)
    return LoadTables(
        task_id=short or unit.name,
        task_group=groups.get(layer),
        tables=unit.tables,
        name=f"goldsmith {pipeline.name} {unit.name}",
        inlets=inlets,
        doc_md=(one.spec.description or None) if one else None,
        owner=(one.spec.owner if one else None) or pipeline.spec.owner or "airflow",
        # One writer per table, also with several active runs.
        max_active_tis_per_dag=1,
        # A manual run may skip tables: their downstream tables are loaded nevertheless.
        trigger_rule="none_failed",
        **shared,
    )


def _needs(project: Project, unit: Unit) -> tuple[str, ...]:
    """The tables outside the unit that it reads."""
    needs = dict.fromkeys(need for name in unit.tables for need in project.tables[name].needs)
    return tuple(need for need in needs if need not in unit.tables)


def _defaults(spec: PipelineSpec) -> dict[str, Any]:
    return {
        "owner": spec.owner or "airflow",
        "retries": spec.retries,
        "retry_delay": _RETRY_AFTER,
        "retry_exponential_backoff": True,
        "max_retry_delay": _RETRY_AT_MOST,
        "execution_timeout": spec.timeout,
        "on_failure_callback": on_failure(spec.alerts),
    }


def _form(tables: list[str]) -> dict[str, Param]:
    """The parameters of a manual run."""
    day: dict[str, Any] = {"type": ["null", "string"], "format": "date"}
    several: dict[str, Any] = {
        "type": ["null", "array"],
        "items": {"type": "string", "enum": tables},
        "examples": tables,
    }
    return {
        "first_day": Param(
            None,
            **day,
            title="First day",
            description="First day of the data interval; empty for no interval.",
        ),
        "last_day": Param(
            None,
            **day,
            title="Last day",
            description="Last day of the data interval; empty for a single day.",
        ),
        "tables": Param(None, **several, title="Tables", description="The tables to load; empty means all."),
        "rebuild": Param(
            None, **several, title="Rebuild", description="The tables to rebuild from all their sources."
        ),
    }


def _docs(project: Project, pipeline: Pipeline) -> str:
    rows = [
        f"| `{table.name}` | {table.load.kind} | {table.spec.description} |"
        for table in project.tables.values()
        if table.pipeline == pipeline.name
    ]
    gates = gates_doc(project, pipeline)
    return "\n".join(
        [
            pipeline.spec.description,
            "",
            "| table | load | |",
            "|---|---|---|",
            *rows,
            *(("", gates) if gates else ()),
        ]
    )


def driver_memory(project: Project, profile: str | None) -> str | None:
    """The driver's heap of the profile; None if the profile takes it from the job's environment."""
    declared = project.spec.profiles.get(profile or project.spec.profile)
    memory = declared.spark.memory if declared else None
    return None if memory is None or "${" in memory else memory


def _profile() -> str | None:
    return os.environ.get("GOLDSMITH_PROFILE")


def _below(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder)


def _error_text(error: GoldsmithError) -> str:
    found = error.problems if isinstance(error, DeclarationErrors) else (error,)
    lines = [f"{problem}" + (f"\n    {problem.hint}" if problem.hint else "") for problem in found]
    return "\n".join(["the declarations have errors", *lines])
