"""Airflow DAGs: one per pipeline, with tables as tasks and as assets. `dags` builds them.

It imports declarations and no Spark: tasks submit the jobs of `jobs/`, which load the tables with `run`.
"""
