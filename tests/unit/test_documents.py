"""YAML files as data with line and column of each value."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from goldsmith.errors import DeclarationError
from goldsmith.project.documents import Document, read_document


def document(tmp_path: Path, text: str | bytes) -> Document:
    file = tmp_path / "x.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(file)


def test_scalars_have_yaml_types(tmp_path: Path) -> None:
    text = "a: 1\nb: 1.5\nc: yes\nd: 2013-01-31\ne: '1'\nf:\ng: 2013-01-31 10:00:00\nh: x\n"
    assert document(tmp_path, text).data == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": date(2013, 1, 31),
        "e": "1",
        "f": None,
        "g": datetime(2013, 1, 31, 10),
        "h": "x",
    }


def test_keys_are_always_text(tmp_path: Path) -> None:
    assert document(tmp_path, "on: 1\n2: x\n").data == {"on": 1, "2": "x"}


def test_aliases_are_resolved(tmp_path: Path) -> None:
    assert document(tmp_path, "a: &x [1, 2]\nb: *x\n").data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", b"\xef\xbb\xbf"])
def test_empty_file_is_an_empty_mapping(tmp_path: Path, text: str | bytes) -> None:
    assert document(tmp_path, text).data == {}


def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    found = document(tmp_path, b"\xef\xbb\xbfowner: a\r\ntags: b\r\n")
    assert found.data == {"owner": "a", "tags": "b"}
    assert found.where(("tags",)).line == 2


def test_lines_and_columns_count_from_one(tmp_path: Path) -> None:
    found = document(tmp_path, "load:\n  merge:\n    key: [id,\n          day]\n")
    assert found.places["load", "merge", "key", 1] == (4, 11)
    assert (found.where(("load", "merge", "key")).line, found.where(("load", "merge", "key")).column) == (
        3,
        5,
    )


def test_missing_key_has_the_location_of_its_parent(tmp_path: Path) -> None:
    found = document(tmp_path, "owner: a\nload:\n  merge: {}\n")
    assert found.where(("load", "merge", "key")).line == 3
    assert found.where(("nothing",)).line == 1


def test_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as found:
        document(tmp_path, b"owner: a\x00b\n")
    assert found.value.code == "GS101"
    assert "\n" not in found.value.message
