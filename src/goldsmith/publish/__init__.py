"""Integrations generated from the declarations: Airflow, Superset, DQOps, OpenLineage, and the report.

They are independent of each other. `run` loads the tables.
"""
