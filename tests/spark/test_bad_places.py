"""Warehouses that are full, read-only, or contain other files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goldsmith.run.table_status import table_statuses
from support import places
from support.lake import Lake

NAME = "bronze.notes"


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The result of each run of places.py, by the state of the disk."""
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    folder = tmp_path_factory.mktemp("places")
    try:
        subprocess.run(
            [*namespace, "mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no namespaces for mounts on this machine: {error}")
    script = str(Path(places.__file__).resolve())
    done = subprocess.run(
        [*namespace, sys.executable, script, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "PYTHONPATH": str(Path(script).parents[1])},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {item["moment"]: item for item in lines}


def test_full_disk_is_reported_and_nothing_is_committed(moments: dict[str, dict[str, Any]]) -> None:
    full = moments["full"]
    assert full[NAME]["code"] == "GS402"
    assert "The disk is full" in full[NAME]["message"]
    assert NAME in full[NAME]["message"]
    assert "/.goldsmith/warehouse/bronze/notes" in full[NAME]["message"]
    assert "Free space" in full[NAME]["hint"]
    assert full[NAME]["rows"] == 0
    assert full["silver.notes"]["status"] == "skipped"
    assert "disk is full" in full["record"][0]


def test_run_after_freeing_space_loads_each_row_once(moments: dict[str, dict[str, Any]]) -> None:
    for name in (NAME, "silver.notes"):
        room = moments["room"][name]
        assert (room["status"], room["rows"], room["keys"]) == ("done", places.ROWS, places.ROWS)
    assert moments["room"]["record"] == []


def test_read_only_warehouse_is_reported(moments: dict[str, dict[str, Any]]) -> None:
    found = moments["read-only"][NAME]
    assert (found["code"], found["rows"]) == ("GS402", places.ROWS)
    assert "cannot be written" in found["message"]
    assert "read-only" in found["hint"]


def test_run_after_remounting_writable_loads_new_rows(moments: dict[str, dict[str, Any]]) -> None:
    for name in (NAME, "silver.notes"):
        assert moments["writable"][name]["rows"] == moments["writable"][name]["keys"] == places.ROWS + 1
        assert moments["again"][name]["status"] == "nothing_new"


@pytest.fixture
def notes(lake: Lake) -> Lake:
    lake.declare(NAME, "source: {files: notes/*.csv, format: csv}\ncolumns: {id: int}")
    lake.deliver("notes/a.csv", "id\n1\n2\n")
    return lake


@pytest.mark.parametrize("other", ["notes.txt", "day=1/part-0.parquet", "_SUCCESS"])
def test_folder_with_other_files_is_refused_and_unchanged(notes: Lake, other: str) -> None:
    foreign = Path(notes.path(NAME)) / other
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    error = notes.failed(NAME).error
    assert error is not None
    assert error.code == "GS401", str(error)
    assert other.split("/", maxsplit=1)[0] in error.message
    assert notes.path(NAME) in str(error.where)
    assert "Move them away" in str(error.hint)
    [status] = table_statuses(notes.spark, notes.begin())
    assert (status.status, status.version) == ("failed", None)
    assert foreign.read_text() == "mine"
    foreign.rename(notes.root / "elsewhere")
    if "/" in other:
        foreign.parent.rmdir()
    assert notes.done()[NAME].counts.written == 2


def test_file_at_the_path_of_a_table_is_reported(notes: Lake) -> None:
    path = Path(notes.path(NAME))
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    error = notes.failed(NAME).error
    assert error is not None
    assert error.code in ("GS401", "GS402"), str(error)
    assert notes.path(NAME) in str(error.where)
    path.unlink()
    assert notes.done()[NAME].counts.written == 2


def test_warehouse_that_cannot_be_created_is_reported(notes: Lake) -> None:
    path = notes.root / ".goldsmith/warehouse"
    path.write_text("mine")
    error = notes.failed(NAME).error
    assert error is not None
    assert error.code == "GS402", str(error)
    assert notes.path(NAME) in str(error.where)
    path.unlink()
    assert notes.done()[NAME].counts.written == 2
