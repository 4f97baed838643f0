"""Days of a feed spoiled on purpose."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from goldsmith.errors import Exit
from goldsmith.run.spoiling import EVERY, spoiled, spoiled_csv
from support.command import Command, command

DAYS = [date(2026, 1, number) for number in (1, 2, 3)]
ROWS = 200
WHOLE = ("id,name,note\n" + "".join(f'{n},name {n},"one, two"\n' for n in range(1, ROWS + 1))).encode()


def deliver(day: date) -> Iterable[tuple[str, bytes]]:
    yield f"rows/{day}.csv", WHOLE
    yield f"rows/{day}.json", b'{"id": 1}\n'


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def test_only_the_given_days_are_spoiled() -> None:
    feed = spoiled(deliver, {DAYS[1]})
    assert [dict(feed(day)) == dict(deliver(day)) for day in DAYS] == [True, False, True]
    assert dict(feed(DAYS[1]))[f"rows/{DAYS[1]}.json"] == b'{"id": 1}\n'


def test_one_value_in_fifty_rows_is_changed_deterministically() -> None:
    found = spoiled_csv("rows/1.csv", WHOLE)
    assert found == spoiled_csv("rows/1.csv", WHOLE) != spoiled_csv("rows/2.csv", WHOLE)
    pairs = [
        (one, other)
        for before, after in zip(rows(WHOLE), rows(found), strict=True)
        for one, other in zip(before, after, strict=True)
        if one != other
    ]
    assert len(pairs) == ROWS // EVERY
    assert all(other == (str(-1000 * (int(one) + 1)) if one.isdigit() else "") for one, other in pairs)


@pytest.mark.parametrize("content", [b"", b"id,name\n", b"id,name\n1,one\n"])
def test_small_file_is_unchanged(content: bytes) -> None:
    assert spoiled_csv("a.csv", content) == content


@pytest.fixture
def goldsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(monkeypatch, capsys)


def test_command_spoils_a_day_of_its_interval(goldsmith: Command, tmp_path: Path) -> None:
    (tmp_path / "goldsmith.yaml").write_text("{}")
    folder = tmp_path / "pipelines/p"
    (folder / "bronze").mkdir(parents=True)
    (folder / "pipeline.yaml").write_text("{}")
    (folder / "bronze/rows.yaml").write_text(
        "source: {files: 'rows/*.csv', format: csv}\ncolumns: {id: int}\n"
    )
    (folder / "feed.py").write_text(
        "def deliver(day):\n    yield f'rows/{day}.csv', b'id\\n' + b'7\\n' * 100\n"
    )
    interval = ("--from", "2026-01-01", "--to", "2026-01-03")
    ended = goldsmith("feed", "run", "p", *interval, "--spoil", "2026-01-02", folder=tmp_path)
    assert ended.code == Exit.DONE
    landing = tmp_path / ".goldsmith/landing/rows"
    assert [(landing / f"2026-01-0{n}.csv").read_text().count("-8000") for n in (1, 2)] == [0, 2]
    ended = goldsmith("feed", "run", "p", *interval, "--spoil", "2026-01-03", folder=tmp_path)
    assert ended.code == Exit.WRONG_CALL
    assert "GS504 `--spoil 2026-01-03` is not a day of the interval" in ended.err
