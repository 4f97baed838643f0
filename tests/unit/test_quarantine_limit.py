"""The key `max_quarantined`: its forms, its defaults and its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.errors import DeclarationErrors
from goldsmith.project.loading import load_project
from goldsmith.project.models import ProjectSpec
from goldsmith.project.quarantine_limit import QuarantineLimit
from goldsmith.publish.dqops.load_verdicts import import_check


def limit(text: object) -> QuarantineLimit:
    declared = ProjectSpec.model_validate({"max_quarantined": text}).max_quarantined
    assert declared is not None
    return declared


@pytest.mark.parametrize(
    ("declared", "quarantined", "rows_in", "exceeded"),
    [
        ("5%", 5, 100, False),
        ("5%", 6, 100, True),
        ("5%", 1, 1, True),
        ("0.1%", 1, 1000, False),
        ("0.1%", 1, 999, True),
        ("0%", 1, 10**9, True),
        ("0%", 0, 0, False),
        ("100%", 7, 7, False),
        ("33.3%", 333_000_000_000_001, 10**15, True),
        (10, 10, 10, False),
        (10, 11, 10**9, True),
        (0, 1, 10**9, True),
        ({"share": "5%", "rows": 10}, 10, 10, False),
        ({"share": "5%", "rows": 10}, 11, 1000, False),
        ({"share": "5%", "rows": 10}, 51, 1000, True),
    ],
)
def test_limit_is_the_greater_one_of_share_and_rows(
    declared: object, quarantined: int, rows_in: int, exceeded: bool
) -> None:
    assert limit(declared).is_exceeded(quarantined, rows_in) is exceeded


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("5%", "at most 5 % of its rows."),
        ("0.50%", "at most 0.5 % of its rows."),
        (1, "at most 1 row."),
        ({"share": "10%", "rows": 1000}, "at most 10 % of its rows or 1,000 rows."),
    ],
)
def test_verdict_says_the_limit(declared: object, words: str) -> None:
    verdict = limit(declared).as_expectation()
    assert verdict.description.endswith(words)
    assert (verdict.name, verdict.otherwise) == ("max_quarantined", "fail")


def write(root: Path, project: str, table: str) -> None:
    for path, text in {
        "goldsmith.yaml": project,
        "pipelines/p/pipeline.yaml": "",
        "pipelines/p/bronze/a.yaml": f"source: {{files: a/*.csv, format: csv}}\ncolumns: {{id: int}}\n{table}",
        "pipelines/p/bronze/b.yaml": "source: {files: b/*.csv, format: csv}\ncolumns: {id: int}\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_table_replaces_the_limit_of_the_project(tmp_path: Path) -> None:
    write(tmp_path, "max_quarantined: 5%", "max_quarantined: {share: 50%, otherwise: warn}")
    tables = load_project(tmp_path).tables
    assert tables["bronze.a"].quarantine_limit == limit({"share": "50%", "otherwise": "warn"})
    assert tables["bronze.b"].quarantine_limit == limit("5%")


def test_limit_is_one_of_the_verdicts_that_dqops_imports(tmp_path: Path) -> None:
    write(tmp_path, "", "max_quarantined: 5%")
    tables = load_project(tmp_path).tables
    check = import_check(tables["bronze.a"])
    assert check is not None
    assert "'max_quarantined'" in str(check.parameters["sql_query"])
    assert import_check(tables["bronze.b"]) is None


@pytest.mark.parametrize(
    ("table", "code", "message"),
    [
        ("max_quarantined: 5", None, ""),
        ("max_quarantined: '5'", "GS103", "`5` is not a share of rows: write a percentage"),
        ("max_quarantined: 105%", "GS103", "from 0% to 100%"),
        ("max_quarantined: 0.05", "GS103", "neither a percentage such as 5% nor a number of rows"),
        ("max_quarantined: true", "GS103", "neither a percentage"),
        ("max_quarantined: [5%]", "GS103", "neither a percentage"),
        ("max_quarantined: -1", "GS103", "at least 0"),
        ("max_quarantined: {}", "GS103", "needs `share`, `rows`, or both"),
        ("max_quarantined: {otherwise: warn}", "GS103", "needs `share`, `rows`, or both"),
        ("max_quarantined: {share: 5%, otherwise: drop}", "GS103", "cannot be `drop`"),
        ("max_quarantined: {shares: 5%}", "GS102", "Unknown key `shares`"),
        ("max_quarantine: 5%", "GS102", "Unknown key `max_quarantine`"),
        (
            "expectations: [{condition: id > 0, name: max_quarantined}]",
            "GS105",
            "cannot have the name `max_quarantined`",
        ),
    ],
)
def test_mistake_is_reported_with_its_line(
    tmp_path: Path, table: str, code: str | None, message: str
) -> None:
    write(tmp_path, "", table)
    if code is None:
        load_project(tmp_path)
        return
    with pytest.raises(DeclarationErrors) as found:
        load_project(tmp_path)
    problem = found.value.problems[0]
    assert problem.code == code
    assert message in problem.message
    assert problem.where is not None
    assert problem.where.line == 3
