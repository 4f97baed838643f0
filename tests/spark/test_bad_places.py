"""Warehouses that are full, cannot be written, or hold something else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support import places
from support.lake import Lake

NAME = "bronze.notes"


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each run of places.py ended with, by the state of the disk."""
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
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {item["moment"]: item for item in told}


def test_a_full_disk_is_said_so_and_nothing_is_committed(moments: dict[str, dict[str, Any]]) -> None:
    full = moments["full"]
    assert full[NAME]["code"] == "GS402"
    assert "The disk is full" in full[NAME]["message"]
    assert NAME in full[NAME]["message"]
    assert "/.goldsmith/warehouse/bronze/notes" in full[NAME]["message"]
    assert "Free space" in full[NAME]["hint"]
    assert full[NAME]["rows"] == 0
    assert full["silver.notes"]["status"] == "skipped"
    assert "disk is full" in full["record"][0]


def test_with_room_the_next_run_loads_everything_once(moments: dict[str, dict[str, Any]]) -> None:
    for name in (NAME, "silver.notes"):
        room = moments["room"][name]
        assert (room["status"], room["rows"], room["keys"]) == ("done", places.ROWS, places.ROWS)
    assert moments["room"]["record"] == []


def test_a_read_only_warehouse_is_said_so(moments: dict[str, dict[str, Any]]) -> None:
    found = moments["read-only"][NAME]
    assert (found["code"], found["rows"]) == ("GS402", places.ROWS)
    assert "cannot be written" in found["message"]
    assert "read-only" in found["hint"]


def test_writable_again_the_next_run_goes_on(moments: dict[str, dict[str, Any]]) -> None:
    for name in (NAME, "silver.notes"):
        assert moments["writable"][name]["rows"] == moments["writable"][name]["keys"] == places.ROWS + 1
        assert moments["again"][name]["status"] == "nothing_new"


@pytest.fixture
def notes(lake: Lake) -> Lake:
    lake.declare(NAME, "source: {files: notes/*.csv, format: csv}\ncolumns: {id: int}")
    lake.deliver("notes/a.csv", "id\n1\n2\n")
    return lake


@pytest.mark.parametrize("other", ["notes.txt", "day=1/part-0.parquet", "_SUCCESS"])
def test_a_folder_with_something_else_is_left_alone(notes: Lake, other: str) -> None:
    strange = Path(notes.path(NAME)) / other
    strange.parent.mkdir(parents=True)
    strange.write_text("mine")
    error = notes.failed(NAME).error
    assert error is not None
    assert error.code == "GS401", str(error)
    assert other.split("/", maxsplit=1)[0] in error.message
    assert notes.path(NAME) in str(error.where)
    assert "Move them away" in str(error.hint)
    assert strange.read_text() == "mine"
    strange.rename(notes.root / "elsewhere")
    if "/" in other:
        strange.parent.rmdir()
    assert notes.done()[NAME].counts.written == 2


def test_a_file_where_a_folder_belongs(notes: Lake) -> None:
    place = Path(notes.path(NAME))
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    error = notes.failed(NAME).error
    assert error is not None
    assert error.code in ("GS401", "GS402"), str(error)
    assert notes.path(NAME) in str(error.where)
    place.unlink()
    assert notes.done()[NAME].counts.written == 2


def test_a_warehouse_that_cannot_be_made(notes: Lake) -> None:
    place = notes.root / ".goldsmith/warehouse"
    place.write_text("mine")
    error = notes.failed(NAME).error
    assert error is not None
    assert error.code == "GS402", str(error)
    assert notes.path(NAME) in str(error.where)
    place.unlink()
    assert notes.done()[NAME].counts.written == 2
