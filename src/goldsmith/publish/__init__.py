"""What is derived from declarations for other programs: Airflow, Superset, DQOps, OpenLineage, and the report.

Each stands by itself. What fills the tables is in `run`.
"""
