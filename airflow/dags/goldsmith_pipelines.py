"""Defines each pipeline of the project as an Airflow DAG. A task process builds only its own DAG."""

from pathlib import Path

from airflow.sdk import get_parsing_context

from goldsmith.publish.airflow.dags import all_dags, project_root

globals().update(all_dags(project_root(Path(__file__).parent), only=get_parsing_context().dag_id))
