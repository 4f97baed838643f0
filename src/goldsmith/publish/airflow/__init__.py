"""Airflow DAGs: one per pipeline, with tables as tasks and as assets. `dags` builds them."""
