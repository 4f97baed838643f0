"""DQOps' tasks in a pipeline's DAG: gates after loads, and the exchange of results at the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, TaskGroup

from goldsmith.project.models import Severity
from goldsmith.project.pipelines import Pipeline, Project
from goldsmith.publish.airflow.exchange import CollectResults, ImportVerdicts
from goldsmith.publish.airflow.gates import GateTable, configured
from goldsmith.publish.airflow.operators import LoadTables

GROUP = "dqops"
"""The task group that exchanges results with DQOps."""

POOL = "default_pool"
"""Gates and imports use no slot of the pipeline's pool, because they run no Spark application."""


def gates_of(project: Project, pipeline: Pipeline) -> dict[str, Severity]:
    """The tables of a pipeline with a gate, and its severity; empty without a DQOps server."""
    return _declared(project, pipeline) if configured() else {}


def _declared(project: Project, pipeline: Pipeline) -> dict[str, Severity]:
    names = [table.name for table in project.tables.values() if table.pipeline == pipeline.name]
    return {name: limit for name in names if (limit := project.gate(name)) is not None}


def gates_doc(project: Project, pipeline: Pipeline) -> str | None:
    """The section on gates of a DAG's documentation; None if no gate is declared."""
    declared = _declared(project, pipeline)
    if not declared:
        return None
    listed = ", ".join(f"`{name}` at {limit}" for name, limit in declared.items())
    if configured():
        return f"DQOps checks these tables after their load and stops downstream tables at this severity: {listed}."
    return f"These gates are not part of the DAG, because DQOPS_URL is not set: {listed}."


def gate_after(load: LoadTables, project: Project, table: str, shared: Mapping[str, Any]) -> GateTable:
    """The gate task of a table, after its load: `<layer>.<table>.gate`, in its layer's group."""
    group: Any = load.task_group
    limit = project.gate(table)
    assert limit is not None
    gate = GateTable(
        task_id=f"{table.removeprefix(f'{group.group_id}.')}.gate",
        task_group=group,
        table=table,
        limit=limit,
        after=load.task_id,
        time_limit=project.pipelines[project.tables[table].pipeline].spec.timeout,
        owner=load.owner,
        doc_md=f"DQOps' checks of `{table}`. A result of severity `{limit}` or higher stops downstream tasks.",
        max_active_tis_per_dag=1,
        trigger_rule="none_failed",
        **{**_of(shared, "known", "cron", "project", "priority_weight", "weight_rule"), "pool": POOL},
    )
    gate.set_upstream(load)
    return gate


def exchange_results(dag: DAG, pipeline: Pipeline, shared: Mapping[str, Any], memory: str | None) -> None:
    """The last tasks: import the loads' verdicts into DQOps, then collect DQOps' results.

    They run as teardowns, whatever the state of loads and gates. So they neither hide a failed gate in the run's
    state nor fail a run whose tables all loaded.
    """
    before = [task for task in dag.tasks if isinstance(task, LoadTables | GateTable)]
    gates = {task.table: task.task_id for task in before if isinstance(task, GateTable)}
    with TaskGroup(GROUP):
        importing = ImportVerdicts(
            task_id="import",
            tables=shared["known"],
            gates=gates,
            time_limit=pipeline.spec.timeout,
            max_active_tis_per_dag=1,
            doc_md="Imports the verdicts of the loads' own expectations into DQOps' console.",
            **{**_of(shared, "known", "cron", "project", "priority_weight", "weight_rule"), "pool": POOL},
        )
        collecting = CollectResults(
            task_id="collect",
            name=f"goldsmith {pipeline.name} {GROUP}",
            application=str(Path(shared["project"]) / "jobs" / "collect.py"),
            driver_memory=memory,
            doc_md="Merges DQOps' check results into `ops.dqops_results`.",
            **_of(shared, "project", "profile", "pool", "priority_weight", "weight_rule"),
        )
    importing.set_upstream(before)
    collecting.set_upstream(importing)
    importing.as_teardown()
    collecting.as_teardown()


def _of(shared: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: shared[key] for key in keys}
