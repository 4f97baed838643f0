"""An Airflow in this process. Its home and SQLite database are set before Airflow is imported."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[2]
_HOME = Path(tempfile.mkdtemp(prefix="goldsmith-airflow-"))

os.environ |= {
    "AIRFLOW_HOME": str(_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow" / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW_CONN_SPARK_DEFAULT": '{"conn_type": "spark", "host": "local[2]"}',
    "PATH": f"{ROOT}/airflow/bin{os.pathsep}{os.environ['PATH']}",
}
for name in ("GOLDSMITH_PROJECT", "GOLDSMITH_PROFILE", "DQOPS_URL", "DQOPS_CONSOLE_URL", "DQOPS_DATA"):
    os.environ.pop(name, None)

# The recorded DQOps server is shared with the other tests.
sys.path.append(str(ROOT / "tests"))

from support.sessions import SHORT_LIVED  # noqa: E402

os.environ.setdefault("SPARK_SUBMIT_OPTS", SHORT_LIVED)

Write = Callable[[dict[str, str]], Path]


@pytest.fixture(scope="session", autouse=True)
def _home() -> Iterator[None]:
    yield
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a project's files by path, and returns its folder."""

    def written(files: dict[str, str]) -> Path:
        for path, text in {"goldsmith.yaml": "name: shop\n", **files}.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text), encoding="utf-8")
        if not (tmp_path / "jobs").exists():
            (tmp_path / "jobs").symlink_to(ROOT / "jobs")
        return tmp_path

    return written


def pipeline(name: str, settings: str = "", *, above: str | None = None) -> dict[str, str]:
    """The files of a small pipeline: bronze, silver and gold. above: a further upstream of gold."""
    join = f" JOIN {above} AS other ON other.id = mine.id" if above else ""
    return {
        f"pipelines/{name}/pipeline.yaml": settings,
        f"pipelines/{name}/bronze/{name}.yaml": f"""\
            description: As delivered.
            owner: {name}-desk
            source: {{files: "{name}/*.csv", format: csv}}
            columns: {{id: int, amount: int}}
            """,
        f"pipelines/{name}/silver/{name}.yaml": """\
            description: One row per id.
            load: {merge: {key: id, newest_by: amount}}
            expectations:
              - expect_column_values_to_be_between: {column: amount, min_value: 0}
                otherwise: fail
            """,
        f"pipelines/{name}/silver/{name}.sql": f"SELECT id, amount FROM bronze.{name}\n",
        f"pipelines/{name}/gold/{name}.yaml": "description: The sum.\nload: overwrite\n",
        f"pipelines/{name}/gold/{name}.sql": f"SELECT sum(mine.amount) AS total FROM silver.{name} AS mine{join}\n",
    }
