"""A table's SQL: parsed once, rendered for a run, and analysed against its upstreams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.sql.bind import NoLayer, Structure, bind
from goldsmith.project.sql.columns import Columns
from goldsmith.project.sql.expression import check_expression
from goldsmith.project.sql.incremental.linear import linear_in, one_to_one_in
from goldsmith.project.sql.incremental.recomputable import recomputable_by
from goldsmith.project.sql.limit import Finding
from goldsmith.project.sql.order import order_findings
from goldsmith.project.sql.outputs import Schemas
from goldsmith.project.sql.problems import (
    Hidden,
    changing_problems,
    column_problems,
    function_problems,
    output_problems,
    table_problems,
)
from goldsmith.project.sql.render import rendered
from goldsmith.project.sql.scope import full_name, references
from goldsmith.project.sql.text import Malformed, Parsed, canonical, parse_statement, place
from goldsmith.project.sql.trace import Lineage, Tracer
from goldsmith.project.sql.unique import Keys, Unique

__all__ = ["Analysis", "Query", "analyse", "check_expression", "parse"]


@dataclass(frozen=True)
class Query:
    """A SELECT statement. upstreams: the full names of the tables that it reads, in order of first appearance."""

    table: str
    file: Path
    text: str
    upstreams: tuple[str, ...]
    parsed: Parsed = field(repr=False, compare=False)
    structure: Structure = field(repr=False, compare=False)

    def rendered(
        self, names: Mapping[str, str], *, driver: str | None = None, empty: Mapping[str, str] | None = None
    ) -> str:
        """The text with every reference to an upstream replaced according to `names`.

        A reference without an alias keeps the table's name as its alias. With `driver`, references in those arms of
        a UNION ALL at the top that do not read the driver are replaced according to `empty` instead.
        Raises KeyError if a mapping lacks an upstream.
        """
        return rendered(self.parsed, self.structure, names, driver=driver, empty=empty or {})

    @cached_property
    def definition(self) -> str:
        """The statement independent of formatting, comments and the case of keywords."""
        return canonical(self.parsed)


@dataclass(frozen=True)
class Note:
    """A note about a line of the query that is not a mistake."""

    line: int
    message: str


@dataclass(frozen=True)
class Analysis:
    """The analysis of a query.

    columns: the names of the output columns in order; None if they are unknown. lineage: output columns to the
    (table, column) pairs that they are computed from, as far as known. problems: all mistakes, in the order of the
    text. notes: valid SQL with a consequence worth knowing. unique: the known sets of columns, in lower case, that
    are unique in the output.
    """

    columns: tuple[str, ...] | None
    lineage: Mapping[str, frozenset[tuple[str, str]]]
    problems: tuple[DeclarationError, ...]
    query: Query
    known: Columns = field(repr=False, compare=False)
    notes: tuple[Note, ...] = ()
    unique: frozenset[frozenset[str]] = frozenset()

    def linear_in(self, driver: str) -> str | None:
        """None if the driver's changed rows suffice to compute the output's; otherwise the reason, with the line.

        They suffice if each row comes from exactly one row of the driver, given the other upstreams.
        """
        return linear_in(self.query.parsed, self.query.structure.root, driver)

    def one_to_one_in(self, driver: str) -> bool:
        """Whether each row of the driver gives at most one row: linear, without joins, generators and UNION."""
        return one_to_one_in(self.query.parsed, self.query.structure.root, driver)

    def traced(self, driver: str, column: str) -> str | None:
        """Spark SQL over the driver's columns that gives an output column.

        None if the column depends on other tables or rows, or if the arms of a UNION ALL disagree.
        """
        tracer = Tracer(self.query.parsed, self.known, driver)
        return tracer.column(self.query.structure.root, column)

    def recomputable_by(self, driver: str, by: Sequence[str]) -> str | None:
        """None if the driver's rows with some values of `by` (as `traced`) give exactly the output's with these values.

        Otherwise the reason, with the line.
        """
        return recomputable_by(self.query.parsed, self.known, self.query.structure.root, driver, by)


def parse(text: str, *, file: Path, table: str) -> Query:
    """Parses the SQL of a table.

    Raises DeclarationError: GS201 if the text is not exactly one query, GS202 for a reference that is
    neither `layer.table` nor a CTE.
    """
    try:
        parsed = parse_statement(text)
        structure = bind(parsed)
    except Malformed as error:
        line, column = place(text, error.offset)
        code = "GS202" if isinstance(error, NoLayer) else "GS201"
        where = Where(file, line, column, table)
        raise DeclarationError(code, error.message, where=where, hint=error.hint) from error
    upstreams = tuple(dict.fromkeys(full_name(node) for node in references(parsed.tree)))
    return Query(table, file, text, upstreams, parsed, structure)


def analyse(
    query: Query, schemas: Schemas, keys: Keys = MappingProxyType({}), hidden: Hidden = MappingProxyType({})
) -> Analysis:
    """Analyses a query against the declared tables.

    schemas: every declared table to its columns (name to Spark type, or to None if the type is unknown),
    or to None if its columns are unknown. keys: tables to the sets of columns, in lower case, that are unique in
    them. hidden: tables to columns that they rename without AS, each with a hint.
    """
    parsed, structure = query.parsed, query.structure

    def problem(code: str, message: str, offset: int, hint: str | None) -> DeclarationError:
        line, column = place(query.text, offset)
        return DeclarationError(code, message, where=Where(query.file, line, column, query.table), hint=hint)

    columns = Columns(schemas)
    unique = Unique(parsed, columns, keys)
    ordering = list(order_findings(parsed, structure, unique))
    found = [
        *table_problems(parsed, schemas, problem),
        *column_problems(structure, columns, problem, hidden),
        *output_problems(structure, columns, problem),
        *function_problems(parsed, problem),
        *changing_problems(parsed, structure, columns, problem),
        *(
            problem("GS207", _capitalized(each.message), each.offset, each.hint)
            for each in ordering
            if each.refused
        ),
    ]
    distinct = {(error.code, error.where, error.message): error for error in found}
    ordered = sorted(distinct.values(), key=lambda error: (error.where.line or 0, error.where.column or 0))
    outputs = columns.outputs(structure.root) or ()
    names = [output.name for output in outputs if output.name is not None]
    lineage = Lineage(columns)
    return Analysis(
        tuple(names) if names and len(names) == len(outputs) else None,
        {
            output.name: lineage.position(structure.root, index)
            for index, output in enumerate(outputs)
            if output.name is not None
        },
        tuple(ordered),
        query,
        columns,
        _notes(query, (each for each in ordering if not each.refused)),
        unique.sets(structure.root),
    )


def _notes(query: Query, findings: Iterable[Finding]) -> tuple[Note, ...]:
    found = {
        Note(place(query.text, each.offset)[0], f"{each.message}. {each.hint}"): None
        for each in sorted(findings, key=lambda each: each.offset)
    }
    return tuple(found)


def _capitalized(message: str) -> str:
    return message[0].upper() + message[1:]
