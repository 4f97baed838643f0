"""Measures how long it takes to build the DAGs of 30 tables, without imports. Run it in Airflow's environment:

.venv-airflow/bin/python bench/dag_parse.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from goldsmith.project.loading import load_project, read_project
from goldsmith.publish.airflow.dags import all_dags

PIPELINES, ROUNDS = 6, 21
SQL = """\
WITH ranked AS (
  SELECT id, amount, day, row_number() OVER (PARTITION BY id ORDER BY day DESC) AS place FROM bronze.{name}
)
SELECT id, amount, day, CASE WHEN amount > 100 THEN 'large' ELSE 'small' END AS size FROM ranked WHERE place = 1
"""


def write_project(root: Path) -> None:
    """Six pipelines, each with one bronze, one silver and three gold tables."""
    files = {"goldsmith.yaml": ""}
    for number in range(PIPELINES):
        name = f"p{number}"
        folder = f"pipelines/{name}"
        files |= {
            f"{folder}/pipeline.yaml": "schedule: '0 6 * * *'\nstart_date: 2026-01-01\n",
            f"{folder}/bronze/{name}.yaml": f"source: {{files: '{name}/*.csv', format: csv}}\n"
            "columns: {id: int, amount: int, day: date}\n",
            f"{folder}/silver/{name}.yaml": "description: One row per id.\n",
            f"{folder}/silver/{name}.sql": SQL.format(name=name),
        }
        for part in "abc":
            files[f"{folder}/gold/{name}_{part}.yaml"] = "description: Sums.\n"
            files[f"{folder}/gold/{name}_{part}.sql"] = (
                f"SELECT day, size, sum(amount) AS total FROM silver.{name} GROUP BY day, size\n"
            )
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def milliseconds(action: Callable[[], object]) -> float:
    """The median of some rounds after a warm-up round."""
    action()
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        action()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_project(root)
        print(
            f"{len(load_project(root).tables)} tables in {PIPELINES} pipelines, median of {ROUNDS}, ms of processor time"
        )
        print(f"  all checks            {milliseconds(lambda: load_project(root)):7.1f}")
        print(f"  reading alone         {milliseconds(lambda: read_project(root)):7.1f}")
        print(f"  all DAGs              {milliseconds(lambda: all_dags(root)):7.1f}")
        print(f"  a task's own DAG      {milliseconds(lambda: all_dags(root, only='p3')):7.1f}")


if __name__ == "__main__":
    main()
