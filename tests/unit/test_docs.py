"""The documentation compared with the code: its lists are complete, and its examples are valid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from goldsmith.engine.delta.metadata import CommitMetadata
from goldsmith.errors import CODES, Exit
from goldsmith.project import dashboards, loads, models, sources
from goldsmith.project.connections import ConnectionSpec
from goldsmith.project.expectations import Expectation
from goldsmith.project.loading import load_project
from goldsmith.project.ops import OPS_TABLES, OpsTable
from goldsmith.project.scheduling import ScheduleSpec
from goldsmith.project.system_columns import SYSTEM_COLUMNS
from goldsmith.quality.checking import check_expectations
from goldsmith.quality.declarations import problems
from goldsmith.quality.kinds import GX_KINDS, KINDS, UNSUPPORTED

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LINKING = [*PAGES, ROOT / "README.md"]

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"(?:#|--) (goldsmith\.yaml|pipelines/\S+)$")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")

DECLARED: tuple[type[BaseModel], ...] = (
    models.ProjectSpec,
    models.ProfileSpec,
    models.SparkSpec,
    models.DqopsSpec,
    models.RetentionSpec,
    models.PipelineSpec,
    ScheduleSpec,
    models.TableSpec,
    models.Column,
    sources.FilesSource,
    sources.ExtractSource,
    sources.JdbcSource,
    ConnectionSpec,
    loads.Merge,
    loads.Scd2,
    loads.OverwritePartitions,
)
IN_WORDS = {
    "wait_for_cores": "`10m`",
    "profiles": "one, `local`",
    "pools": "`{spark: 2}`",
    "spark": "defaults",
    "dqops": "defaults",
    "retention": "nothing expires",
    "load": "by layer",
    "track": "all others",
}


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def section(text: str, title: str) -> str:
    """The text of a section, up to the next heading of its level or above."""
    level = title.split(" ", 1)[0]
    start = text.index(f"\n{title}\n") + len(title) + 2
    bare = FENCE.sub(lambda fence: " " * len(fence[0]), text)
    end = re.search(rf"^#{{1,{len(level)}}} ", bare[start:], re.MULTILINE)
    return text[start : start + end.start()] if end else text[start:]


def examples(page: str) -> list[tuple[str, str, str]]:
    """Language, path and text of each fenced block whose first line names a file of a project."""
    found = []
    for language, text in FENCE.findall(read(page)):
        named = FILE.match(text.split("\n", 1)[0])
        if named:
            found.append((language, named[1], text))
    return found


def shown(value: Any) -> str:
    """A default as written in the tables."""
    if value is PydanticUndefined:
        return "required"
    if value == "":
        return "empty"
    if value is None or value in ((), {}):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as on GitHub."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_links_have_targets(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        path, _, fragment = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{page.name}: {target}"
        if fragment:
            assert fragment in anchors(other), f"{page.name}: {target}"


def test_errors_page_lists_each_code_with_its_title() -> None:
    headings = re.findall(r"^### (GS\d+) (.+)$", read("errors.md"), re.MULTILINE)
    assert dict(headings) == CODES
    assert len(headings) == len(CODES)


@pytest.mark.parametrize("code", CODES)
def test_each_error_has_an_example_and_an_action(code: str) -> None:
    text = section(read("errors.md"), f"### {code} {CODES[code]}")
    assert [example.split()[0] for _, example in FENCE.findall(text)] == [code]
    assert "**Do:**" in text
    assert re.search(r"\*\*Again:\*\*\s(yes|no)", text)


@pytest.mark.parametrize("model", DECLARED, ids=lambda model: model.__name__)
def test_each_key_is_declared_with_its_default(model: type[BaseModel]) -> None:
    listed = {(row[0], cell) for row in rows(read("declarations.md")) for cell in row[1:3]}
    for name, field in model.model_fields.items():
        if name == "kind":
            continue
        default = field.get_default(call_default_factory=True)
        default_text = IN_WORDS.get(name) or shown(default)
        assert (f"`{name}`", default_text) in listed, f"{model.__name__}.{name}: {default_text}"


@pytest.mark.parametrize(
    "model",
    [dashboards.DashboardSpec, dashboards.Row, dashboards.Chart, dashboards.Filter, models.Metric],
    ids=lambda model: model.__name__,
)
def test_each_key_of_a_dashboard_is_listed_with_its_default(model: type[BaseModel]) -> None:
    listed = {(row[0], row[1]) for row in rows(read("dashboards.md"))}
    for name, field in model.model_fields.items():
        assert (f"`{name}`", shown(field.get_default(call_default_factory=True))) in listed, name


def test_each_kind_of_chart_is_listed() -> None:
    listed = " ".join(row[0] for row in rows(section(read("dashboards.md"), "## Charts")))
    assert {f"`{kind}`" for kind in dashboards.KINDS} <= set(listed.replace(",", "").split())


def test_each_load_and_each_system_column_is_declared() -> None:
    cells = {row[0] for row in rows(read("declarations.md"))}
    assert {f"`{load}`" for load in loads.KINDS} <= cells
    assert {f"`{column}`" for column in SYSTEM_COLUMNS} <= cells
    for name in models.RESERVED:
        assert f"`{name}`" in read("declarations.md"), name


def test_each_key_of_an_expectation_is_listed_with_its_default() -> None:
    listed = {row[0]: row[1] for row in rows(section(read("expectations.md"), "## Keys"))}
    written = set(Expectation.model_fields) - {"kind", "arguments"}
    assert {f"`{name}`" for name in written} <= listed.keys()
    assert listed["`otherwise`"] == shown(Expectation.model_fields["otherwise"].default)


@pytest.mark.parametrize("kind", KINDS)
def test_each_expectation_is_listed_with_its_arguments(kind: str) -> None:
    judged = KINDS[kind]
    text = section(read("expectations.md"), f"## Expectations on {'a batch' if judged.batch else 'rows'}")
    row = next(row for row in rows(text) if row[0] == f"`{kind}`")
    if kind == "condition":
        return
    assert set(re.findall(r"`(\w+)`", row[1])) == judged.arguments.keys() - {"mostly"}
    if judged.batch:
        assert ("Takes `mostly`" in row[2]) == judged.mostly
    else:
        assert judged.mostly


def test_equivalent_expectations_of_other_tools_are_listed() -> None:
    text = section(read("expectations.md"), "## More of Great Expectations")
    named = {row[0].strip("`") for row in rows(text)}
    assert {name for name in named if name.startswith("expect_")} == GX_KINDS | UNSUPPORTED.keys()


@pytest.mark.parametrize("table", OPS_TABLES, ids=lambda table: table.name)
def test_each_column_of_the_platforms_tables_is_listed(table: OpsTable) -> None:
    listed = {
        row[0].strip("`"): row[1].replace("&lt;", "<").replace("&gt;", ">")
        for row in rows(section(read("protocol.md"), f"### ops.{table.name}"))
        if row[0].startswith("`")
    }
    assert listed == table.types


def test_example_of_a_commit_is_valid() -> None:
    (text,) = (text for language, text in FENCE.findall(read("protocol.md")) if language == "json")
    metadata = CommitMetadata.from_json(text)
    assert metadata is not None
    assert json.loads(text)["goldsmith"].keys() == {field.name for field in fields(CommitMetadata)}
    assert json.loads(json.dumps(asdict(metadata))) == json.loads(text)["goldsmith"]
    assert metadata.completed(
        {"numTargetRowsUpdated": 943, "numTargetRowsInserted": 913, "numSourceRows": 1856}
    ).counts.balanced


def test_each_field_of_a_commit_is_explained() -> None:
    text = section(read("protocol.md"), "## Commit metadata")
    first = " ".join(row[0] for row in rows(text))
    for field in fields(CommitMetadata):
        assert f"`{field.name}`" in first, field.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_example_in_yaml_names_its_file_and_is_valid(page: Path) -> None:
    blocks = [
        text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language == "yaml"
    ]
    named = [(path, text) for language, path, text in examples(page.name) if language == "yaml"]
    assert [text for _, text in named] == blocks
    for path, text in named:
        data = yaml.safe_load(text) or {}
        if path == "goldsmith.yaml":
            models.ProjectSpec.model_validate(data)
        elif "/dashboards/" in path:
            dashboards.DashboardSpec.model_validate(data)
        elif path.endswith("/pipeline.yaml"):
            models.PipelineSpec.model_validate(data)
        else:
            spec = models.TableSpec.model_validate(data)
            assert [problem for item in spec.expectations for problem in problems(item, None)] == []


@pytest.mark.parametrize("page", ["declarations.md", "expectations.md"])
def test_examples_of_a_page_form_a_valid_project(page: str, tmp_path: Path) -> None:
    files = {"goldsmith.yaml": "", "pipelines/shop/pipeline.yaml": ""}
    found = examples(page)
    assert len({path for _, path, _ in found}) == len(found)
    files |= {path: text for _, path, text in found}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    project = load_project(tmp_path, checks=(check_expectations,))
    tables = [path for path in files if path.count("/") == 3 and path.endswith(".yaml")]
    assert len(project.tables) == len(tables) > 0
    assert not any(table.analysis.notes for table in project.tables.values() if table.analysis is not None)


def test_each_exit_code_is_documented() -> None:
    documented = {row[0] for row in rows(section(read("operating.md"), "## Exit codes"))}
    assert {str(int(code)) for code in Exit} <= documented


def test_each_environment_variable_is_documented() -> None:
    named: set[str] = set()
    for file in (ROOT / "src").rglob("*.py"):
        named |= set(re.findall(r"\"((?:GOLDSMITH|OPENLINEAGE)_[A-Z_]+)\"", file.read_text(encoding="utf-8")))
    text = section(read("operating.md"), "## Environment variables")
    assert named >= {"GOLDSMITH_CACHE", "GOLDSMITH_PROJECT"}
    for name in named:
        assert f"`{name}" in text, name


def test_documented_jars_are_the_pinned_ones() -> None:
    from goldsmith.engine.launch.jars import pinned

    for jar in pinned("delta"):
        assert f"`{jar.file}`" in read("operating.md")
