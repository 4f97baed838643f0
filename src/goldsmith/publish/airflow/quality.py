"""Where DQOps stands in a pipeline's DAG: gates behind loads, and the exchange of results at the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, TaskGroup

from goldsmith.project.models import Severity
from goldsmith.project.tables import Pipeline, Project
from goldsmith.publish.airflow.bridge import CollectResults, ImportVerdicts
from goldsmith.publish.airflow.gates import GateTable, configured
from goldsmith.publish.airflow.operators import LoadTables

GROUP = "dqops"
"""The tasks that exchange results with DQOps."""

POOL = "default_pool"
"""Gates and imports take no slot of the pipeline's pool: none of them is a Spark application."""


def gates_of(project: Project, pipeline: Pipeline) -> dict[str, Severity]:
    """The tables of a pipeline that get a gate, with its limit: none where there is no DQOps."""
    return _declared(project, pipeline) if configured() else {}


def _declared(project: Project, pipeline: Pipeline) -> dict[str, Severity]:
    names = [table.name for table in project.tables.values() if table.pipeline == pipeline.name]
    return {name: limit for name in names if (limit := project.gate(name)) is not None}


def gates_told(project: Project, pipeline: Pipeline) -> str | None:
    """What a DAG's documentation says of gates; None where none is declared."""
    declared = _declared(project, pipeline)
    if not declared:
        return None
    told = ", ".join(f"`{name}` at {limit}" for name, limit in declared.items())
    if configured():
        return f"After their load DQOps checks these tables, and a grave result stops what follows: {told}."
    return f"These gates are not part of the DAG, as DQOPS_URL is not set: {told}."


def gate_after(load: LoadTables, project: Project, table: str, shared: Mapping[str, Any]) -> GateTable:
    """The gate of a table behind the task that loads it: `<layer>.<table>.gate`, in its layer's group."""
    group: Any = load.task_group
    limit = project.gate(table)
    assert limit is not None
    gate = GateTable(
        task_id=f"{table.removeprefix(f'{group.group_id}.')}.gate",
        task_group=group,
        table=table,
        limit=limit,
        after=load.task_id,
        patience=project.pipelines[project.tables[table].pipeline].spec.timeout,
        owner=load.owner,
        doc_md=f"DQOps' checks of `{table}`. A result of severity `{limit}` or a graver one stops what follows.",
        max_active_tis_per_dag=1,
        trigger_rule="none_failed",
        **{**_of(shared, "known", "cron", "project", "priority_weight", "weight_rule"), "pool": POOL},
    )
    gate.set_upstream(load)
    return gate


def exchange_results(dag: DAG, pipeline: Pipeline, shared: Mapping[str, Any], memory: str | None) -> None:
    """The last tasks: what loads found goes to DQOps, then what it found comes back.

    They run whatever became of the loads and gates, as teardowns, so that they neither hide a failed gate in the
    run's state nor fail a run whose tables are all there.
    """
    before = [task for task in dag.tasks if isinstance(task, LoadTables | GateTable)]
    gates = {task.table: task.task_id for task in before if isinstance(task, GateTable)}
    with TaskGroup(GROUP):
        importing = ImportVerdicts(
            task_id="import",
            tables=shared["known"],
            gates=gates,
            patience=pipeline.spec.timeout,
            max_active_tis_per_dag=1,
            doc_md="Brings the verdicts of the loads' own expectations into DQOps' console.",
            **{**_of(shared, "known", "cron", "project", "priority_weight", "weight_rule"), "pool": POOL},
        )
        collecting = CollectResults(
            task_id="collect",
            name=f"goldsmith {pipeline.name} {GROUP}",
            application=str(Path(shared["project"]) / "jobs" / "collect.py"),
            driver_memory=memory,
            doc_md="Brings what DQOps' checks found into `ops.dqops_results`.",
            **_of(shared, "project", "profile", "pool", "priority_weight", "weight_rule"),
        )
    importing.set_upstream(before)
    collecting.set_upstream(importing)
    importing.as_teardown()
    collecting.as_teardown()


def _of(shared: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: shared[key] for key in keys}
