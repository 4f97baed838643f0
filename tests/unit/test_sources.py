"""Errors of `check` about a source: files outside the landing folder, options without effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.engine.delta.metadata import LoadedFile
from goldsmith.engine.ingest.files_table import FilesTable
from goldsmith.engine.ingest.landing_disk import DiskLanding
from goldsmith.engine.ingest.layouts import Layout, table_columns
from goldsmith.errors import DeclarationError, DeclarationErrors, SourceError
from goldsmith.project.loading import load_project
from goldsmith.project.models import TableSpec
from goldsmith.project.sources import FilesSource

BRONZE = "pipelines/p/bronze/orders.yaml"


def mistakes(root: Path, source: str, columns: str = "columns: {id: int}\n") -> tuple[DeclarationError, ...]:
    """The mistakes in a project of one bronze table."""
    for path, text in {"goldsmith.yaml": "", "pipelines/p/pipeline.yaml": "", BRONZE: source}.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + columns if path == BRONZE else text)
    try:
        load_project(root)
    except DeclarationErrors as found:
        return found.problems
    return ()


@pytest.mark.parametrize(
    "files",
    ["../secret/*.csv", "a/../../b.csv", "/etc/host*", "~/a.csv", "s3a://other/a.csv", "a//b.csv", ""],
)
def test_files_outside_the_landing_folder_are_refused(tmp_path: Path, files: str) -> None:
    (problem,) = mistakes(tmp_path, f'source:\n  files: "{files}"\n  format: csv\n')
    assert problem.code == "GS103"
    assert problem.where.line == 2


@pytest.mark.parametrize(
    ("form", "option", "code", "words"),
    [
        ("csv", "dateFormat: yyyyMMdd", "GS110", "format: yyyyMMdd"),
        ("csv", "timeZone: Europe/Berlin", "GS110", "timezone: Europe/Berlin"),
        ("csv", "nonsense: 1", "GS102", "nonsense"),
        ("csv", "seperator: ';'", "GS102", "There is"),
        ("csv", "multiline_: true", "GS102", "`multiLine`"),
        ("csv", "mode: DROPMALFORMED", "GS110", "quarantined"),
        ("csv", "pathGlobFilter: '*.csv'", "GS110", "`files`"),
        ("csv", "header: 1", "GS103", "true or false"),
        ("csv", "comment: '//'", "GS103", "one character"),
        ("csv", "encoding: latin-0", "GS103", "encoding"),
        ("csv", "encoding: utf-16", "GS103", "UTF-8"),
        ("json", "header: true", "GS110", "only on csv"),
        ("csv", "widths: [5, 10]", "GS110", "only on fixed_width"),
        ("csv", "sep: [',', ';']", "GS103", "text"),
        ("csv", "header: [true]", "GS103", "true or false"),
        ("csv", "quote: {a: 1}", "GS103", "takes text, a number, true or false, not a mapping"),
        ("fixed_width", "widths: 5 10", "GS103", "takes a list of widths, not `5 10`"),
        ("fixed_width", "widths: 5", "GS103", "`options: {widths: [5, 10, 8]}`"),
        ("fixed_width", "widths: []", "GS103", "not `[]`"),
        ("fixed_width", "widths: [5, 0]", "GS103", "not `[5, 0]`"),
        ("fixed_width", "widths: [-5]", "GS103", "a list of widths"),
        ("fixed_width", "widths: ['5']", "GS103", "a list of widths"),
        ("fixed_width", "widths: [5.5]", "GS103", "a list of widths"),
        ("fixed_width", "widths: [true]", "GS103", "a list of widths"),
        ("fixed_width", "widths: [[5]]", "GS103", "a list of widths"),
        ("fixed_width", "widths: [5, 10]", "GS110", "differ in number: 2 and 1"),
        ("json", "multiLine: maybe", "GS103", "true or false"),
        ("json", "records: data..items", "GS103", "keys separated by dots"),
        ("csv", "records: data", "GS110", "only on json"),
        ("json", "allowComments: true", "GS102", "allowComments"),
        ("parquet", "mergeSchema: true", "GS102", "mergeSchema"),
        ("parquet", "encoding: utf-8", "GS110", "only on csv and json"),
    ],
)
def test_option_without_effect_is_refused_with_its_line(
    tmp_path: Path, form: str, option: str, code: str, words: str
) -> None:
    source = f"source:\n  files: a/*\n  format: {form}\n  options:\n    {option}\n"
    (problem,) = mistakes(tmp_path, source)
    assert problem.code == code
    assert problem.where.line == 5
    assert words in f"{problem.message} {problem.hint}"


def test_option_names_are_case_insensitive(tmp_path: Path) -> None:
    options = (
        "SEP: ';', Header: false, encoding: cp1252, nullvalue: NA, quote: '', multiLine: true, lineSep: '|'"
    )
    assert mistakes(tmp_path, f"source: {{files: a/*, format: csv, options: {{{options}}}}}\n") == ()


@pytest.mark.parametrize(
    "options", ["widths: [5]", "WIDTHS: [5, 6], Header: true, encoding: cp1252, lineSep: '|'"]
)
def test_widths_are_as_many_as_the_columns_unless_a_header_names_them(tmp_path: Path, options: str) -> None:
    source = f"source: {{files: a/*, format: fixed_width, options: {{{options}}}}}\n"
    assert mistakes(tmp_path, source) == ()


@pytest.mark.parametrize(
    ("files", "form", "kind"),
    [
        ("a/*.parquet.zip", "parquet", "ZIP files"),
        ("a/*.ZIP", "excel", "ZIP files"),
        ("a/*.tar.gz", "csv", "tar archives"),
        ("a/*.csv.xz", "csv", "compressed by xz"),
    ],
)
@pytest.mark.parametrize("key", ["", "  s3: partner\n"])
def test_archives_are_refused(tmp_path: Path, files: str, form: str, kind: str, key: str) -> None:
    found = mistakes(tmp_path, f"source:\n  files: '{files}'\n{key}  format: {form}\n")
    problem = next(each for each in found if each.code == "GS103")
    assert problem.where.line == 2
    assert kind in problem.message
    assert "`.zst`" in str(problem.hint)


@pytest.mark.parametrize("form", ["csv", "json", "avro", "debezium", "xml"])
def test_zip_files_of_other_formats_are_accepted(tmp_path: Path, form: str) -> None:
    found = mistakes(tmp_path, f"source: {{files: a/*.ZIP, format: {form}}}\n")
    assert [each for each in found if "ZIP" in each.message] == []


@pytest.mark.parametrize("line", ["", "  options: {header: false}\n"])
def test_fixed_width_without_widths_is_refused(tmp_path: Path, line: str) -> None:
    (problem,) = mistakes(tmp_path, f"source:\n  files: a/*\n  format: fixed_width\n{line}")
    assert (problem.code, problem.where.line) == ("GS104", 4 if line else 1)
    assert "need the option `widths`" in problem.message
    assert "`options: {widths: [5, 10, 8]}`" in str(problem.hint)


def test_widths_without_columns_are_refused(tmp_path: Path) -> None:
    source = "source: {files: a/*, format: fixed_width, options: {widths: [5]}}\n"
    (problem,) = mistakes(tmp_path, source, columns="")
    assert (problem.code, problem.where.line) == ("GS104", 1)
    assert "in the order of their fields" in problem.message


@pytest.mark.parametrize("whole", ["multiLine: true", "records: data.items"])
def test_line_separator_of_files_that_are_one_document_is_refused(tmp_path: Path, whole: str) -> None:
    source = f"source:\n  files: a/*\n  format: json\n  options:\n    {whole}\n    lineSep: '|'\n"
    (problem,) = mistakes(tmp_path, source)
    assert (problem.code, problem.where.line) == ("GS110", 6)
    assert "one document" in problem.message


def landing(root: Path) -> DiskLanding:
    (root / "landing/orders").mkdir(parents=True)
    (root / "landing/orders/a.csv").write_text("id\n1\n")
    (root / "secret").mkdir()
    (root / "secret/b.csv").write_text("id\n2\n")
    return DiskLanding(root / "landing")


@pytest.mark.parametrize("link", ["orders/b.csv", "orders/more"])
def test_link_out_of_the_landing_folder_is_an_error(tmp_path: Path, link: str) -> None:
    folder = landing(tmp_path)
    (folder.root / link).symlink_to(tmp_path / ("secret/b.csv" if link.endswith("csv") else "secret"))
    with pytest.raises(SourceError, match="link") as found:
        folder.files("orders/**/*.csv" if link.endswith("csv") else "orders/*/*.csv", table="bronze.orders")
    assert found.value.code == "GS302"
    assert str(found.value.where.file).startswith(link)
    (folder.root / link).unlink()
    assert [file.path for file in folder.files("orders/*.csv", table="bronze.orders")] == ["orders/a.csv"]


def test_links_within_and_to_the_landing_folder_are_followed(tmp_path: Path) -> None:
    folder = landing(tmp_path)
    (folder.root / "orders/b.csv").symlink_to(folder.root / "orders/a.csv")
    (tmp_path / "other").symlink_to(folder.root)
    found = DiskLanding(tmp_path / "other").files("orders/*.csv", table="bronze.orders")
    assert [file.path for file in found] == ["orders/a.csv", "orders/b.csv"]


@pytest.mark.parametrize("name", ["", "full name", "_run_id"])
def test_new_column_with_an_invalid_name_is_an_error(name: str) -> None:
    declared = FilesTable("bronze.orders", FilesSource(files="*.json", format="json"), TableSpec())
    with pytest.raises(SourceError) as found:
        table_columns(declared, {Layout((name,)): [LoadedFile("a.json", 1, 1)]})
    assert found.value.code == "GS305"


@pytest.mark.parametrize(
    ("source", "code", "message", "hint"),
    [
        ("extract: api:orders, format: json", None, "", ""),
        ("extract: apis.shop:orders, format: csv, options: {sep: x}", None, "", ""),
        ("extract: api, format: json", "GS103", "`api` is not `module:function`", ""),
        ("extract: ../api:orders, format: json", "GS103", "is not `module:function`", ""),
        ("extract: api.py:orders, format: json", "GS103", "without its suffix: `api:orders`", ""),
        ("extract: apy:orders, format: json", "GS106", "There is no apy.py in", "`api`"),
        ("extract: api:order, format: json", "GS206", "no function `order`", "`orders`"),
        ("extract: broken:orders, format: json", "GS206", "This is not Python", ""),
        ("extract: api:orders", "GS104", "`format` is missing in `source`", ""),
        ("extract: api:orders, format: json, on_replaced: fail", "GS102", "`on_replaced`", ""),
        ("extract: api:orders, format: json, optoins: {}", "GS102", "`optoins`", "`options`"),
        ("extract: api:orders, format: json, options: {sep: x}", "GS110", "no effect on json", ""),
        ("extract: api:orders, files: a/*.csv, format: csv", "GS102", "Unknown key `files`", ""),
        ("extrakt: api:orders, format: json", "GS102", "`extrakt`", "`extract`"),
    ],
)
def test_extract_is_checked_with_its_file(
    tmp_path: Path, source: str, code: str | None, message: str, hint: str
) -> None:
    folder = tmp_path / "pipelines/p"
    for path, text in {
        "api.py": "def orders(*, interval, state, folder): ...\n",
        "apis/shop.py": "from functools import partial\norders = partial(print)\n",
        "broken.py": "def orders(:\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    found = mistakes(tmp_path, f"source: {{{source}}}\n")
    if code is None:
        assert found == ()
        return
    problem = next(each for each in found if each.code == code)
    assert message in problem.message
    assert hint in str(problem.hint)
