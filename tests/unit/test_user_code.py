"""The project's own code: errors of Python tables, and files that import those beside them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.errors import NotReady, RunError
from goldsmith.run.query import _transformed
from goldsmith.run.user_code import execute, one_line


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


def test_each_file_imports_those_beside_it(tmp_path: Path) -> None:
    values = []
    for number in (1, 2):
        folder = tmp_path / f"pipeline {number}"
        (folder / "deeper").mkdir(parents=True)
        (folder / "shared_names.py").write_text(f"from deeper.value import VALUE\nVALUE += {number}\n")
        (folder / "deeper" / "value.py").write_text("VALUE = 10\n")
        (folder / "feed.py").write_text("from shared_names import VALUE\n")
        values.append(execute(f"feed_{number}", folder / "feed.py").VALUE)
    assert values == [11, 12]
    assert not {"shared_names", "deeper", "deeper.value"} & set(sys.modules)
    assert not [path for path in sys.path if str(tmp_path) in path]


def test_path_is_restored_after_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "feed.py").write_text("import broken\n")
    before = list(sys.path)
    with pytest.raises(ZeroDivisionError):
        execute("feed_of_an_error", tmp_path / "feed.py")
    assert sys.path == before
    assert "broken" not in sys.modules


def test_concurrent_files_import_their_own_neighbours(tmp_path: Path) -> None:
    files = []
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "neighbour.py").write_text(f"import time\ntime.sleep(0.01)\nVALUE = {number}\n")
        (folder / "feed.py").write_text("from neighbour import VALUE\n")
        files.append(folder / "feed.py")
    with ThreadPoolExecutor(8) as pool:
        modules = list(pool.map(lambda file: execute(f"feed_{file.parent.name}", file), files))
    assert [module.VALUE for module in modules] == list(range(8))


def test_installed_packages_come_before_files_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "pytest.py").write_text("1 / 0\n")
    (tmp_path / "feed.py").write_text("import pytest\n")
    assert execute("feed_that_imports_a_package", tmp_path / "feed.py").pytest is pytest
