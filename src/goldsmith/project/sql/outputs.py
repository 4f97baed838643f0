"""Finds the output columns of each relation of a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from goldsmith.project.sql.functions import GENERATORS
from goldsmith.project.sql.scope import Base, Opaque, Relation, Select, SetOperation, Source

Schemas = Mapping[str, Mapping[str, str | None] | None]
"""Tables to their columns with Spark types, or to None if the columns are unknown."""


@dataclass(frozen=True, eq=False)
class Output:
    """An output column of a relation. name: None if Spark generates it.

    Either an expression of the SELECT, or a column of a source selected by a star.
    """

    name: str | None
    expression: exp.Expr | None = None
    source: Source | None = None
    column: str = ""


class Outputs:
    """Finds and caches the output columns of the relations of one statement."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._outputs: dict[int, tuple[Output, ...] | None] = {}

    def outputs(self, relation: Relation) -> tuple[Output, ...] | None:
        """The columns of a relation in order; None if they are unknown."""
        key = id(relation)
        if key not in self._outputs:
            self._outputs[key] = self._find_outputs(relation)
        return self._outputs[key]

    def type_of(self, relation: Base, name: str) -> str | None:
        """The declared type of a table's column; None if it is unknown."""
        schema = self._schemas.get(relation.table) or {}
        return next((kind for known, kind in schema.items() if known.lower() == name.lower()), None)

    def names(self, source: Source) -> tuple[str | None, ...] | None:
        """The names of a source's columns in order; None if they are unknown."""
        if source.renamed:
            return source.renamed
        outputs = self.outputs(source.relation)
        return None if outputs is None else tuple(output.name for output in outputs)

    def listed(self, select: Select) -> list[Output]:
        """The known columns of a select list."""
        found: list[Output] = []
        for item in select.node.expressions:
            found.extend(self.item(select, item) or ())
        return found

    def _find_outputs(self, relation: Relation) -> tuple[Output, ...] | None:
        if isinstance(relation, Base):
            schema = self._schemas.get(relation.table)
            return None if schema is None else tuple(Output(name) for name in schema)
        if isinstance(relation, Opaque):
            return None if relation.columns is None else tuple(Output(name) for name in relation.columns)
        if isinstance(relation, SetOperation):
            return self._set_outputs(relation)
        found: list[Output] = []
        for item in relation.node.expressions:
            outputs = self.item(relation, item)
            if outputs is None:
                return None
            found.extend(outputs)
        return tuple(found)

    def _set_outputs(self, relation: SetOperation) -> tuple[Output, ...] | None:
        left = self.outputs(relation.left)
        if left is None or not relation.node.args.get("by_name"):
            return None if left is None else tuple(Output(output.name) for output in left)
        right = self.outputs(relation.right)
        if right is None:
            return None
        have = {(output.name or "").lower() for output in left}
        more = [output for output in right if (output.name or "").lower() not in have]
        return tuple(Output(output.name) for output in (*left, *more))

    def item(self, select: Select, item: exp.Expr) -> tuple[Output, ...] | None:
        """The columns of one item of a select list."""
        if isinstance(item, exp.Aliases):
            return tuple(Output(name.name, item.this) for name in item.expressions)
        if isinstance(item, exp.Star):
            return self._star(select, item, None)
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            return self._star(select, item.this, item)
        inner = item.unalias()
        generates = isinstance(inner, exp.UDTF) or (
            isinstance(inner, exp.Anonymous) and inner.name.lower() in GENERATORS
        )
        if generates and inner is item:
            return None
        return (Output(_name(item), inner),)

    def starred(
        self, select: Select, star: exp.Star, qualified: exp.Column | None = None
    ) -> tuple[Output, ...] | None:
        """The columns that a star selects, before EXCEPT; None if they are unknown."""
        if qualified is None:
            columns = self._visible(select)
        else:
            sources = [source for source in select.sources if qualifies(source, lowered(qualified)[:-1])]
            columns = self._passed(sources[0]) if len(sources) == 1 else None
        unusual = star.args.get("replace") or star.args.get("rename")
        return None if columns is None or unusual else tuple(columns)

    def _star(
        self, select: Select, star: exp.Star, qualified: exp.Column | None
    ) -> tuple[Output, ...] | None:
        columns = self.starred(select, star, qualified)
        left_out = star.args.get("except_") or ()
        if columns is None or any(lowered(node)[1:] for node in left_out if isinstance(node, exp.Column)):
            return None
        dropped = {node.name.lower() for node in left_out}
        return tuple(output for output in columns if (output.name or "").lower() not in dropped)

    def _passed(self, source: Source) -> list[Output] | None:
        names = self.names(source)
        return None if names is None else [Output(name, None, source, name or "") for name in names]

    def _visible(self, select: Select) -> list[Output] | None:
        """The columns that `*` selects; columns joined by name come first and once."""
        columns: list[Output] = []
        for source in select.sources:
            new = self._passed(source)
            if new is None:
                return None
            shared = self.shared(select, source)
            if shared is None:
                return None
            if not shared:
                columns += () if source.hidden else new
                continue
            first = [self._merged(source, name, columns) for name in shared]
            columns = [
                *(output for output in first if output is not None),
                *(output for output in columns if (output.name or "").lower() not in shared),
                *(
                    output
                    for output in (() if source.hidden else new)
                    if (output.name or "").lower() not in shared
                ),
            ]
        return columns

    def _merged(self, source: Source, name: str, before: list[Output]) -> Output | None:
        side = source.join.side.upper() if source.join else ""
        left = next((output for output in before if (output.name or "").lower() == name), None)
        if side == "FULL":
            return Output(left.name if left else name)
        return Output(name, None, source, name) if side == "RIGHT" else left

    def shared(self, select: Select, source: Source) -> tuple[str, ...] | None:
        """The columns on which a source is joined by name (USING, NATURAL), in lower case; None if unknown."""
        join = source.join
        using = join.args.get("using") if join is not None else None
        natural = join is not None and str(join.args.get("method") or "").upper() == "NATURAL"
        if join is None or not (using or natural):
            return ()
        if join.this is not source.node:
            return None
        if using:
            return tuple(node.name.lower() for node in using)
        names = self.names(source)
        before: set[str] = set()
        for other in select.sources[: select.sources.index(source)]:
            known = self.names(other)
            if known is None:
                return None
            before |= {(name or "").lower() for name in known}
        return None if names is None else tuple(n.lower() for n in names if n and n.lower() in before)


def qualifies(source: Source, qualifier: list[str]) -> bool:
    """Whether a qualifier refers to this source, by its alias or by the table's full name."""
    if len(qualifier) == 1:
        return source.alias == qualifier[0]
    return (
        isinstance(source.node, exp.Table)
        and not source.node.alias
        and [source.node.db.lower(), source.node.name.lower()] == qualifier
    )


def lowered(node: exp.Column) -> list[str]:
    return [part.name.lower() for part in node.parts]


def _name(item: exp.Expr) -> str | None:
    """The name of an item of a select list; None if Spark generates it."""
    if isinstance(item, exp.Alias):
        return item.alias
    while isinstance(item, exp.Paren | exp.Cast):
        item = item.this
    if isinstance(item, exp.Column):
        return item.name
    fields_of_column = isinstance(item, exp.Dot) and isinstance(item.parts[0], exp.Identifier)
    return item.name if fields_of_column else None
