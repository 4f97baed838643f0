"""What is wrong with a project's expectations, told before anything runs. Nothing here needs Spark."""

from __future__ import annotations

from collections.abc import Iterator

from goldsmith.errors import DeclarationError
from goldsmith.project.tables import Project, Table
from goldsmith.quality.catalog import mistakes


def check_expectations(project: Project) -> list[DeclarationError]:
    """The mistakes in the expectations of all tables, each with the place of the argument at fault.

    GS102 for an unknown expectation or argument, GS103 for a wrong value, GS104 for a missing argument,
    GS110 for arguments that contradict each other, GS203 for a column that is not there. What free
    conditions say is left to `load_project`, which reads them as SQL.
    """
    return [problem for table in project.tables.values() for problem in _of_table(table)]


def _of_table(table: Table) -> Iterator[DeclarationError]:
    for index, expectation in enumerate(table.spec.expectations):
        if expectation.kind == "condition":
            continue
        for mistake in mistakes(expectation, table.columns):
            place = (mistake.argument,) if mistake.argument is not None else ()
            yield DeclarationError(
                mistake.code,
                f"{mistake.message[0].upper()}{mistake.message[1:]}.",
                where=table.where("expectations", index, expectation.kind, *place),
                hint=mistake.hint,
            )
