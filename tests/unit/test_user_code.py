"""Errors of a Python table's code."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.errors import NotReady, RunError
from goldsmith.run.query import _transformed
from goldsmith.run.user_code import one_line


def transformed(tmp_path: Path, code: str) -> RunError:
    file = tmp_path / "segments.py"
    file.write_text(code)
    nothing: Any = None
    table: Any = SimpleNamespace(name="gold.segments")
    with pytest.raises(RunError) as failed:
        _transformed(nothing, table, SimpleNamespace(file=file), {})  # type: ignore[arg-type]
    return failed.value


@pytest.mark.parametrize(
    ("statement", "message", "line", "retryable"),
    [
        ("tables['silver.x']", "KeyError: 'silver.x'", 2, False),
        ("raise TimeoutError('late')", "TimeoutError: late", 2, True),
        ("raise SystemExit", "SystemExit", 2, False),
        ("import json; json.loads('{')", "JSONDecodeError", 2, False),
        ("return 7", "returned int, not a DataFrame", None, False),
    ],
)
def test_error_in_a_python_table_has_its_line(
    tmp_path: Path, statement: str, message: str, line: int | None, retryable: bool
) -> None:
    error = transformed(tmp_path, f"def transform(spark, tables):\n    {statement}\n")
    assert error.code == "GS206"
    assert message in error.message
    assert error.where.line == line
    assert error.where.table == "gold.segments"
    assert Path(str(error.where.file)).name == "segments.py"
    assert error.retryable == retryable


def test_syntax_error_has_its_line(tmp_path: Path) -> None:
    assert transformed(tmp_path, "x = 1\ndef transform(:\n").where.line == 2


def test_error_of_goldsmith_is_raised_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "t.py"
    file.write_text("from goldsmith.errors import NotReady\nraise NotReady('GS903', 'x')\n")
    table: Any = SimpleNamespace(name="gold.t")
    nothing: Any = None
    with pytest.raises(NotReady):
        _transformed(nothing, table, SimpleNamespace(file=file), {})  # type: ignore[arg-type]


def test_message_is_one_line_without_a_stack() -> None:
    spark = (
        "An error occurred while calling o1.count.\n: java.lang.X: no\n\tat a.b(C.java:1)\n\tat d.e(F.java:2)"
    )
    assert one_line(RuntimeError(spark)) == (
        "RuntimeError: An error occurred while calling o1.count. : java.lang.X: no"
    )
    assert len(one_line(RuntimeError("x" * 5000))) < 600
