"""Feeds: permitted paths, and errors of their code."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from goldsmith.engine.ingest.landing import delivered_name
from goldsmith.engine.ingest.landing_disk import DiskLanding
from goldsmith.errors import SourceError, StorageError
from goldsmith.run.feeding import deliver_day
from support.command import Command, command

DAY = date(2026, 1, 5)
INTERVAL = ("--from", "2026-01-05", "--to", "2026-01-07")


@pytest.fixture
def goldsmith(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(monkeypatch, capsys)


def project(folder: Path, feed: str) -> Path:
    """A project whose pipeline `shop` has this feed."""
    files = {
        "goldsmith.yaml": "profiles: {local: {landing: landing, warehouse: warehouse}}\n",
        "pipelines/shop/pipeline.yaml": "description: A shop.\n",
        "pipelines/shop/bronze/orders.yaml": (
            "description: Orders.\nsource: {files: orders/*.csv, format: csv}\ncolumns: {id: int}\n"
        ),
        "pipelines/shop/feed.py": textwrap.dedent(feed),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


BAD_PATHS = [
    "", "/etc/x.csv", "../x.csv", "orders/../../x.csv", "orders/..", "..", ".", "orders/", "orders//x.csv",
    "./x.csv", "orders/./x.csv", "orders/.x.csv", ".hidden/x.csv", "_x.csv", "orders/_x/y.csv", "orders/x.tmp",
    "a\x00b.csv", "a\nb.csv", "a\x1b[31m.csv", "a\x7f.csv", "a\ud800.csv", "file:///etc/x.csv", "s3a://bucket/x.csv",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_outside_the_landing_folder_and_hidden_paths_are_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "home" / "landing"
    root.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SourceError) as refused:
        deliver_day(DiskLanding(root), lambda _day: [(path, b"id\n1\n")], DAY)
    assert refused.value.code == "GS308"
    assert "2026-01-05" in refused.value.message
    assert refused.value.hint
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "path", ["x.csv", "orders/x.csv", "a b/ü%20[1]{2}.csv.gz", "x..y/z..csv", "a\\b.csv", "~/x"]
)
def test_other_paths_are_delivered_unchanged(tmp_path: Path, path: str) -> None:
    assert delivered_name(path) == path
    assert deliver_day(DiskLanding(tmp_path), lambda _day: [(path, b"1")], DAY).new == 1
    assert (tmp_path / path).read_bytes() == b"1"
    assert deliver_day(DiskLanding(tmp_path), lambda _day: [(path, b"1")], DAY).present == 1


def test_links_out_of_the_landing_folder_are_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "landing", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "orders").symlink_to(outside)
    with pytest.raises(SourceError, match="symbolic link"):
        deliver_day(DiskLanding(root), lambda _day: [("orders/x.csv", b"1")], DAY)
    assert not list(outside.iterdir())
    # A link to a file is replaced. Its target does not change.
    (outside / "kept.csv").write_bytes(b"old")
    (root / "x.csv").symlink_to(outside / "kept.csv")
    deliver_day(DiskLanding(root), lambda _day: [("x.csv", b"new")], DAY)
    assert (outside / "kept.csv").read_bytes() == b"old"
    # The landing folder itself may be a link.
    (tmp_path / "alias").symlink_to(root)
    assert deliver_day(DiskLanding(tmp_path / "alias"), lambda _day: [("y.csv", b"1")], DAY).new == 1


def test_unwritable_paths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    with pytest.raises(SourceError, match="is a folder"):
        deliver_day(DiskLanding(tmp_path), lambda _day: [("orders", b"1")], DAY)
    (tmp_path / "x.csv").write_bytes(b"1")
    with pytest.raises(StorageError, match="cannot be written") as failed:
        deliver_day(DiskLanding(tmp_path), lambda _day: [("x.csv/y.csv", b"1")], DAY)
    assert failed.value.code == "GS402"
    with pytest.raises(StorageError, match="too long"):
        deliver_day(DiskLanding(tmp_path), lambda _day: [("x" * 300, b"1")], DAY)


def test_path_with_two_contents_in_a_day_is_refused(tmp_path: Path) -> None:
    def deliver(_day: date) -> Iterable[tuple[str, bytes]]:
        yield "x.csv", b"1"
        yield "x.csv", b"1"
        yield "x.csv", b"2"

    with pytest.raises(SourceError, match=r"`x.csv` was delivered twice"):
        deliver_day(DiskLanding(tmp_path), deliver, DAY)
    assert (tmp_path / "x.csv").read_bytes() == b"1"


FAILING = [
    ("raise FileNotFoundError(2, 'No such file', 'x.csv')", "FileNotFoundError", False),
    ("raise PermissionError('no')", "PermissionError: no", False),
    ("raise ValueError('two\\nlines [red]')", "ValueError: two lines [red]", False),
    ("raise KeyError()", "KeyError", False),
    ("raise SystemExit('nothing today')", "SystemExit: nothing today", False),
    ("raise ConnectionResetError('gone')", "ConnectionResetError: gone", True),
    ("raise TimeoutError('late')", "TimeoutError: late", True),
    ("from urllib.error import URLError; raise URLError(TimeoutError('late'))", "URLError", True),
    ("from urllib.error import URLError; raise URLError(FileNotFoundError('x'))", "URLError", False),
    (
        "from urllib.error import HTTPError; raise HTTPError('u', 503, 'Away', {}, None)",
        "HTTP Error 503: Away",
        True,
    ),
    (
        "from urllib.error import HTTPError; raise HTTPError('u', 429, 'Slow', {}, None)",
        "HTTP Error 429: Slow",
        True,
    ),
    (
        "from urllib.error import HTTPError; raise HTTPError('u', 404, 'None', {}, None)",
        "HTTP Error 404: None",
        False,
    ),
    ("from urllib.request import urlopen; urlopen('http://127.0.0.1:9/x')", "Connection refused", True),
    ("from http.client import IncompleteRead; raise IncompleteRead(b'')", "IncompleteRead", True),
    ("from socket import gaierror; raise gaierror(-2, 'Name not known')", "gaierror", True),
    (
        "\n        try: raise ConnectionError('x')\n        except OSError as e: raise RuntimeError('wrapped') from e",
        "RuntimeError: wrapped",
        True,
    ),
]


@pytest.mark.parametrize(("statement", "message", "retryable"), FAILING)
def test_error_of_a_feed_names_pipeline_day_and_line(
    goldsmith: Command, tmp_path: Path, statement: str, message: str, retryable: bool
) -> None:
    feed = f"""
    def deliver(day):
        yield f"orders/{{day}}.csv", b"id\\n"
        if day.day == 6:
            helper()

    def helper():
        {statement}
    """
    ended = goldsmith("feed", "run", "shop", *INTERVAL, folder=project(tmp_path, feed))
    assert ended.code == 1
    assert "GS308 The feed of `shop` failed on 2026-01-06: " in ended.err
    assert message in ended.err
    assert "at pipelines/shop/feed.py:" in ended.err
    assert ("may succeed later" in ended.err) == retryable
    assert "Traceback" not in ended.err
    assert "GS999" not in ended.err
    assert (tmp_path / "landing/orders/2026-01-05.csv").is_file()


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ("def deliver(day):\n    return None", "returned NoneType on 2026-01-05"),
        ("def deliver(day):\n    return 7", "returned int on 2026-01-05"),
        ("def deliver(day):\n    yield 'x.csv', 'text'", "delivered `x.csv` on 2026-01-05 as str"),
        ("def deliver(day):\n    yield 'x.csv'", "yielded str on 2026-01-05"),
        ("def deliver(day):\n    yield b'x.csv', b''", "yielded tuple on 2026-01-05"),
        ("def deliver():\n    yield 'x.csv', b''", "TypeError: deliver() takes 0 positional arguments"),
        ("def deliver(day):\n    yield '../x.csv', b''", "failed on 2026-01-05. The path `../x.csv` leaves"),
        ("deliver = 7", "has no function `deliver`"),
        ("x = 1", "has no function `deliver`"),
        ("import no_such_module", "cannot be imported: ModuleNotFoundError"),
        ("def deliver(day:", "cannot be imported: SyntaxError"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
    ],
)
def test_unusable_feed_is_reported_with_its_file(
    goldsmith: Command, tmp_path: Path, feed: str, message: str
) -> None:
    ended = goldsmith("feed", "run", "shop", *INTERVAL, folder=project(tmp_path, feed))
    assert ended.code == 1
    assert "GS308 The feed of `shop`" in ended.err
    assert message in ended.err
    assert "pipelines/shop/feed.py" in ended.err
    assert "\n      do " in ended.err
    assert "Traceback" not in ended.err


def test_folder_with_special_characters_is_fed(goldsmith: Command, tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "test" [x] ü%20'
    folder.mkdir()
    project(folder, "def deliver(day):\n    yield f'orders/{day}.csv', b'id\\n'\n")
    ended = goldsmith("feed", "run", "shop", *INTERVAL, folder=folder)
    assert ended.code == 0, ended.err
    assert str(folder / "landing") in ended.out
    ended = goldsmith("init", "--pipeline", "more", folder=folder)
    assert ended.code == 0, ended.err
    checked = goldsmith("check", "--json", folder=folder)
    assert json.loads(checked.out)["ok"]
    assert "cd 'new [1]' && goldsmith run" in goldsmith("init", "new [1]", folder=folder).out
