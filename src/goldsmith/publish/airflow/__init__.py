"""Pipelines as Airflow DAGs: one for each pipeline, tables as tasks and as assets. `dags` builds them."""
