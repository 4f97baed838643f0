"""Compressed text files: each format reads them whole, and a truncated one loads nothing."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from goldsmith.engine.launch.jars import installed
from goldsmith.settings import Settings
from support.lake import Lake
from support.zip_files import zipped

SOURCES = {
    "csv": "format: csv",
    "lines": "format: json",
    "document": "format: json, options: {multiLine: true}",
    "fixed": "format: fixed_width, options: {widths: [6, 60]}",
}


@pytest.fixture
def lake(unrecorded_lake: Lake) -> Lake:
    return unrecorded_lake


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "zst": zstd,
    "bz2": bz2.compress,
    "GZ": gzip.compress,
    "Zip": lambda content: zipped({"in a folder/größe.csv": content}),
}


def declare(lake: Lake) -> None:
    for name, source in SOURCES.items():
        lake.declare(
            f"bronze.{name}", f"source: {{files: {name}/*, {source}}}\ncolumns: {{id: int, name: string}}\n"
        )


def texts(rows: list[tuple[int, str]]) -> dict[str, bytes]:
    """The rows in each format."""
    documents = [json.dumps({"id": number, "name": name}) for number, name in rows]
    found = {
        "csv": "id,name\n" + "".join(f"{number},{name}\n" for number, name in rows),
        "lines": "\n".join(documents),
        "document": f"[{', '.join(documents)}]",
        "fixed": "".join(f"{number:6}{name}\n" for number, name in rows),
    }
    return {name: text.encode() for name, text in found.items()}


def test_each_format_reads_compressed_files_by_their_names(lake: Lake) -> None:
    declare(lake)
    for at, (ending, pack) in enumerate(PACKED.items()):
        for name, content in texts([(2 * at, "Ada"), (2 * at + 1, f"größe {ending}")]).items():
            lake.deliver(f"{name}/a+b {at}.{ending}", pack(content))
    outcomes = lake.done()
    for name in SOURCES:
        counts = outcomes[f"bronze.{name}"].counts
        assert (counts.rows_in, counts.written, counts.quarantined) == (8, 8, 0), name
        assert [row[:2] for row in lake.rows(f"bronze.{name}", "id", "name")][::2] == [
            (0, "Ada"),
            (2, "Ada"),
            (4, "Ada"),
            (6, "Ada"),
        ]
        files = {row[0] for row in lake.rows(f"bronze.{name}", "_source_file")}
        assert files == {f"{name}/a+b {at}.{ending}" for at, ending in enumerate(PACKED)}


@pytest.mark.parametrize("ending", ["zst", "bz2", "Zip"])
def test_truncated_file_loads_nothing_until_it_is_replaced(lake: Lake, ending: str) -> None:
    declare(lake)
    drawn = random.Random(1)
    # The driver reads the first MiB: the rest is Spark's.
    contents = texts([(number, f"{drawn.getrandbits(200):x}") for number in range(50_000)])
    packed = {name: PACKED[ending](content) for name, content in contents.items()}
    cuts = {"csv": 0.9, "lines": 0.5, "document": 0.98}
    for name, cut in cuts.items():
        lake.deliver(f"{name}/a b.{ending}", packed[name][: int(len(packed[name]) * cut)])
    lake.deliver(f"fixed/a b.{ending}", packed["fixed"][:3])
    outcomes = {outcome.table: outcome for outcome in lake.run().outcomes}
    for name in SOURCES:
        error = outcomes[f"bronze.{name}"].error
        assert error is not None, name
        assert error.code == "GS302", name
        assert "damaged or truncated" in error.message or "cannot be decompressed" in error.message
        assert str(error.where.file).endswith(f"{name}/a b.{ending}")
        assert error.retryable
        assert lake.version(f"bronze.{name}") == -1
    for name in SOURCES:
        lake.deliver(f"{name}/a b.{ending}", packed[name])
    assert {outcome.counts.written for outcome in lake.done().values()} == {50_000}


def test_zip_files_as_other_programs_write_them_are_read(lake: Lake) -> None:
    lake.declare(
        "bronze.people", "source: {files: people/*, format: csv}\ncolumns: {id: int, name: string}\n"
    )
    rows = {f"{number}.zip": f"id,name\n{number},größe\n".encode() for number in range(1, 6)}
    mac = {"people/": b"", "people/a.csv": rows["1.zip"], "__MACOSX/people/._a.csv": b"\x00\x05\x16\x07"}
    lake.deliver("people/1.zip", zipped(mac))
    lake.deliver("people/2.zip", zipped({"a.csv": rows["2.zip"]}, method=zipfile.ZIP_STORED))
    lake.deliver("people/3.zip", zipped({"a.csv": rows["3.zip"]}, streamed=True))
    # Its name is neither UTF-8 nor marked as such.
    name_in_cp437 = zipped({"gr__e.csv": rows["4.zip"]}).replace(b"gr__e", b"gr\x94\xe1e")
    lake.deliver("people/4.zip", name_in_cp437)
    with_comment = zipped({"a.csv": rows["5.zip"]})[:-2] + b"\x05\x00hello"
    lake.deliver("people/5.zip", with_comment)
    assert lake.done()["bronze.people"].counts.written == 5
    assert lake.rows("bronze.people", "id", "name", "_source_file") == [
        (number, "größe", f"people/{number}.zip") for number in range(1, 6)
    ]


def test_large_zip_file_is_read_to_its_end(lake: Lake) -> None:
    declare(lake)
    drawn = random.Random(2)
    for name, content in texts([(number, f"{drawn.getrandbits(200):x}") for number in range(50_000)]).items():
        lake.deliver(f"{name}/a.zip", zipped({"a": content}))
    assert {outcome.counts.written for outcome in lake.done().values()} == {50_000}


def test_damage_far_into_a_zip_file_loads_nothing(lake: Lake) -> None:
    declare(lake)
    drawn = random.Random(3)
    for name, content in texts([(number, f"{drawn.getrandbits(200):x}") for number in range(50_000)]).items():
        packed = bytearray(zipped({"a": content}))
        packed[len(packed) * 9 // 10] ^= 0x10
        lake.deliver(f"{name}/a.zip", bytes(packed))
    for outcome in lake.run().outcomes:
        assert outcome.error is not None, outcome.table
        assert outcome.error.code == "GS302"
        assert lake.version(outcome.table) == -1


def test_zip_file_without_its_reader_is_refused(lake: Lake, tmp_path: Path) -> None:
    lake.declare(
        "bronze.people", "source: {files: people/*, format: csv}\ncolumns: {id: int, name: string}\n"
    )
    lake.deliver("people/1.zip", zipped({"a.csv": b"id,name\n1,Ada\n"}))
    for jar in installed(Settings.from_environment(), "delta"):
        (tmp_path / jar.name).symlink_to(jar)
    command = (Path(sys.executable).with_name("goldsmith"), "--project", str(lake.root), "run")
    environment = {**os.environ, "GOLDSMITH_JARS": str(tmp_path)}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode != 0
    assert "GS902 Spark has no reader of ZIP files." in ended.stdout + ended.stderr
    assert "goldsmith spark install" in ended.stdout + ended.stderr
    assert lake.done()["bronze.people"].counts.written == 1


@pytest.mark.parametrize("ending", ["gz", "zst", "bz2", "zip"])
def test_text_with_the_name_of_a_compressed_file_stops_the_load(lake: Lake, ending: str) -> None:
    declare(lake)
    for name, content in texts([(1, "Ada")]).items():
        lake.deliver(f"{name}/a.{ending}", content)
    for outcome in lake.run().outcomes:
        assert outcome.error is not None
        assert outcome.error.code == "GS302"
        assert "cannot be decompressed" in outcome.error.message
