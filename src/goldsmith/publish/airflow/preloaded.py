"""Airflow's command, with the modules of the DAGs already imported. Usage: python -m ... dag-processor|scheduler

The DAG processor forks a process per file and interval, and the scheduler one per task. The import takes most of the
time of such a process, unless it inherits the modules.
"""

from __future__ import annotations

import airflow.__main__ as command

import goldsmith.publish.airflow.dags  # noqa: F401 - for the forked processes

if __name__ == "__main__":
    command.main()
