"""A project that was read: pipelines and tables with their declarations and code."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.dashboards import Dashboard
from goldsmith.project.documents import Document
from goldsmith.project.freshness import Freshness
from goldsmith.project.graph import in_order
from goldsmith.project.hints import hint_for
from goldsmith.project.loads import Load, Overwrite
from goldsmith.project.models import Layer, PipelineSpec, ProfileSpec, ProjectSpec, Severity, TableSpec
from goldsmith.project.profiles import chosen_profile
from goldsmith.project.sources import SYSTEM_COLUMNS, globs
from goldsmith.project.spelling import match_case
from goldsmith.project.sql.statement import Analysis, Query

_EXCEPTION = "+"


@dataclass(frozen=True)
class PythonCode:
    """A table's Python file: a module with `transform(spark, tables)`."""

    file: Path
    text: str

    @property
    def definition(self) -> str:
        """The syntax tree as text, independent of comments and formatting."""
        return ast.dump(ast.parse(self.text))


@dataclass(frozen=True)
class Table:
    """A declared table.

    name: `layer.table`. spec: the declaration, its column names in the case of the table's columns if these are
    known. declared: the declaration as written, if it differs. analysis: of its SQL; None for bronze and Python
    tables.
    """

    name: str
    layer: Layer
    pipeline: str
    spec: TableSpec
    document: Document = field(repr=False, compare=False)
    query: Query | None = field(default=None, repr=False)
    code: PythonCode | None = field(default=None, repr=False)
    analysis: Analysis | None = field(default=None, repr=False, compare=False)
    declared: TableSpec | None = field(default=None, repr=False)

    def resolved(self, columns: Collection[str]) -> Table:
        """The table with the column names of its declaration in the case of `columns`."""
        spec = match_case(self.spec, columns)
        return self if spec is self.spec else replace(self, spec=spec, declared=self.declared or self.spec)

    @property
    def short(self) -> str:
        return self.name.split(".", 1)[1]

    @property
    def load(self) -> Load:
        return _load_of(self.spec)

    @property
    def upstreams(self) -> tuple[str, ...]:
        if self.query is not None:
            return self.query.upstreams
        return self.spec.reads

    @property
    def drivers(self) -> tuple[str, ...]:
        """The upstreams whose changes drive the load; () if every change recomputes the table."""
        if not self.load.incremental or self.layer == "bronze":
            return ()
        return self.spec.changes_of or (self.upstreams if len(self.upstreams) == 1 else ())

    @property
    def lookups(self) -> tuple[str, ...]:
        """The upstreams that are not drivers."""
        return tuple(name for name in self.upstreams if name not in self.drivers)

    @property
    def referenced(self) -> tuple[str, ...]:
        """The tables that expectations look up and that are not upstreams."""
        named = [
            str(expectation.arguments["table"])
            for expectation in self.spec.expectations
            if expectation.kind == "expect_column_values_to_exist_in" and "table" in expectation.arguments
        ]
        return tuple(dict.fromkeys(name for name in named if name not in self.upstreams))

    @property
    def deciding_references(self) -> frozenset[str]:
        """The tables, upstreams or not, that expectations look up to drop or quarantine rows."""
        return frozenset(
            str(expectation.arguments["table"])
            for expectation in self.spec.expectations
            if expectation.kind == "expect_column_values_to_exist_in"
            and expectation.otherwise in ("drop", "quarantine")
            and "table" in expectation.arguments
        )

    @property
    def needs(self) -> tuple[str, ...]:
        """All tables that must be loaded before this one."""
        return (*self.upstreams, *self.referenced)

    @property
    def columns(self) -> Mapping[str, str | None] | None:
        """Column names with their declared types (None: the query's type); None if the columns are unknown."""
        if self.layer == "bronze":
            declared = {name: column.type or "string" for name, column in self.spec.columns.items()}
            return {**declared, **self.system_columns} if declared else None
        if self.analysis is not None and self.analysis.columns is not None:
            types = {name.lower(): column.type for name, column in self.spec.columns.items()}
            return {name: types.get(name.lower()) for name in self.analysis.columns}
        if self.code is not None and self.spec.columns:
            return {name: column.type for name, column in self.spec.columns.items()}
        return None

    def traced(self, driver: str, column: str) -> str | None:
        """The SQL over a driver's columns that gives a column of the table; None if it cannot be traced to it alone."""
        return self.analysis.traced(driver, column) if self.analysis is not None else None

    @property
    def system_columns(self) -> Mapping[str, str]:
        """The system columns of a table that has a source, with their types."""
        return SYSTEM_COLUMNS if self.spec.source else {}

    @property
    def origin(self) -> str | None:
        """The source of its rows on one line; None if it reads other tables."""
        return self.spec.source.summary() if self.spec.source else None

    @property
    def keeps_types(self) -> bool:
        """Whether only an explicit rebuild may change a column's type, because its source may not have old rows."""
        return self.spec.source.keeps_types if self.spec.source else False

    @property
    def freshness(self) -> Freshness | None:
        return Freshness.of(self.spec.fresh_within)

    @property
    def exceptions(self) -> frozenset[str]:
        """The declared exceptions from the guarantee that a table holds what a rebuild would give."""
        found = {f"as_loaded:{name}" for name in self.spec.lookups if name in self.lookups}
        if self.load.accumulates and self.spec.on_removed == "ignore":
            found.add("on_removed:ignore")
        return frozenset(found)

    def continues(self, definition: str) -> bool:
        """Whether content that was loaded under `definition` is valid under this definition.

        Adding an exception keeps the content valid. Removing one does not: the table may hold rows that a rebuild
        would not give.
        """
        content, *exceptions = definition.split(_EXCEPTION)
        return content == self._content and self.exceptions.issuperset(exceptions)

    @property
    def definition(self) -> str:
        """A hash of all that decides the table's content, followed by its exceptions from the promise."""
        return _EXCEPTION.join((self._content, *sorted(self.exceptions)))

    @cached_property
    def _content(self) -> str:
        """A hash of all that decides the table's content. Descriptions, formatting and verdicts that only
        warn or stop are not part of it."""
        spec = self.declared or self.spec
        held = [
            e.model_dump(include={"kind", "arguments", "otherwise", "ignore_nulls"}, mode="json")
            for e in spec.expectations
            if e.otherwise in ("drop", "quarantine")
        ]
        body = self.query.definition if self.query else self.code.definition if self.code else None
        content = {
            "body": body,
            "source": spec.source.model_dump(mode="json") if spec.source else None,
            "load": _load_of(spec).model_dump(mode="json"),
            "changes_of": self.drivers,
            "types": {name: column.type for name, column in spec.columns.items() if column.type},
            "held": sorted(json.dumps(item, sort_keys=True, default=str) for item in held),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def where(self, *path: str | int) -> Where:
        """The place of a key in the table's YAML file."""
        return self.document.where(path, table=self.name)


def _load_of(spec: TableSpec) -> Load:
    if spec.load is not None:
        return spec.load
    return spec.source.loads[0].model_validate({}) if spec.source else Overwrite()


@dataclass(frozen=True)
class Pipeline:
    """A folder of tables with one schedule."""

    name: str
    folder: Path
    spec: PipelineSpec
    document: Document = field(repr=False, compare=False)

    def where(self, *path: str | int) -> Where:
        """The location of a key in `pipeline.yaml`."""
        return self.document.where(path)

    @property
    def feed_file(self) -> Path | None:
        file = self.folder / "feed.py"
        return file if file.is_file() else None


@dataclass(frozen=True)
class Project:
    """All declarations under one `goldsmith.yaml`. tables: in loading order."""

    root: Path
    spec: ProjectSpec
    pipelines: Mapping[str, Pipeline]
    tables: Mapping[str, Table]
    dashboards: Mapping[str, Dashboard] = field(default_factory=dict)

    @property
    def needs(self) -> dict[str, tuple[str, ...]]:
        return {name: table.needs for name, table in self.tables.items()}

    @property
    def globs(self) -> dict[str, str]:
        """The globs of the files that bronze tables read, below the landing root, by table name."""
        return globs({name: table.spec.source for name, table in self.tables.items()})

    def profile(self, name: str | None = None) -> ProfileSpec:
        """A profile by name, by default the project's, with environment variables replaced and absolute paths.

        Raises DeclarationError GS108, GS110 for a path of an unknown scheme, NotReady GS904 for a variable
        that is not set.
        """
        return chosen_profile(self.spec, name, self.root)

    def table(self, name: str) -> Table:
        """A table by its full name, or by a short name that is unique. Raises DeclarationError GS108."""
        if name in self.tables:
            return self.tables[name]
        matches = [table for table in self.tables.values() if table.short == name]
        if len(matches) == 1:
            return matches[0]
        if matches:
            full = ", ".join(sorted(table.name for table in matches))
            raise DeclarationError(
                "GS108", f"Several tables are called `{name}`.", hint=f"Say which: {full}."
            )
        raise DeclarationError("GS108", f"There is no table `{name}`.", hint=hint_for(name, self.tables))

    def gate(self, name: str) -> Severity | None:
        """The severity from which DQOps' checks of a table stop downstream tables; None without a gate."""
        table = self.table(name)
        declared = table.spec.gate
        if declared is None:
            return self.pipelines[table.pipeline].spec.gates.get(table.layer)
        return None if declared == "none" else declared

    def owner(self, name: str) -> str | None:
        """The owner of a table, by default its pipeline's."""
        table = self.table(name)
        return table.spec.owner or self.pipelines[table.pipeline].spec.owner

    def pipeline_of(self, name: str) -> str | None:
        """The pipeline that declares a table, even if its file is invalid or was not read; None if none does."""
        if name in self.tables:
            return self.tables[name].pipeline
        layer, _, short = name.partition(".")
        files = {p.name: p.folder / layer / f"{short}.yaml" for p in self.pipelines.values()}
        return next((pipeline for pipeline, file in files.items() if file.is_file()), None)

    def select(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The tables of the named pipelines, layers and tables, in loading order; all of them without names.

        Raises DeclarationError GS108 for an unknown name.
        """
        if not names:
            return tuple(self.tables)
        chosen: set[str] = set()
        for name in names:
            members = {table.name for table in self.tables.values() if name in (table.pipeline, table.layer)}
            if members:
                chosen |= members
                continue
            try:
                chosen.add(self.table(name).name)
            except DeclarationError as error:
                if error.hint is not None and error.hint.startswith("Say which"):
                    raise
                known = [*self.pipelines, *self.tables]
                raise DeclarationError(
                    "GS108", f"There is no pipeline or table `{name}`.", hint=hint_for(name, known)
                ) from None
        return tuple(name for name in self.tables if name in chosen)

    @classmethod
    def assemble(
        cls,
        root: Path,
        spec: ProjectSpec,
        pipelines: list[Pipeline],
        tables: list[Table],
        dashboards: Mapping[str, Dashboard] | None = None,
    ) -> Project:
        by_name = {table.name: table for table in tables}
        order = in_order({name: table.needs for name, table in by_name.items()})
        ordered = {name: by_name[name] for name in order}
        return cls(root, spec, {p.name: p for p in pipelines}, ordered, dashboards or {})
