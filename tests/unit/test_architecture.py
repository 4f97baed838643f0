"""docs/architecture.md against the code: what it names is there, and a stranger's questions lead to one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "goldsmith"

LOOK_UPS = {
    "what a merge does with rows that left its upstream": ("run/loads/merge.py", "def _keys_of"),
    "which columns a merge declares": ("project/loads.py", "class Merge"),
    "how new files are told from loaded ones": ("run/ledger.py", "def new_files"),
    "when text becomes a typed value": ("engine/ingest/casting.py", "def cast_exactly"),
    "what a commit says of itself": ("engine/delta/metadata.py", "class CommitMetadata"),
    "what a killed run leaves, and how it is settled": ("run/recovery.py", "def recover"),
    "why a query cannot be loaded from its changes": ("project/sql/incremental/linear.py", "def linear_in"),
    "what quarantined rows are kept with": ("engine/delta/quarantine.py", "class Quarantine"),
    "where the Spark session is made": ("engine/launch/session.py", "def make_session"),
    "which expectations there are": ("quality/kinds.py", "expect_column_values_to_exist_in"),
    "how a pipeline's schedule becomes a timetable": ("publish/airflow/schedules.py", "def schedule_of"),
    "what DQOps' answers mean for a gate": ("publish/dqops/verdict.py", "def "),
}
"""Questions, the file below src/goldsmith that answers each, and what is found there."""


@pytest.mark.parametrize("question", LOOK_UPS)
def test_a_question_leads_to_one_place(question: str) -> None:
    path, found = LOOK_UPS[question]
    assert found in (SOURCE / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("question", LOOK_UPS)
def test_the_page_leads_there(question: str) -> None:
    path, _ = LOOK_UPS[question]
    package, _, module = path.removesuffix(".py").replace("/", ".").rpartition(".")
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{package}` |")]
    assert f"`{package}.{module}" in PAGE or any(f"`{module}`" in row for row in rows)


def test_every_module_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:project|quality|engine|run|publish|cli)(?:\.[a-z_]+)+)", PAGE))
    assert named
    for name in named:
        module, _, last = name.rpartition(".")
        file = SOURCE / name.replace(".", "/")
        if not (file.is_dir() or file.with_suffix(".py").is_file()):
            assert last in (SOURCE / module.replace(".", "/")).with_suffix(".py").read_text(
                encoding="utf-8"
            ), name


def test_every_file_to_touch_is_there() -> None:
    section = PAGE[PAGE.index("## To add something") :]
    paths = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|/))`", section))
    assert paths
    for path in paths:
        assert (SOURCE / path).exists() or (ROOT / path).exists(), path


def test_every_package_says_what_it_holds() -> None:
    for file in SOURCE.rglob("__init__.py"):
        assert file.read_text(encoding="utf-8").startswith('"""'), file
