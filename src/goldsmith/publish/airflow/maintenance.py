"""The maintenance DAG: compacts and vacuums tables, and removes Airflow's old records."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable

from goldsmith.project.checks.pipelines import MAINTENANCE
from goldsmith.project.pipelines import Project
from goldsmith.publish.airflow.operators import DropOldRecords, MaintainTables
from goldsmith.publish.airflow.schedules import FIRST_WITHIN

_RECORDS_DAYS = 90


def maintenance_dag(project: Project, profile: str | None, memory: str | None) -> DAG:
    """One task for all tables, one for Airflow's records older than 90 days."""
    shared: dict[str, Any] = {"retries": 1, "retry_delay": timedelta(minutes=5)}
    with DAG(
        dag_id=MAINTENANCE,
        description="Compacts tables, removes unreferenced files and old Airflow records.",
        # Without a start date the first run waits for its scheduled time. With one in the past it would start at once.
        schedule=CronTriggerTimetable(project.spec.maintenance, timezone="UTC", run_immediately=FIRST_WITHIN),
        catchup=False,
        max_active_runs=1,
        tags=["goldsmith"],
        default_args=shared,
    ) as dag:
        MaintainTables(
            task_id="tables",
            name="goldsmith maintenance",
            application=str(Path(project.root) / "jobs" / "maintain.py"),
            project=str(project.root),
            profile=profile,
            driver_memory=memory,
            pool=next(iter(project.spec.pools), "default_pool"),
        )
        DropOldRecords(task_id="airflow_records", days=_RECORDS_DAYS)
    return dag
