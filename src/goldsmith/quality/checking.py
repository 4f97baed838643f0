"""Checks the declared expectations of a project, without Spark."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.expectations import Expectation
from goldsmith.project.pipelines import Project
from goldsmith.project.tables import Table
from goldsmith.quality.aggregates import has_tally, tally
from goldsmith.quality.declarations import mistakes, reference
from goldsmith.quality.fields import Field, declared_fields, harmonized
from goldsmith.quality.predicates import has_predicate, passes


def check_expectations(project: Project) -> list[DeclarationError]:
    """The mistakes in the expectations of all tables, each with the location of the invalid argument.

    GS102 for an unknown expectation or argument, GS103 for a wrong value, GS104 for a missing argument,
    GS110 for contradictory arguments, GS203 for an unknown column. `load_project` checks the SQL of conditions.
    """
    return [problem for table in project.tables.values() for problem in _of_table(project, table)]


def _of_table(project: Project, table: Table) -> Iterator[DeclarationError]:
    for index, expectation in enumerate(table.spec.expectations):
        if expectation.kind == "condition":
            continue
        found = mistakes(expectation, table.row_columns)
        if not found:
            yield from _of_types(project, table, index, expectation)
        for mistake in found:
            place = (mistake.argument,) if mistake.argument is not None else ()
            yield DeclarationError(
                mistake.code,
                f"{mistake.message[0].upper()}{mistake.message[1:]}.",
                where=table.where("expectations", index, expectation.kind, *place),
                hint=mistake.hint,
            )


def _of_types(
    project: Project, table: Table, index: int, expectation: Expectation
) -> Iterator[DeclarationError]:
    """GS103 if the declared types do not fit: the expectation is compiled as in a run."""
    types = {name.lower(): kind for name, kind in (table.row_columns or {}).items()}
    if any(types.get(name.lower()) is None for name in expectation.columns):
        return
    find = declared_fields(types)
    try:
        if has_predicate(expectation):
            passes(expectation, find)
        elif has_tally(expectation):
            tally(expectation, find, "true")
        elif (known := _key(project, expectation)) is not None:
            harmonized(find(expectation.arguments["column"]), known)
    except DeclarationError as error:
        where = table.where("expectations", index, expectation.kind)
        yield DeclarationError(error.code, f"{error.message}.", where=where, hint=error.hint)


def _key(project: Project, expectation: Expectation) -> Field | None:
    """The column that values must exist in; None if its type is unknown."""
    table, key = reference(expectation) or ("", "")
    types = (project.tables[table].columns or {}) if table in project.tables else {}
    kind = {name.lower(): kind for name, kind in types.items()}.get(key.lower())
    return Field(key, key, kind) if kind is not None else None
