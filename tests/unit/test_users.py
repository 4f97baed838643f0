"""The script that maintains the users of the Thrift Server."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from support.thrift_users import remove_user, set_user, thrift_users


def test_users_are_added_changed_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "users"
    added = thrift_users("set", "ada", file, password="correct-horse")
    assert (added.returncode, added.stdout) == (0, "Added: ada\n")
    set_user(file, "bob", "battery-staple")
    before = file.read_text()
    changed = thrift_users("set", "ada", file, password="correct-horse")
    assert (changed.returncode, changed.stdout) == (0, "Changed: ada\n")
    assert file.read_text() != before, "each password has its own salt"
    remove_user(file, "ada")
    again = thrift_users("remove", "ada", file)
    assert again.returncode == 2
    assert f"There is no user `ada` in {file}." in again.stderr
    assert [line.split(":")[0] for line in file.read_text().splitlines()] == ["bob"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "battery" not in file.read_text()


def test_readable_schemas_are_stored(tmp_path: Path) -> None:
    file = tmp_path / "users"
    set_user(file, "ada", "correct-horse", ["gold", "ops"])
    set_user(file, "bob", "battery-staple")
    ada, bob = (line.split(":") for line in file.read_text().splitlines())
    assert ada[5:] == ["gold,ops"]
    assert bob[5:] == []


@pytest.mark.parametrize(
    ("name", "password", "reads", "message"),
    [
        ("a:b", "long-enough", "", "not a valid user name"),
        ("", "long-enough", "", "not a valid user name"),
        ("ada", "short", "", "fewer than 8 characters"),
        ("ada", "with blanks in it", "", "white space"),
        ("ada", "long-enough", "gold:x", "not a valid schema name"),
    ],
)
def test_invalid_users_are_refused(
    tmp_path: Path, name: str, password: str, reads: str, message: str
) -> None:
    file = tmp_path / "users"
    refused = thrift_users("set", name, file, "--reads", reads, password=password)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not file.exists()


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    refused = thrift_users("set", "ada", tmp_path / "nowhere/users", password="correct-horse")
    assert refused.returncode == 2
    assert "No such file or directory" in refused.stderr
    assert "Traceback" not in refused.stderr
