"""Every command in a project folder with quotes, brackets, blanks and other special characters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support.command import command

NAME = """it's "a" %41#+[x]{y}$HOME é\U0001f600"""


def test_every_command_works_in_a_folder_with_special_characters(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def open_spark(*_: object, **__: object) -> Iterator[SparkSession]:
        """The tests' session, as the command would stop its own. Only this test uses these table names."""
        yield session

    session = spark.newSession()
    for module in ("opening", "run", "spark_sql", "report", "table", "quarantine"):
        monkeypatch.setattr(f"goldsmith.cli.{module}.open_spark", open_spark)
    called = command(monkeypatch, capsys)

    def goldsmith(*arguments: str, folder: Path | None = None) -> str:
        ended = called(*arguments, folder=folder or root)
        assert ended.code == 0, ended.err
        assert "Traceback" not in ended.err
        return ended.out

    root = tmp_path / NAME
    goldsmith("init", NAME, "--pipeline", "visits", folder=tmp_path)
    silver = root / "pipelines/visits/silver/visits.yaml"
    checked = json.loads(goldsmith("check", "--json"))
    assert checked["tables"] == ["bronze.visits", "silver.visits", "gold.visits_by_day"]
    planned = json.loads(goldsmith("plan", "--json"))
    assert planned[0]["action"] == "first"
    ran = json.loads(goldsmith("run", "--json"))
    assert [table["status"] for table in ran["tables"]] == ["done"] * 3
    files = goldsmith("sql", "SELECT DISTINCT _source_file FROM bronze.visits ORDER BY ALL", "--json")
    assert [row["_source_file"] for row in json.loads(files)] == [
        "visits/2026-01-05.csv",
        "visits/2026-01-06.csv",
    ]
    assert goldsmith("run").startswith("Nothing to do")
    silver.write_text(silver.read_text() + "cluster_by: order_id\n")
    goldsmith("run")
    (detail,) = json.loads(goldsmith("sql", "DESCRIBE DETAIL silver.visits", "--json"))
    assert detail["clusteringColumns"] == ["order_id"]
    shown = json.loads(goldsmith("table", "show", "gold.visits_by_day", "--json"))
    assert sum(row["orders"] for row in shown) == 3
    entries = json.loads(goldsmith("quarantine", "show", "silver.visits", "--json"))
    assert [item["row"]["order_id"] for item in entries] == [3]
    rule = "{column: customer}\n    otherwise: "
    silver.write_text(silver.read_text().replace(f"{rule}quarantine", f"{rule}warn"))
    released = json.loads(goldsmith("quarantine", "release", "silver.visits", "--json"))
    assert (released["evaluated"], released["released"]) == (1, 1)
    goldsmith("run")
    shown = json.loads(goldsmith("table", "show", "gold.visits_by_day", "--json"))
    assert sum(row["orders"] for row in shown) == 4
    for arguments in (("--dry-run",), ()):
        maintained = json.loads(goldsmith("table", "maintain", *arguments, "--json"))
        assert [each["error"] for each in maintained if each["error"]] == []
    goldsmith("status")
    status = json.loads(goldsmith("status", "--json"))
    assert [(row["status"], row["quarantined"]) for row in status] == [("done", 1), ("done", 0), ("done", 0)]
    goldsmith("report")
    page = (root / ".goldsmith/report.html").read_text(encoding="utf-8")
    assert "visits_by_day" in page
