"""Files of a project that import other files of their folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from goldsmith.run.user_code import execute


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
