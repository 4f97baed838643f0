"""Files whose bytes are not text, or are damaged: each text format refuses them before Spark reads them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats import reader_of
from goldsmith.engine.ingest.formats.base import LandedFiles
from goldsmith.engine.ingest.formats.signatures import recognized
from goldsmith.engine.ingest.landing_disk import DiskLanding
from goldsmith.errors import SourceError
from goldsmith.project.models import TableSpec
from goldsmith.project.sources import FilesSource
from support.zip_files import zipped

WITHOUT_SPARK = cast(SparkSession, None)
TEXT = b"id,name\n" + b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(9000))
SOURCES = (
    {"format": "csv"},
    {"format": "csv", "options": {"header": False}},
    {"format": "json"},
    {"format": "json", "options": {"multiLine": True}},
    {"format": "debezium"},
    {"format": "fixed_width", "options": {"widths": [4, 6]}},
    {"format": "fixed_width", "options": {"widths": [4, 6], "header": True}},
)


def refused(root: Path, content: bytes, source: object = SOURCES[0], name: str = "a.csv") -> SourceError:
    (root / name).write_bytes(content)
    declared = FilesSource.model_validate({"files": "*", **cast(dict[str, object], source)})
    spec = TableSpec.model_validate({"source": declared, "columns": {"id": "int", "name": "string"}})
    landing = DiskLanding(root)
    table = FilesTable("bronze.a", declared, spec)
    with pytest.raises(SourceError) as found:
        reader_of(table).layouts(LandedFiles(table, landing), landing.files("*", table="bronze.a"))
    assert (found.value.code, found.value.where.file) == ("GS302", name)
    assert found.value.hint
    return found.value


def zip_of(*names: str) -> bytes:
    return zipped(dict.fromkeys(names, TEXT))


def tarred() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT))
    return content.getvalue()


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_each_text_format_refuses_compressed_bytes(tmp_path: Path, source: object) -> None:
    assert "ends in `.gz`" in str(refused(tmp_path, gzip.compress(TEXT), source).hint)
    assert "a ZIP archive" in refused(tmp_path, zip_of("a.csv", "b.csv"), source).message


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gzip", "compressed by gzip"),
        ("zstd", "compressed by zstd"),
        ("bzip2", "compressed by bzip2"),
        ("xz", "compressed by xz"),
        ("zip", "a ZIP archive"),
        ("empty zip", "a ZIP archive"),
        ("xlsx", "an Excel workbook"),
        ("tar", "a tar archive"),
    ],
)
def test_bytes_are_recognized(name: str, kind: str) -> None:
    content = {
        "gzip": gzip.compress(TEXT),
        "zstd": pa.compress(TEXT, codec="zstd", asbytes=True),
        "bzip2": bz2.compress(TEXT),
        "xz": lzma.compress(TEXT),
        "zip": zip_of("xls.csv"),
        "empty zip": zip_of(),
        "xlsx": zip_of("[Content_Types].xml", "xl/workbook.xml"),
        "tar": tarred(),
    }[name]
    found = recognized(content[:512])
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize(
    "text", ["", "PK", "PAR1 and more", "BZh1 street", "7z", "ustar", "x" * 257 + "ustarx", "{}", "Rar!"]
)
def test_text_is_not_taken_for_another_format(text: str) -> None:
    assert recognized(text.encode()) is None


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "A.CSV.GZ"])
@pytest.mark.parametrize("cut", [1, 3, 9])
def test_file_that_is_cut_off_at_its_beginning_is_refused(tmp_path: Path, name: str, cut: int) -> None:
    packed = gzip.compress(TEXT) if name.lower().endswith(".gz") else bz2.compress(TEXT)
    for source in (SOURCES[2], SOURCES[5]):
        error = refused(tmp_path, packed[:cut], source, name)
        assert "cannot be decompressed" in error.message
        assert error.retryable


def encrypted() -> bytes:
    """A ZIP file whose flags say that its member has a password."""
    content = bytearray(zip_of("a.csv"))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def newer() -> bytes:
    """A ZIP file that says that it needs version 9.9 of the format."""
    content = bytearray(zip_of("a.csv"))
    content[content.index(b"PK\x01\x02") + 6] = 99
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zip_of(), "the ZIP file is empty"),
        (zip_of("a.csv", "b.csv"), "has 2 files (a.csv, b.csv), and only one can be read"),
        (zip_of(*"abcde"), "has 5 files (a, b, c and 2 more)"),
        (encrypted(), "is encrypted"),
        (zipped({"a.csv": TEXT}, method=zipfile.ZIP_LZMA), "another method than deflate"),
        (zipped({"a.csv": TEXT}, method=zipfile.ZIP_STORED, streamed=True), "no size before"),
        (zip_of("a.csv")[:-5], "not a zip file"),
        (newer(), "zip file version"),
        (zip_of("a.csv").replace(b"PK\x01\x02", b"PK\x01\x03"), "central directory"),
    ],
)
def test_zip_file_that_is_not_one_compressed_file_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    assert reason in refused(tmp_path, content, name="a.zip").message


def test_archive_in_a_zip_file_is_refused(tmp_path: Path) -> None:
    assert "a tar archive" in refused(tmp_path, zipped({"a.tar": tarred()}), name="a.ZIP").message


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.zip"])
def test_text_with_the_name_of_a_compressed_file_is_refused(tmp_path: Path, name: str) -> None:
    assert "cannot be decompressed" in refused(tmp_path, TEXT, SOURCES[2], name).message


def test_archive_in_a_compressed_file_is_refused(tmp_path: Path) -> None:
    assert "a tar archive" in refused(tmp_path, gzip.compress(tarred()), name="a.tar.gz").message
