"""Landing files on S3: listed, compared and delivered as on disk."""

from __future__ import annotations

import gzip
import random
import time
from pathlib import Path

import pytest

from goldsmith.engine.ingest.landing import Landing, landing_at
from goldsmith.errors import SourceError
from support.homes import S3Home
from support.zip_files import zipped

ODD = [
    "orders/2026-01-01.csv",
    "orders/a b.csv",
    "orders/100%.csv",
    "orders/%20.csv",
    "orders/plus+and&and=.csv",
    "orders/{x},[y]!.csv",
    "orders/größe-€-😀.csv",
    "orders/deep/er/c.csv",
    "orders/README.txt",
]
IGNORED = ["orders/_SUCCESS", "orders/.hidden.csv", "orders/half.csv.tmp", "orders/_temporary/0/d.csv"]
PATTERNS = [
    "orders/*.csv",
    "orders/**/*.csv",
    "orders/2026-*.csv",
    "orders/[a-p]*.csv",
    "*/*.csv",
    "orders/??b.csv",
    "**/c.csv",
]


@pytest.fixture
def landing(home: S3Home) -> Landing:
    return landing_at(f"{home.url}/landing")


def paths(landing: Landing, pattern: str) -> list[str]:
    return [file.path for file in landing.files(pattern, table="bronze.orders")]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_glob_matches_the_same_files_as_on_disk(
    home: S3Home, landing: Landing, tmp_path: Path, pattern: str
) -> None:
    disk = landing_at(str(tmp_path))
    for path in ODD:
        landing.deliver(path, b"id\n1\n")
        disk.deliver(path, b"id\n1\n")
    for path in IGNORED:
        home.bucket.put(f"{home.url.removeprefix('s3a://lake/')}/landing/{path}", b"id\n1\n")
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"id\n1\n")
    found = paths(landing, pattern)
    assert found == paths(disk, pattern)
    assert found


def test_folder_markers_are_not_files(home: S3Home, landing: Landing) -> None:
    key = f"{home.url.removeprefix('s3a://lake/')}/landing/orders"
    for name in ("/", "/deep/"):
        home.bucket.put(f"{key}{name}", b"")
    assert paths(landing, "orders/**/*") == []
    landing.deliver("orders/a.csv", b"id\n")
    assert paths(landing, "orders/**/*") == ["orders/a.csv"]


def test_missing_folder_is_reported(landing: Landing) -> None:
    landing.deliver("orders/a.txt", b"")
    assert paths(landing, "orders/*.csv") == []
    with pytest.raises(SourceError) as caught:
        landing.files("ordres/*.csv", table="bronze.orders")
    assert caught.value.code == "GS301"
    assert caught.value.message.endswith("/landing/ordres does not exist.")


def test_folder_can_be_created_before_its_files(landing: Landing, tmp_path: Path) -> None:
    for each in (landing, landing_at(str(tmp_path))):
        each.make_folder("orders/*.csv")
        each.make_folder("*.csv")
        assert paths(each, "orders/*.csv") == []
        assert paths(each, "*.csv") == []
        each.deliver("orders/a.csv", b"id\n")
        each.make_folder("orders/*.csv")
        assert paths(each, "orders/*.csv") == ["orders/a.csv"]


def test_listing_continues_beyond_one_response(home: S3Home, landing: Landing) -> None:
    for number in range(1003):
        home.deliver(f"many/{number:04}.csv", b"")
    listing = landing.files("many/*.csv", table="bronze.many")
    assert len(listing) == 1003
    landing.unchanged(listing, table="bronze.many")
    home.deliver("many/0500.csv", b"more")
    with pytest.raises(SourceError, match="changed") as caught:
        landing.unchanged(listing, table="bronze.many")
    assert (caught.value.code, caught.value.where.file) == ("GS303", "many/0500.csv")


def test_contents_of_equal_size_and_second_are_distinguished(home: S3Home, landing: Landing) -> None:
    while True:
        home.deliver("orders/a.csv", b"id\n1\n")
        (before,) = landing.files("orders/*.csv", table="bronze.orders")
        home.deliver("orders/a.csv", b"id\n2\n")
        (after,) = landing.files("orders/*.csv", table="bronze.orders")
        if before.modified == after.modified:
            break
    assert before.state == after.state
    assert before != after
    with pytest.raises(SourceError, match="changed"):
        landing.unchanged([before], table="bronze.orders")


def test_deleted_file_is_reported(home: S3Home, landing: Landing) -> None:
    landing.deliver("orders/a.csv", b"id\n1\n")
    listing = landing.files("orders/*.csv", table="bronze.orders")
    home.remove(f"{home.url}/landing/orders")
    with pytest.raises(SourceError, match="removed"):
        landing.unchanged(listing, table="bronze.orders")
    with pytest.raises(FileNotFoundError):
        landing.open("orders/a.csv")


def test_existing_file_is_not_delivered_again(landing: Landing) -> None:
    assert landing.deliver("orders/a.csv", b"id\n1\n")
    first = landing.files("orders/*.csv", table="bronze.orders")
    time.sleep(1.1)  # the store's times have a resolution of one second
    assert not landing.deliver("orders/a.csv", b"id\n1\n")
    assert landing.files("orders/*.csv", table="bronze.orders") == first
    assert landing.deliver("orders/a.csv", b"id\n2\n")


def test_compressed_files_are_decompressed(landing: Landing) -> None:
    landing.deliver("orders/a.csv.gz", gzip.compress(b"id\n" + b"1\n" * 100_000))
    with landing.open("orders/a.csv.gz") as stream:
        assert stream.readline() == b"id\n"
        assert len(stream.read()) == 200_000


def test_only_file_of_a_zip_file_is_decompressed(home: S3Home, landing: Landing) -> None:
    content = random.Random(1).randbytes(300_000)
    landing.deliver("orders/a.zip", zipped({"a.csv": content}))
    with landing.open("orders/a.zip") as stream:
        assert stream.read(5) == content[:5]
        assert stream.read() == content[5:]
    with pytest.raises(FileNotFoundError):
        landing.open("orders/b.zip")


def test_files_are_staged_where_globs_do_not_look(landing: Landing, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'{"id": 1}\n')
    folder = "_extracts/bronze.orders"
    staged = landing.stage(f"{folder}/1-r/deep/a.json", file)
    landing.stage(f"{folder}/2-s/a.json", file)
    assert (staged.size, landing.state(staged.path)) == (10, staged)
    assert landing.state(f"{folder}/3-t/a.json") is None
    assert landing.staged(folder) == ("1-r", "2-s")
    assert landing.staged("_extracts/bronze.other") == ()
    assert paths(landing, "**/*.json") == []
    landing.unchanged([staged], table="bronze.orders")
    landing.discard(f"{folder}/1-r")
    landing.discard(f"{folder}/9-x")
    assert landing.staged(folder) == ("2-s",)
