"""Finds mistakes in a query: unknown tables and columns, non-deterministic calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from sqlglot import exp

from goldsmith.errors import DeclarationError
from goldsmith.project.hints import hint_for, nearest
from goldsmith.project.sql.bind import Structure
from goldsmith.project.sql.calls import called, changes, parentheses
from goldsmith.project.sql.columns import Columns, Unknown
from goldsmith.project.sql.functions import BARE, ELSEWHERE, KNOWN
from goldsmith.project.sql.moments import moments
from goldsmith.project.sql.outputs import Schemas
from goldsmith.project.sql.scope import Base, Select, SetOperation, Source, full_name, own, references
from goldsmith.project.sql.text import Parsed, offset_of

Problem = Callable[[str, str, int, str | None], DeclarationError]
"""Creates an error from a code, a message, the offset of a character, and a hint."""

Hidden = Mapping[str, Mapping[str, str]]
"""Tables to columns that they rename without AS, in lower case, each with a hint."""

_SYNTAX = frozenset({"case"})
"""Words before a parenthesis that sqlglot reads as functions."""

_MADE_UP = (exp.Func, exp.Binary, exp.Window, exp.Subquery)
_BARE_NODES = {"currentdate", "currenttimestamp", "currenttime", "currentuser", "sessionuser"}
_TYPED = {"DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ"}
_AGAIN = "Take the value from a column of the data: a rebuild must give the same rows."

_NO_MOMENT = (
    "Take the date from a column of the data. If text is meant, write `CAST(column AS string) = 'today'`."
)


def table_problems(parsed: Parsed, schemas: Schemas, problem: Problem) -> Iterator[DeclarationError]:
    """References to tables that are not declared."""
    for node in references(parsed.tree):
        name = full_name(node)
        if name not in schemas:
            hint = hint_for(name, schemas)
            yield problem("GS202", f"There is no table `{name}` in the project", offset_of(node), hint)


def column_problems(
    structure: Structure, columns: Columns, problem: Problem, hidden: Hidden
) -> Iterator[DeclarationError]:
    """Column names that are unknown or ambiguous. hidden: hints for columns that a table lacks, by table."""
    for select in structure.selects:
        meanings = columns.meanings(select)
        for clause, root in select.parts:
            for node in own(root):
                meaning = meanings.get(id(node))
                if isinstance(meaning, Unknown) and isinstance(node, exp.Column):
                    yield _column_problem(select, node, meaning, clause, problem, hidden)


def _column_problem(
    select: Select, node: exp.Column, meaning: Unknown, clause: str, problem: Problem, hidden: Hidden
) -> DeclarationError:
    offset = offset_of(node)
    written = ".".join(part.name for part in node.parts)
    if meaning.ambiguous:
        owners = ", ".join(_title(source) for source in meaning.ambiguous)
        first = meaning.ambiguous[0].alias
        hint = (
            f"Qualify it, as in `{first}.{written}`." if first else "Give the tables aliases, and qualify it."
        )
        return problem("GS203", f"`{written}` is ambiguous: {owners} have it", offset, hint)
    if meaning.qualifier is not None:
        message = f"There is no column `{meaning.name}` in {_title(meaning.qualifier)}"
        name = next((part for part in node.parts if part.name.lower() == meaning.name), node.this)
        hint = _hint(meaning, [meaning.qualifier], hidden)
        return problem("GS203", message, offset_of(name), hint)
    aliases = {item.alias.lower() for item in select.node.expressions if isinstance(item, exp.Alias)}
    if clause in ("where", "on") and meaning.name in aliases:
        hint = f"Repeat its expression: `{meaning.name}` is an alias of this SELECT, and {clause.upper()} cannot use it."
        return problem("GS203", f"There is no column `{meaning.name}` in {_titles(select)}", offset, hint)
    if len(node.parts) > 1:
        known = [source.alias for source in select.sources if source.alias]
        message = f"There is no table, alias or struct `{meaning.name}` for `{written}`"
        return problem("GS203", message, offset, hint_for(meaning.name, known))
    message = f"There is no column `{node.name}` in {_titles(select)}"
    return problem("GS203", message, offset, _hint(meaning, select.sources, hidden))


def _hint(meaning: Unknown, sources: Iterable[Source], hidden: Hidden) -> str:
    """A hint for an unknown column: a source that renames it without AS, or the nearest name."""
    tables = (source.relation.table for source in sources if isinstance(source.relation, Base))
    renamed = (hidden.get(table, {}).get(meaning.name.lower()) for table in tables)
    return next(filter(None, renamed), None) or hint_for(meaning.name, meaning.among)


def _titles(select: Select) -> str:
    return (
        ", ".join(_title(source) for source in select.sources if not source.hidden) or "a SELECT without FROM"
    )


def _title(source: Source) -> str:
    relation = source.relation
    if isinstance(relation, Base):
        table = relation.table
        return table if source.alias in (None, table.split(".")[1]) else f"{table} ({source.alias})"
    return f"`{source.alias}`" if source.alias else "the subquery"


def output_problems(structure: Structure, columns: Columns, problem: Problem) -> Iterator[DeclarationError]:
    """Output columns without a name, or with a duplicate name."""
    root = structure.root
    while isinstance(root, SetOperation):
        root = root.left
    outputs = columns.outputs(root)
    if outputs is None or not isinstance(root, Select):
        return
    seen: set[str] = set()
    for index, output in enumerate(outputs, start=1):
        offset = offset_of(output.expression or root.node)
        if output.name is None:
            if isinstance(output.expression, _MADE_UP) and output.expression.key not in _BARE_NODES:
                yield problem("GS203", f"Column {index} of the output has no name", offset, "Add `AS name`.")
            continue
        if output.name.lower() in seen:
            message = f"The output has two columns named `{output.name}`"
            hint = "Rename one of them, or exclude it with `* EXCEPT (...)`."
            yield problem("GS203", message, offset, hint)
        seen.add(output.name.lower())


def function_problems(parsed: Parsed, problem: Problem) -> Iterator[DeclarationError]:
    """Calls of functions that Spark does not have. A qualified name may be a function of the catalog."""
    for node in parsed.tree.walk():
        name = called(parsed, node)
        if name is None or name in KNOWN or name in _SYNTAX or isinstance(node.parent, exp.Dot):
            continue
        if parentheses(parsed, node):
            yield problem(
                "GS208", f"Spark has no function `{name}`", offset_of(node), hint_for_function(name)
            )


def hint_for_function(name: str) -> str:
    """A hint for an unknown function: its name in Spark, the nearest one, or how to name a function of the catalog."""
    if name in ELSEWHERE:
        return f"Spark's is `{ELSEWHERE[name]}`."
    near = nearest(name, KNOWN)
    if near is not None:
        return f"Did you mean `{near}`?"
    return f"A function of the catalog needs its schema, as in `default.{name}(...)`."


def changing_problems(
    parsed: Parsed, structure: Structure, columns: Columns, problem: Problem
) -> Iterator[DeclarationError]:
    """Non-deterministic calls."""
    for node in parsed.tree.walk():
        name = changes(parsed, node) or _bare_word(node)
        if name in BARE and parentheses(parsed, node) == "" and _may_be_column(name, structure, columns):
            continue
        if name is not None:
            yield problem("GS205", f"`{name}` gives a different value in each run", offset_of(node), _AGAIN)
        elif isinstance(node, exp.TableSample):
            hint = "Filter by a hash of the key instead."
            yield problem("GS205", "TABLESAMPLE takes different rows in each run", offset_of(node), hint)
    yield from _moment_problems(parsed, structure, columns, problem)


def _moment_problems(
    parsed: Parsed, structure: Structure, columns: Columns, problem: Problem
) -> Iterator[DeclarationError]:
    for node in moments(parsed, structure, columns):
        start = offset_of(node)
        within = [part.meta["end"] for part in node.walk() if "end" in part.meta]
        written = parsed.text[start : max(within, default=start) + 1]
        before = next((token for token in reversed(parsed.tokens) if token.start < start), None)
        if before is not None and before.text.upper() in _TYPED:
            message = f"`{before.text} {written}` gives a different value in each run"
            yield problem("GS205", message, before.start, _AGAIN)
        else:
            message = f"`{written}` is evaluated as a time of the run where a date is expected"
            yield problem("GS205", message, start, _NO_MOMENT)


def _bare_word(node: exp.Expr) -> str | None:
    """An unqualified name that may be a call without parentheses."""
    if not isinstance(node, exp.Column) or len(node.parts) > 1 or not isinstance(node.this, exp.Identifier):
        return None
    return node.name.lower() if not node.this.quoted and node.name.lower() in BARE else None


def _may_be_column(name: str, structure: Structure, columns: Columns) -> bool:
    """Whether a source has a column of this name. `user` is assumed to be one where columns are unknown."""
    for select in structure.selects:
        for source in select.sources:
            names = columns.names(source)
            if name == "user" if names is None else name in {(known or "").lower() for known in names}:
                return True
    return False
