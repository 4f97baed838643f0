"""All commands of the README in a clean clone, and the correctness of the demo's tables."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support import flights_oracle
from support.page import problems_of

REPOSITORY = Path(__file__).resolve().parents[2]


IN_CONTAINERS = ("make up", "docker ", "make sql ")
"""Prefixes of lines that need Docker, which test_compose.py covers."""


def commands() -> list[str]:
    """The lines of the README's shell blocks in order, except those for containers."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(IN_CONTAINERS)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone with uncommitted changes and without ignored files."""
    root = tmp_path_factory.mktemp("clean") / "goldsmith"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        if (REPOSITORY / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, root / name)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def days(full_counts: bool) -> list[date]:
    """The demo's seven days under `make faults`, and fewer otherwise."""
    return [date(2013, 1, 1) + timedelta(number) for number in range(7 if full_counts else 3)]


def follow(line: str, folder: Path, days: list[date]) -> str:
    """Runs one line and returns its output."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    }
    ended = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**environment, "COLUMNS": "160", "DAYS": str(len(days))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"$ {line}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def followed(clone: Path, days: list[date], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The output of each command. `make test` runs this test itself: its existence suffices."""
    shop = tmp_path_factory.mktemp("shop") / "shop"
    outputs = {}
    for line in commands():
        if line == "make test":
            outputs[line] = follow("make --dry-run test", clone, days)
        else:
            outputs[line] = follow(line.replace("/tmp/shop", str(shop)), clone, days)
    return outputs


def test_commands_of_the_readme_work(followed: dict[str, str]) -> None:
    assert "make demo" in followed
    assert "Done: " in followed["make demo"]
    shown = next(text for line, text in followed.items() if "show gold.orders_by_day" in line)
    assert re.search(r"2026-01-05\s+2\s+26\.40", shown), shown
    entries = next(text for line, text in followed.items() if "quarantine show bronze.orders" in line)
    assert "many" in entries


def test_gold_of_the_demo_equals_an_independent_computation(
    followed: dict[str, str], clone: Path, days: list[date], spark: SparkSession
) -> None:
    assert followed
    for name, expected in flights_oracle.GOLD.items():
        frame = expected(days)
        columns = list(frame.columns)
        path = clone / ".goldsmith/warehouse" / name.replace(".", "/")
        found = spark.read.format("delta").load(str(path)).select(*columns).collect()
        wanted = flights_oracle.as_rows(frame)
        assert sorted(map(_comparable, found)) == sorted(map(_comparable, wanted)), name


def _comparable(row: object) -> str:
    values = [f"{value:.9g}" if isinstance(value, float) else str(value) for value in row]  # type: ignore[attr-defined]
    return json.dumps(values)


def test_repeated_demo_makes_no_commit(followed: dict[str, str], clone: Path, days: list[date]) -> None:
    assert followed
    before = _logs(clone)
    assert "Nothing to do" in follow("make demo", clone, days)
    assert _logs(clone) == before


def _logs(clone: Path) -> list[str]:
    return sorted(str(file) for file in (clone / ".goldsmith/warehouse").rglob("_delta_log/*.json"))


def test_demo_report_has_no_errors(followed: dict[str, str], clone: Path) -> None:
    assert followed
    for width in (1440, 390):
        assert problems_of(clone / ".goldsmith/report.html", width=width) == []
