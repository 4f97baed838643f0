"""docs/architecture.md names existing modules, and one module for each common question."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "goldsmith"

LOOK_UPS = {
    "how a merge deletes rows that were deleted upstream": (
        "run/loads/touched_keys.py",
        "def keys_of_removed",
    ),
    "how changes become versions": ("engine/delta/history.py", "def versions"),
    "which columns a merge declares": ("project/loads/merge.py", "class Merge"),
    "how new files are distinguished from loaded ones": ("run/ledger.py", "def new_files"),
    "how text is cast to a typed value": ("engine/ingest/casting.py", "def cast_exactly"),
    "which metadata a commit carries": ("engine/delta/metadata.py", "class CommitMetadata"),
    "how Goldsmith recovers from a killed run": ("run/recovery.py", "def recover"),
    "why a query cannot be loaded incrementally": ("project/sql/incremental/linear.py", "def linear_in"),
    "how the quarantine table is written": ("engine/delta/quarantine.py", "class QuarantineTable"),
    "where the Spark session is created": ("engine/launch/session.py", "def make_session"),
    "which expectations exist": ("quality/kinds.py", "expect_column_values_to_exist_in"),
    "how a pipeline's schedule becomes a timetable": ("publish/airflow/schedules.py", "def schedule_of"),
    "how DQOps' results decide a gate": ("publish/dqops/verdict.py", "def "),
}
"""The file below src/goldsmith that answers each question, and a text in it."""


@pytest.mark.parametrize("question", LOOK_UPS)
def test_file_answers_the_question(question: str) -> None:
    path, found = LOOK_UPS[question]
    assert found in (SOURCE / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("question", LOOK_UPS)
def test_page_names_the_file(question: str) -> None:
    path, _ = LOOK_UPS[question]
    package, _, module = path.removesuffix(".py").replace("/", ".").rpartition(".")
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{package}` |")]
    assert f"`{package}.{module}" in PAGE or any(f"`{module}`" in row for row in rows)


def test_modules_named_on_the_page_exist() -> None:
    named = set(re.findall(r"`((?:project|quality|engine|run|publish|cli)(?:\.[a-z_]+)+)", PAGE))
    assert named
    for name in named:
        module, _, last = name.rpartition(".")
        file = SOURCE / name.replace(".", "/")
        if not (file.is_dir() or file.with_suffix(".py").is_file()):
            assert last in (SOURCE / module.replace(".", "/")).with_suffix(".py").read_text(
                encoding="utf-8"
            ), name


def test_files_named_for_extensions_exist() -> None:
    section = PAGE[PAGE.index("## To add something") :]
    paths = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|/))`", section))
    assert paths
    for path in paths:
        assert (SOURCE / path).exists() or (ROOT / path).exists(), path


def test_every_package_has_a_docstring() -> None:
    for file in SOURCE.rglob("__init__.py"):
        assert file.read_text(encoding="utf-8").startswith('"""'), file
