"""Changed types of bronze columns, detected without Spark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goldsmith.project.loading import load_project
from goldsmith.run.changed_types import changed_types
from support.command import command

TABLE_TYPES = {
    "id": "integer",
    "n": "long",
    "amount": "decimal(9,2)",
    "t": "timestamp",
    "gone": "date",
    "text": "string",
}
DECLARED = """
source: {files: o/*.csv, format: csv}
columns: {ID: int, n: bigint, amount: "decimal(9, 2)", t: timestamp_ltz, text: varchar(9), later: date, tags: array<string>}
"""


def project(root: Path, declared: str) -> Path:
    (root / "pipelines/p/bronze").mkdir(parents=True, exist_ok=True)
    (root / "goldsmith.yaml").write_text("name: t")
    (root / "pipelines/p/pipeline.yaml").write_text("description: A test.")
    (root / "pipelines/p/bronze/o.yaml").write_text(declared)
    return root


def commit(root: Path, version: int, types: dict[str, object]) -> None:
    log = root / ".goldsmith/warehouse/bronze/o/_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in types.items()]
    schema = json.dumps({"type": "struct", "fields": fields})
    (log / f"{version:020d}.crc").write_text(json.dumps({"metadata": {"schemaString": schema}}))


def notes(root: Path) -> list[tuple[str, str]]:
    found = load_project(root)
    return list(changed_types(found, found.profile(None).warehouse))


def test_changed_type_is_detected_in_the_newest_version(tmp_path: Path) -> None:
    root = project(tmp_path, DECLARED)
    assert notes(root) == [], "it was never loaded"
    commit(root, 9, {**TABLE_TYPES, "n": "string"})
    commit(
        root, 10, {**TABLE_TYPES, "tags": {"type": "array", "elementType": "string", "containsNull": True}}
    )
    assert notes(root) == []
    project(tmp_path, DECLARED.replace("9, 2", "9, 3").replace("n: bigint", "n: string"))
    (first, message), (_, other) = notes(root)
    assert first == "bronze.o"
    assert "n has the type bigint, and is declared as string" in message
    assert "amount has the type decimal(9,2), and is declared as decimal(9,3)" in other
    assert "--rebuild bronze.o" in other


def test_check_reports_a_changed_type_before_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, DECLARED.replace("n: bigint", "n: string"))
    commit(root, 0, TABLE_TYPES)
    ended = command(monkeypatch, capsys)("check", folder=root)
    assert ended.code == 0, ended.err
    assert "bronze.o: n has the type bigint, and is declared as string" in ended.err


def test_unreadable_log_gives_no_note(tmp_path: Path) -> None:
    root = project(tmp_path, DECLARED)
    commit(root, 0, TABLE_TYPES)
    (root / ".goldsmith/warehouse/bronze/o/_delta_log" / f"{1:020d}.crc").write_text('{"metadata"')
    assert notes(root) == []
