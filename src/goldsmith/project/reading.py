"""Reads the files of a project one by one and collects their mistakes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.dashboards import Dashboard
from goldsmith.project.documents import Document, read_document
from goldsmith.project.hints import hint_for, nearest
from goldsmith.project.loading_dashboards import DASHBOARDS, bad_name, dashboards_of, unique_dashboards
from goldsmith.project.models import LAYERS, NAME, Layer, PipelineSpec, ProjectSpec, TableSpec
from goldsmith.project.pipelines import Pipeline, Project
from goldsmith.project.python_files import parse_python, read_text
from goldsmith.project.sql import statement as sql
from goldsmith.project.tables import PythonCode, Table
from goldsmith.project.validation import validate

MARKER = "goldsmith.yaml"
_OTHER_FOLDERS = (DASHBOARDS,)
Result = TypeVar("Result")


class Reader:
    """Reads a project's files; collects problems and the names of unreadable tables."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[DeclarationError] = []
        self.broken: set[str] = set()
        self.document: Document | None = None

    def spec(self) -> ProjectSpec | None:
        document = self._collect(lambda: read_document(self.root / MARKER))
        spec = self._collect(lambda: validate(ProjectSpec, document)) if document else None
        if spec is None or document is None:
            return None
        if spec.profile not in spec.profiles:
            self.problems.append(
                DeclarationError(
                    "GS108",
                    f"No profile `{spec.profile}` is declared.",
                    where=document.where(("profile",)),
                    hint=hint_for(spec.profile, spec.profiles),
                )
            )
        self.document = document
        return spec

    def read(self, only: Collection[str] | None = None) -> Project | None:
        spec = self.spec()
        if spec is None:
            return None
        folder = self.root / spec.pipelines
        if not folder.is_dir():
            assert self.document is not None
            where = self.document.where(("pipelines",))
            self.problems.append(
                DeclarationError(
                    "GS109",
                    f"The folder `{spec.pipelines}` of pipelines does not exist.",
                    where=where,
                    hint=self._other_folder(spec.pipelines),
                )
            )
            return None
        pipelines: list[Pipeline] = []
        tables: list[Table] = []
        dashboards: list[Dashboard | None] = []
        for path in sorted(folder.glob("*/")):
            if only is not None and path.name not in only:
                pipelines.extend(self._other(path))
            elif (path / "pipeline.yaml").is_file():
                pipeline = self._pipeline(path)
                if pipeline is not None:
                    pipelines.append(pipeline)
                tables.extend(self._tables(path))
                dashboards.extend(self._collect(action) for action in dashboards_of(path))
            elif any(path.glob("*/*.yaml")) or _misspelt(path, "pipeline.yaml"):
                misspelt = _misspelt(path, "pipeline.yaml")
                self.problems.append(
                    DeclarationError(
                        "GS109",
                        "A pipeline's folder needs a `pipeline.yaml`.",
                        where=Where(file=path),
                        hint=f"Rename {misspelt} to pipeline.yaml."
                        if misspelt
                        else "Create it in this folder; it may be empty.",
                    )
                )
        unique, twice = unique_dashboards(dashboards)
        self.problems.extend(twice)
        return Project.assemble(self.root, spec, pipelines, self._unique(tables), unique)

    def _other_folder(self, missing: str) -> str:
        """The hint for a missing folder of pipelines: the folder that has some, or how to create one."""
        holding = [path.parents[1] for path in self.root.glob("*/*/pipeline.yaml")]
        if not holding:
            return "Create one: `goldsmith init --pipeline NAME`."
        found = nearest(missing, {path.name for path in holding}) or sorted(holding)[0].name
        return f"The folder `{found}` has pipelines: rename it, or set `pipelines: {found}` in {MARKER}."

    def _collect(self, action: Callable[[], Result]) -> Result | None:
        """The action's result, or None if it raised mistakes, which are collected."""
        try:
            return action()
        except DeclarationError as problem:
            self.problems.append(problem)
        except ExceptionGroup as group:
            self.problems.extend(
                problem for problem in group.exceptions if isinstance(problem, DeclarationError)
            )
        return None

    def _pipeline(self, folder: Path) -> Pipeline | None:
        document = self._collect(lambda: read_document(folder / "pipeline.yaml"))
        spec = self._collect(lambda: validate(PipelineSpec, document)) if document else None
        if not NAME.match(folder.name):
            self.problems.append(bad_name(folder.name, folder))
        return Pipeline(folder.name, folder, spec, document) if spec and document else None

    def _other(self, folder: Path) -> list[Pipeline]:
        """A pipeline that is not selected: its schedule if it can be read. Its mistakes are ignored."""
        if not (folder / "pipeline.yaml").is_file():
            return []
        reader = Reader(self.root)
        pipeline = reader._pipeline(folder)
        return [pipeline] if pipeline is not None else []

    def _tables(self, pipeline: Path) -> Iterator[Table]:
        for file in sorted(pipeline.glob("*.yaml")):
            if file.name != "pipeline.yaml":
                self.problems.append(
                    DeclarationError(
                        "GS109",
                        f"{file.name} is not in a layer's folder.",
                        where=Where(file=file),
                        hint=f"Move it into one of {', '.join(f'{layer}/' for layer in LAYERS)}.",
                    )
                )
        for folder in sorted(pipeline.glob("*/")):
            if folder.name in LAYERS:
                layer: Layer = LAYERS[LAYERS.index(folder.name)]
                for file in sorted(folder.glob("*.yml")):
                    self.problems.append(
                        DeclarationError(
                            "GS109",
                            "The names of declarations end in `.yaml`.",
                            where=Where(file=file),
                            hint=f"Rename it to {file.with_suffix('.yaml').name}.",
                        )
                    )
                yield from self._layer(folder, layer, pipeline.name)
            elif folder.name not in _OTHER_FOLDERS and any(folder.glob("*.yaml")):
                hint = (
                    f"Did you mean `{nearest(folder.name, LAYERS)}`?"
                    if nearest(folder.name, LAYERS)
                    else None
                )
                self.problems.append(
                    DeclarationError(
                        "GS109",
                        f"`{folder.name}` is not a layer.",
                        where=Where(file=folder),
                        hint=hint or f"The layers are: {', '.join(LAYERS)}.",
                    )
                )

    def _layer(self, folder: Path, layer: Layer, pipeline: str) -> Iterator[Table]:
        declared = {file.stem for file in folder.glob("*.yaml")}
        for code_file in sorted((*folder.glob("*.sql"), *folder.glob("*.py"))):
            if code_file.stem in declared and layer == "bronze":
                self.problems.append(
                    DeclarationError(
                        "GS106",
                        f"{code_file.name} is never run: a bronze table reads its source.",
                        where=Where(file=code_file),
                        hint="Move it to a silver table that reads this table.",
                    )
                )
            if code_file.stem in declared:
                continue
            self.problems.append(
                DeclarationError(
                    "GS106",
                    f"{code_file.name} has no YAML declaration beside it.",
                    where=Where(file=code_file),
                    hint=f"Write {code_file.stem}.yaml."
                    + (f" {hint_for(code_file.stem, declared)}" if nearest(code_file.stem, declared) else ""),
                )
            )
        for file in sorted(folder.glob("*.yaml")):
            name = f"{layer}.{file.stem}"
            if not NAME.match(file.stem):
                self.problems.append(bad_name(file.stem, file))
            table = self._table(file, name, layer, pipeline)
            if table is None:
                self.broken.add(name)
            else:
                yield table

    def _table(self, file: Path, name: str, layer: Layer, pipeline: str) -> Table | None:
        document = self._collect(lambda: read_document(file))
        if document is None:
            return None
        spec = self._collect(lambda: validate(TableSpec, document, table=name))
        sql_file, python_file = file.with_suffix(".sql"), file.with_suffix(".py")
        query = code = None
        if layer == "bronze":
            if (document.data.get("source")) is None:
                self.problems.append(
                    DeclarationError(
                        "GS104",
                        "A bronze table needs a `source`.",
                        where=document.where(table=name),
                        hint="As in `source: {files: orders/*.csv, format: csv}`.",
                    )
                )
                return None
        elif sql_file.is_file() and python_file.is_file():
            self.problems.append(
                DeclarationError(
                    "GS106",
                    f"The table has both {sql_file.name} and {python_file.name}.",
                    where=document.where(table=name),
                    hint="Keep one.",
                )
            )
            return None
        elif sql_file.is_file():
            query = self._collect(lambda: sql.parse(read_text(sql_file), file=sql_file, table=name))
            if query is None:
                return None
        elif python_file.is_file():
            code = self._collect(lambda: _python(python_file, name))
            if code is None:
                return None
        else:
            self.problems.append(
                DeclarationError(
                    "GS106",
                    f"The table's query is missing: {sql_file.name} or {python_file.name}.",
                    where=document.where(table=name),
                    hint=f"Write it beside {file.name}.",
                )
            )
            return None
        return Table(name, layer, pipeline, spec, document, query, code) if spec else None

    def _unique(self, tables: list[Table]) -> list[Table]:
        seen: dict[str, Table] = {}
        for table in tables:
            if table.name in seen:
                first = seen[table.name].document.file
                self.problems.append(
                    DeclarationError(
                        "GS105",
                        f"`{table.name}` is declared twice; first in {first}.",
                        where=table.where(),
                        hint="Rename one: a table's full name is unique in the project.",
                    )
                )
            seen.setdefault(table.name, table)
        return list(seen.values())


def _misspelt(folder: Path, wanted: str) -> str | None:
    """The name of a file that was probably meant to be `wanted`."""
    return nearest(wanted, [file.name for file in folder.glob("*.y*ml")])


def _python(file: Path, table: str) -> PythonCode:
    text = read_text(file)
    tree = parse_python(file, text, table)
    if not any(isinstance(node, ast.FunctionDef) and node.name == "transform" for node in tree.body):
        raise DeclarationError(
            "GS206",
            "The file has no function `transform`.",
            where=Where(file=file, line=1, table=table),
            hint="Write `def transform(spark, tables): ...`. `tables` holds DataFrames by full name; the function "
            "returns a DataFrame.",
        )
    return PythonCode(file, text)
