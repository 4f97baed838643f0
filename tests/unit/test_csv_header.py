"""Headers of CSV files, and what a file without one is taken for."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.formats.base import LandedFiles
from goldsmith.engine.ingest.formats.csv_header import csv_headers
from goldsmith.engine.ingest.landing_disk import DiskLanding
from goldsmith.errors import SourceError
from goldsmith.project.models import TableSpec
from goldsmith.project.sources import FilesSource

WITHOUT_SPARK = cast(SparkSession, None)
COLUMNS = {"id": "int", "day": "date", "amount": "decimal(9,2)"}


def header(
    root: Path,
    content: str | bytes,
    columns: dict[str, str] | None = None,
    name: str = "a.csv",
    **options: Any,
) -> tuple[str, ...] | None:
    root.mkdir(exist_ok=True)
    (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    source = FilesSource(files="*", format="csv", options=options.pop("options", {}))
    declared = COLUMNS if columns is None else columns
    spec = TableSpec.model_validate({"source": source, "columns": declared, **options})
    landing = DiskLanding(root)
    load = LandedFiles(FilesTable("bronze.a", source, spec), landing)
    (found,) = csv_headers(load, landing.files("*", table="bronze.a"))
    return found


def refused(root: Path, content: str | bytes, **options: Any) -> SourceError:
    with pytest.raises(SourceError) as found:
        header(root, content, **options)
    assert found.value.where is not None
    assert found.value.where.file == options.get("name", "a.csv")
    return found.value


def workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("columns", [COLUMNS, {}])
def test_other_separator_is_suggested(tmp_path: Path, separator: str, columns: dict[str, str]) -> None:
    content = f"id{separator}day{separator}amount\n1{separator}2026-01-05{separator}3\n"
    error = refused(tmp_path, content, columns=columns)
    shown = json.dumps(separator)
    assert error.code == "GS305"
    assert "is a single column" in error.message
    assert f"`options: {{sep: {shown}}}`" in str(error.hint)
    assert header(tmp_path, content, options={"sep": separator}) == ("id", "day", "amount")


def test_comma_is_suggested_if_another_separator_is_declared(tmp_path: Path) -> None:
    error = refused(tmp_path, "id,day,amount\n", options={"sep": ";"})
    assert '`options: {sep: ","}`' in str(error.hint)


def test_single_column_may_contain_other_separators(tmp_path: Path) -> None:
    assert header(tmp_path, "id;day\n1\n", columns={"id;day": "string"}) == ("id;day",)
    assert header(tmp_path, "id\n1;2\n", columns={"id": "string"}) == ("id",)
    assert header(tmp_path, "note; free\n", columns={"id": "int"}, on_missing_column="fill") == (
        "note; free",
    )


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (workbook(), "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (gzip.compress(b"id,day,amount\n"), "compressed by gzip"),
        (b"\x28\xb5\x2f\xfd\x00", "compressed by zstd"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"Obj\x01\x04", "Avro"),
        ("id,day,amount\n".encode("utf-16"), "UTF-16"),
    ],
    # The bytes differ from one process to another.
    ids=lambda value: value if isinstance(value, str) else "bytes",
)
def test_file_of_another_format_is_named(tmp_path: Path, content: bytes, name: str) -> None:
    error = refused(tmp_path, content)
    assert error.code == "GS302"
    assert name in error.message
    assert error.hint


def test_workbook_that_is_compressed_is_named(tmp_path: Path) -> None:
    assert "Excel" in refused(tmp_path, gzip.compress(workbook()), name="a.csv.gz").message


def test_file_without_a_header_is_suspected(tmp_path: Path) -> None:
    for content in ("1,2026-01-05,3.50\n2,2026-01-06,4\n", "a,b,c\n", "-1,x\n"):
        error = refused(tmp_path, content)
        assert error.code == "GS305"
        assert content.splitlines()[0].replace(",", ", ") in error.message
        assert "`options: {header: false}`" in str(error.hint)
    assert header(tmp_path, "1,2026-01-05,3\n", options={"header": False}) == ("id", "day", "amount")
    # With `fill`, a file may have only columns that are not declared, but not values instead of names.
    assert header(tmp_path, "a,b\n", on_missing_column="fill") == ("a", "b")
    assert refused(tmp_path, "1,b\n", on_missing_column="fill").code == "GS305"
    assert header(tmp_path, "1,b\n", columns={}) == ("1", "b")


def test_header_with_some_of_the_columns_is_a_header(tmp_path: Path) -> None:
    assert header(tmp_path, "ID,2026\n") == ("ID", "2026")
    assert header(tmp_path, "") is None
    assert header(tmp_path, "\n\n \n") is None
