"""Checks tables against each other: names, cycles, columns, and whether loads fit their queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from goldsmith.errors import DeclarationError
from goldsmith.project.checks.columns import declared_columns, incomparable_keys, own_columns
from goldsmith.project.checks.connections import connections
from goldsmith.project.checks.monitoring import monitored
from goldsmith.project.checks.named_columns import conditions, named_columns
from goldsmith.project.checks.sources import sources
from goldsmith.project.checks.text_formats import text_formats
from goldsmith.project.confinement import unconfined
from goldsmith.project.graph import find_cycle
from goldsmith.project.hints import hint_for
from goldsmith.project.pipelines import Project
from goldsmith.project.sql import statement as sql
from goldsmith.project.sql.missing_commas import HiddenColumns, hidden_columns
from goldsmith.project.tables import Table

Schemas = dict[str, Mapping[str, str | None] | None]


def check_tables(project: Project, *, broken: set[str]) -> tuple[Project, list[DeclarationError]]:
    """Analyses all queries; returns the project with the analyses, and all mistakes.

    broken: the names of tables whose files could not be read; their columns are unknown.
    """
    problems = [*_names(project, broken), *connections(project)]
    cycle = find_cycle(project.needs)
    if cycle is not None:
        names = " -> ".join(cycle)
        where = project.tables[cycle[0]].where()
        problems.append(
            DeclarationError(
                "GS107",
                f"These tables depend on each other in a cycle: {names}.",
                where=where,
                hint="Remove one of the dependencies.",
            )
        )
        return project, problems
    schemas: Schemas = dict.fromkeys(broken)
    schemas.update(dict.fromkeys(project.tables))
    keys: dict[str, frozenset[frozenset[str]]] = {}
    hidden: dict[str, HiddenColumns] = {}
    tables: list[Table] = []
    for table in project.tables.values():
        analysed = table
        if table.query is not None:
            analysis = sql.analyse(table.query, schemas, keys, hidden)
            hidden[table.name] = hidden_columns(table.query)
            analysed = replace(table, analysis=analysis)
            problems.extend(analysis.problems)
        keys[table.name] = _unique(analysed)
        schemas[table.name] = analysed.columns
        tables.append(analysed)
    for table in tables:
        problems.extend(_table(table, schemas, hidden.get(table.name, {})))
    pipelines = list(project.pipelines.values())
    tables = [table if table.columns is None else table.resolved(table.columns) for table in tables]
    return Project.assemble(project.root, project.spec, pipelines, tables, project.dashboards), problems


def _unique(table: Table) -> frozenset[frozenset[str]]:
    """The sets of columns that are unique in a table."""
    if table.load.row_key:
        return frozenset({frozenset(name.lower() for name in table.load.row_key)})
    if table.analysis is None or table.load.accumulates:
        return frozenset()
    return table.analysis.unique


def _names(project: Project, broken: set[str]) -> Iterator[DeclarationError]:
    """Unknown tables named in YAML. The analysis of SQL finds those in queries."""
    known = {*project.tables, *broken}
    for table in project.tables.values():
        for name in table.spec.reads:
            if name not in known:
                yield DeclarationError(
                    "GS108",
                    f"There is no table `{name}`.",
                    where=table.where("reads"),
                    hint=hint_for(name, known),
                )
        for index, expectation in enumerate(table.spec.expectations):
            named = expectation.arguments.get("table")
            if (
                expectation.kind == "expect_column_values_to_exist_in"
                and isinstance(named, str)
                and named not in known
            ):
                where = table.where("expectations", index, expectation.kind, "table")
                yield DeclarationError(
                    "GS108", f"There is no table `{named}`.", where=where, hint=hint_for(named, known)
                )


def _table(table: Table, schemas: Schemas, hidden: HiddenColumns) -> Iterator[DeclarationError]:
    yield from _place_of_keys(table)
    yield from _roles(table)
    yield from sources(table)
    yield from declared_columns(table)
    yield from text_formats(table)
    yield from incomparable_keys(table)
    if table.analysis is not None:
        yield from own_columns(table)
    yield from named_columns(table, hidden)
    yield from conditions(table)
    yield from _references(table, schemas)
    yield from _incremental(table)
    yield from _required(table)
    yield from monitored(table)


def _place_of_keys(table: Table) -> Iterator[DeclarationError]:
    spec = table.spec
    if table.query is not None and spec.reads:
        yield DeclarationError(
            "GS110",
            "`reads` is for Python tables only: the upstreams of SQL follow from the query.",
            where=table.where("reads"),
            hint="Remove it.",
        )
    if table.code is not None and not spec.reads:
        yield DeclarationError(
            "GS104",
            "A Python table must declare its upstreams in `reads`.",
            where=table.where(),
            hint="As in `reads: [silver.orders]`.",
        )


def _roles(table: Table) -> Iterator[DeclarationError]:
    for key, names in (("changes_of", table.spec.changes_of), ("lookups", tuple(table.spec.lookups))):
        for name in names:
            if name not in table.upstreams and table.upstreams:
                yield DeclarationError(
                    "GS110",
                    f"`{key}` names `{name}`, which this table does not read.",
                    where=table.where(key),
                    hint=hint_for(name, table.upstreams),
                )
    for name in table.spec.lookups:
        if name in table.drivers:
            yield DeclarationError(
                "GS110",
                f"`{name}` drives this table and cannot be a lookup.",
                where=table.where("lookups", name),
                hint="Remove it here, or name other tables in `changes_of`.",
            )
    incremental = table.load.incremental
    if incremental and table.query is not None and not table.upstreams:
        yield DeclarationError(
            "GS110",
            f"`{table.load.kind}` loads the changes of an upstream, and this query reads no table.",
            where=table.where("load"),
            hint="Use `load: overwrite`.",
        )
    if incremental and not table.drivers and table.upstreams:
        named = ", ".join(table.upstreams)
        yield DeclarationError(
            "GS110",
            f"The query reads several tables ({named}), and `changes_of` does not say which one drives the load.",
            where=table.where("load"),
            hint=f"Declare it, as in `changes_of: {table.upstreams[0]}`.",
        )
    if table.load.max_drivers == 1 and len(table.drivers) > 1:
        yield DeclarationError(
            "GS110",
            f"`{table.load.kind}` takes only one driving table.",
            where=table.where("changes_of"),
            hint="Name one. The others are lookups, and a change of them recomputes the whole table.",
        )
    if table.code is not None and incremental:
        yield DeclarationError(
            "GS110",
            "A Python table can only be overwritten: the lineage of its rows is unknown.",
            where=table.where("load"),
            hint="Use `load: overwrite`. Unchanged content makes no commit.",
        )


def _references(table: Table, schemas: Schemas) -> Iterator[DeclarationError]:
    for index, expectation in enumerate(table.spec.expectations):
        if expectation.kind != "expect_column_values_to_exist_in":
            continue
        columns = schemas.get(str(expectation.arguments.get("table")))
        key = expectation.arguments.get("key") or expectation.arguments.get("column")
        if (
            columns is not None
            and isinstance(key, str)
            and key.lower() not in {name.lower() for name in columns}
        ):
            where = table.where("expectations", index, expectation.kind, "key")
            message = f"`{expectation.arguments['table']}` has no column `{key}`."
            yield DeclarationError("GS203", message, where=where, hint=hint_for(key, columns))


def _incremental(table: Table) -> Iterator[DeclarationError]:
    """Loads of changed rows whose query cannot be computed from these."""
    if table.analysis is None or any(problem.code == "GS208" for problem in table.analysis.problems):
        return
    for driver in table.drivers:
        reason = table.load.refusal(table.analysis, driver) if driver in table.upstreams else None
        if reason is not None:
            yield DeclarationError(
                "GS204",
                f"`{table.load.kind}` cannot compute this query from the changed rows of `{driver}` alone: {reason}.",
                where=table.where("load"),
                hint="Use `overwrite_partitions`, which recomputes the touched values, or `overwrite`.",
            )


def _required(table: Table) -> Iterator[DeclarationError]:
    """Reasons why a table with `incremental: required` could read everything."""
    if table.spec.incremental is None:
        return
    where = table.where("incremental")
    if table.origin:
        message = "`incremental` has no effect here: a bronze table never reads its former files again."
        yield DeclarationError("GS110", message, where=where, hint="Remove it.")
        return
    for reason, hint in unconfined(table):
        message = f"`{table.name}` is `incremental: required`, and {reason}."
        yield DeclarationError("GS204", message, where=where, hint=hint)


def declaration_notes(project: Project) -> list[tuple[str, str]]:
    """Notes that `goldsmith check` prints: pairs of a table and a sentence."""
    found = []
    for table in project.tables.values():
        found += [
            (
                table.name,
                f"every change of {name} rebuilds the table: an expectation drops or quarantines rows by it",
            )
            for name in table.drivers
            if name in table.deciding_references
        ]
        if table.analysis is None or table.query is None:
            continue
        for note in table.analysis.notes:
            found.append((table.name, f"{table.query.file.name}, line {note.line}: {note.message}"))
        found += [
            (table.name, note)
            for note in table.load.notes(table.analysis, table.drivers, table.loaded_lookups)
        ]
    return found
