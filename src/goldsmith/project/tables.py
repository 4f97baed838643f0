"""A declared table: its keys, its query or code, and what follows from them."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

from goldsmith.errors import Where
from goldsmith.project.documents import Document
from goldsmith.project.expectations import Expectation
from goldsmith.project.freshness import Freshness
from goldsmith.project.loads import Load
from goldsmith.project.loads.overwrite import Overwrite
from goldsmith.project.models import Layer, TableSpec
from goldsmith.project.quarantine_limit import QuarantineLimit
from goldsmith.project.sources import ExtractSource
from goldsmith.project.spelling import match_case
from goldsmith.project.sql.statement import Analysis, Query
from goldsmith.project.system_columns import INTERVAL, SYSTEM_COLUMNS

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
    tables. default_limit: the project's `max_quarantined`.
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
    default_limit: QuarantineLimit | None = field(default=None, repr=False)

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
        rows = self.row_columns
        return None if rows is None else {**rows, **self.load.added_columns}

    @property
    def row_columns(self) -> Mapping[str, str | None] | None:
        """The columns of the rows that are loaded: those of the table without the ones that its load adds."""
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
        if self.by_interval:
            return {**SYSTEM_COLUMNS, INTERVAL: "date"}
        return SYSTEM_COLUMNS if self.spec.source else {}

    @property
    def by_interval(self) -> bool:
        """Whether its source is asked for single days, whose rows replace the former ones."""
        return self.spec.source.by_interval(self.load) if self.spec.source else False

    @property
    def connection(self) -> tuple[str, str] | None:
        """The connection that its source reads, and what its address begins with; None if it reads none."""
        return self.spec.source.connection if self.spec.source else None

    @property
    def origin(self) -> str | None:
        """The source of its rows on one line; None if it reads other tables."""
        return self.spec.source.summary() if self.spec.source else None

    def places(self, landing: str) -> tuple[str, ...]:
        """The locations of the rows of its source, for lineage; empty if it reads other tables."""
        return (self.spec.source.place(landing),) if self.spec.source else ()

    @property
    def keeps_types(self) -> bool:
        """Whether only an explicit rebuild may change a column's type, because its source may not have old rows."""
        return self.spec.source.keeps_types if self.spec.source else False

    @property
    def quarantine_limit(self) -> QuarantineLimit | None:
        """The limit of quarantined rows in a load; None without one."""
        return self.spec.max_quarantined or self.default_limit

    @property
    def verdicts(self) -> tuple[Expectation, ...]:
        """What each load gives a verdict on: the expectations, and the limit of quarantined rows as one of them."""
        limit = self.quarantine_limit
        return (*self.spec.expectations, *((limit.as_expectation(),) if limit else ()))

    @property
    def freshness(self) -> Freshness | None:
        return Freshness.of(self.spec.fresh_within)

    @property
    def loaded_lookups(self) -> tuple[str, ...]:
        """The lookups whose changes do not rebuild the table: those declared `as_loaded`."""
        return tuple(name for name in self.spec.lookups if name in self.lookups)

    @property
    def exceptions(self) -> frozenset[str]:
        """The declared exceptions from the guarantee that a table holds what a rebuild would give."""
        found = {f"as_loaded:{name}" for name in self.loaded_lookups}
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
        texts = {name: asdict(column.text) for name, column in spec.columns.items() if column.text}
        body = self.query.definition if self.query else self.code.definition if self.code else None
        content = {
            "body": body,
            "source": spec.source.model_dump(mode="json") if spec.source else None,
            "load": _load_of(spec).model_dump(mode="json"),
            "changes_of": self.drivers,
            "types": {name: column.type for name, column in spec.columns.items() if column.type},
            **({"texts": texts} if texts else {}),
            "held": sorted(json.dumps(item, sort_keys=True, default=str) for item in held),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def where(self, *path: str | int) -> Where:
        """The place of a key in the table's YAML file."""
        return self.document.where(path, table=self.name)


def extract_file(table: Table, source: ExtractSource) -> Path:
    """The Python file of an extract, beside the pipeline's `pipeline.yaml`."""
    return table.document.file.parents[1].joinpath(*source.module.split(".")).with_suffix(".py")


def _load_of(spec: TableSpec) -> Load:
    if spec.load is not None:
        return spec.load
    return spec.source.loads[0].model_validate({}) if spec.source else Overwrite()
