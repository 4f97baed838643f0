"""Pipelines as Airflow DAGs: one for each pipeline, tables as tasks and as assets."""

from __future__ import annotations

from goldsmith.publish.airflow.dags import all_dags, check, project_root

__all__ = ["all_dags", "check", "project_root"]
