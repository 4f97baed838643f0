"""Reports errors in the declarations as a separate import error, without affecting valid DAGs. Defines no DAG."""

from pathlib import Path

from airflow.sdk import get_parsing_context

from goldsmith.publish.airflow.dags import check, project_root

if get_parsing_context().dag_id is None:
    check(project_root(Path(__file__).parent))
