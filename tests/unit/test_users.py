"""The file of users of the Thrift Server."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from goldsmith.engine.launch.users import remove_user, set_password
from goldsmith.errors import DeclarationError


def test_user_is_added_changed_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "users"
    assert set_password(file, "ada", "correct-horse")
    assert set_password(file, "bob", "battery-staple")
    before = file.read_text()
    assert not set_password(file, "ada", "correct-horse")
    assert file.read_text() != before, "each password has a salt of its own"
    assert remove_user(file, "ada")
    assert not remove_user(file, "ada")
    assert [line.split(":")[0] for line in file.read_text().splitlines()] == ["bob"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "battery" not in file.read_text()


def test_user_reads_the_given_schemas(tmp_path: Path) -> None:
    file = tmp_path / "users"
    set_password(file, "ada", "correct-horse", ["gold", "ops"])
    set_password(file, "bob", "battery-staple")
    ada, bob = (line.split(":") for line in file.read_text().splitlines())
    assert ada[5:] == ["gold,ops"]
    assert bob[5:] == []
    with pytest.raises(DeclarationError):
        set_password(file, "eve", "long-enough", ["gold:x"])


@pytest.mark.parametrize(
    ("name", "password"),
    [("a:b", "long-enough"), ("", "long-enough"), ("ada", "short"), ("ada", "with blanks in it")],
)
def test_invalid_user_is_refused(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(DeclarationError):
        set_password(tmp_path / "users", name, password)
    assert not (tmp_path / "users").exists()
