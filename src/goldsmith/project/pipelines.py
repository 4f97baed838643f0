"""Pipelines, and the project that holds them with all tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.dashboards import Dashboard
from goldsmith.project.documents import Document
from goldsmith.project.graph import in_order
from goldsmith.project.hints import hint_for
from goldsmith.project.models import PipelineSpec, ProfileSpec, ProjectSpec, Severity
from goldsmith.project.profiles import chosen_profile
from goldsmith.project.sources import globs
from goldsmith.project.tables import Table


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
        by_name = {table.name: replace(table, default_limit=spec.max_quarantined) for table in tables}
        order = in_order({name: table.needs for name, table in by_name.items()})
        ordered = {name: by_name[name] for name in order}
        return cls(root, spec, {p.name: p for p in pipelines}, ordered, dashboards or {})
