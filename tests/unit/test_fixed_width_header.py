"""The columns of files of fixed width, by their first line or by the declaration."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import LandedFiles
from goldsmith.engine.ingest.formats.fixed_width_files import FixedWidthReader
from goldsmith.engine.ingest.landing_disk import DiskLanding
from goldsmith.errors import SourceError
from goldsmith.project.models import TableSpec
from goldsmith.project.sources import FilesSource

WITHOUT_SPARK = cast(SparkSession, None)


def columns(root: Path, content: str | bytes, *, header: bool = True) -> list[tuple[str, ...]]:
    """The columns of a file with two fields, of 4 and 6 characters, and the declared columns `id` and `name`."""
    (root / "a.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    source = FilesSource(files="*", format="fixed_width", options={"widths": [4, 6], "header": header})
    spec = TableSpec.model_validate({"source": source, "columns": {"id": "int", "name": "string"}})
    landing = DiskLanding(root)
    load = LandedFiles(FilesTable("bronze.a", source, spec), landing)
    return [layout.names for layout in FixedWidthReader().layouts(load, landing.files("*", table="bronze.a"))]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("id  name\n", ("id", "name")),
        ("\n  \r\nNAMEId    \t \r\nAda    1\n", ("NAME", "Id")),
        (b"\xef\xbb\xbfid  name  \n", ("id", "name")),
        ("größname", ("größ", "name")),
    ],
)
def test_names_are_cut_from_the_first_line(
    tmp_path: Path, content: str | bytes, names: tuple[str, ...]
) -> None:
    assert columns(tmp_path, content) == [names]


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_file_without_lines_has_no_header(tmp_path: Path, content: str) -> None:
    assert columns(tmp_path, content) == []


def test_blank_lines_have_the_declared_columns_without_a_header(tmp_path: Path) -> None:
    assert columns(tmp_path, "", header=False) == []
    assert columns(tmp_path, "\n \n", header=False) == [("id", "name")]


def test_declared_columns_name_the_fields_without_a_header(tmp_path: Path) -> None:
    assert columns(tmp_path, "   1Ada\n", header=False) == [("id", "name")]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("id  name  town\n   1Ada\n", "GS305", "has 14 characters, and `widths` 10"),
        ("id\n   1Ada\n", "GS305", "without a name"),
        ("id  ID\n   1Ada\n", "GS305", "two columns"),
        ("   1Ada\n   2Bo\n", "GS305", "none of the declared columns"),
        (b"id  gr\xf6\xdfe\n", "GS302", "encoding"),
    ],
)
def test_invalid_header_is_an_error(tmp_path: Path, content: str | bytes, code: str, words: str) -> None:
    with pytest.raises(SourceError) as found:
        columns(tmp_path, content)
    assert (found.value.code, found.value.where.file) == (code, "a.txt")
    assert words in found.value.message
    assert found.value.hint


@pytest.mark.parametrize("header", [True, False])
def test_compressed_bytes_are_refused(tmp_path: Path, header: bool) -> None:
    with pytest.raises(SourceError, match="compressed by gzip") as found:
        columns(tmp_path, gzip.compress(b"   1Ada\n"), header=header)
    assert (found.value.code, found.value.where.file) == ("GS302", "a.txt")
