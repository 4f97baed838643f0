"""Decides whether touched values of a query's columns can be recomputed from the driver's rows that have them.

Restricting the driver to values of the keys restricts the result to them if no step mixes rows of different
keys: each GROUP BY, window and DISTINCT contains all keys, and each self-join is on all of them. Keys are
compared as SQL over the driver's columns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlglot import exp

from goldsmith.project.sql.calls import aggregates, called, is_foreign
from goldsmith.project.sql.columns import Bound, Columns
from goldsmith.project.sql.incremental.linear import PLAIN_CLAUSES, set_word
from goldsmith.project.sql.scope import (
    Base,
    Opaque,
    Relation,
    Select,
    SetOperation,
    Source,
    clauses,
    conjuncts,
    own,
    reads,
)
from goldsmith.project.sql.text import Parsed, line_of
from goldsmith.project.sql.trace import Tracer, regrouped

_CLAUSES = PLAIN_CLAUSES | {"group", "having", "distinct"}
_NARROWED = _CLAUSES | {"limit", "offset"}


def recomputable_by(
    parsed: Parsed, columns: Columns, root: Relation, driver: str, by: Sequence[str]
) -> str | None:
    """None if the driver's rows with some values of `by` give exactly the result's rows with these values.

    Otherwise the reason.
    """
    if not reads(root, driver):
        return f"it does not read {driver}"
    tracer = Tracer(parsed, columns, driver)
    keys: dict[str, str] = {}
    for name in by:
        traced = tracer.column(root, name)
        if traced is None:
            return f"`{name}` cannot be traced to {driver} alone"
        keys[name] = traced
    return _RecomputableCheck(parsed, columns, tracer, keys).relation(root)


class _RecomputableCheck:
    """Checks the relations of one statement. keys: the `by` columns as SQL over the driver."""

    def __init__(self, parsed: Parsed, columns: Columns, tracer: Tracer, keys: dict[str, str]) -> None:
        self._parsed = parsed
        self._columns = columns
        self._tracer = tracer
        self._keys = keys
        self._driver = tracer.driver

    def relation(self, relation: Relation) -> str | None:
        if isinstance(relation, Base) or not reads(relation, self._driver):
            return None
        if isinstance(relation, Opaque):
            return f"{relation.what} on line {self._line(relation.node)}"
        if isinstance(relation, Select):
            return self._select(relation)
        return self._set(relation)

    def _line(self, node: exp.Expr, word: str = "") -> int:
        return line_of(self._parsed, node, word)

    def _missing(self, traced: Collection[str | None]) -> str | None:
        return next((name for name, key in self._keys.items() if key not in traced), None)

    def _set(self, relation: SetOperation) -> str | None:
        word = set_word(relation)
        line = self._line(relation.right.node, word.split()[0])
        if relation.limited is not None:
            return f"{relation.limited.key.upper()} on line {self._line(relation.limited)}"
        for arm in (relation.left, relation.right):
            if not reads(arm, self._driver):
                return f"a part of {word} on line {line} does not read {self._driver}"
        if not relation.union_all:
            outputs = self._columns.outputs(relation) or ()
            traced = [self._tracer.position(relation, index) for index in range(len(outputs))]
            missing = self._missing(traced)
            if missing is not None:
                return f"{word} on line {line} compares rows without `{missing}`"
        return self.relation(relation.left) or self.relation(relation.right)

    def _select(self, select: Select) -> str | None:
        for key, node in clauses(select.node):
            if key not in _CLAUSES:
                return f"{key.upper()} on line {self._line(node, key.upper())}"
        return (
            self._sources(select)
            or self._grouping(select)
            or self._windows(select)
            or self._distinct(select)
            or self._subqueries(select)
        )

    def _grouping(self, select: Select) -> str | None:
        group = select.node.args.get("group")
        sets = regrouped(select)
        if sets is not None:
            return f"{sets.key.upper()} on line {self._line(sets, 'GROUP BY')}"
        foreign = next((node for node in select.part() if is_foreign(self._parsed, node)), None)
        if foreign is not None:
            name, line = called(self._parsed, foreign) or "TRANSFORM", self._line(foreign)
            return f"{name} on line {line} is not a function of Spark: it may be an aggregate"
        if group is not None:
            missing = self._missing(self._tracer.keys(select))
            line = self._line(group, "GROUP BY")
            return f"GROUP BY on line {line} lacks `{missing}`" if missing is not None else None
        having = select.node.args.get("having")
        lone = having if having is not None else next(aggregates(self._parsed, select), None)
        return f"the aggregate on line {self._line(lone)} has no GROUP BY" if lone is not None else None

    def _windows(self, select: Select) -> str | None:
        named = {node.name.lower(): node for node in select.node.args.get("windows") or ()}
        for node in select.part():
            if not isinstance(node, exp.Window) or node.arg_key == "windows":
                continue
            definition = named.get((node.args.get("alias") or exp.Identifier(this="")).name.lower())
            partitions = [
                *(node.args.get("partition_by") or ()),
                *((definition.args.get("partition_by") or ()) if definition is not None else ()),
            ]
            missing = self._missing([self._tracer.expression(select, key) for key in partitions])
            if missing is not None:
                return f"the window function on line {self._line(node)} is not partitioned by `{missing}`"
        return None

    def _distinct(self, select: Select) -> str | None:
        distinct = select.node.args.get("distinct")
        if distinct is None:
            return None
        outputs = self._columns.outputs(select)
        line = self._line(select.node.expressions[0], "DISTINCT")
        if distinct.args.get("on") or outputs is None:
            return f"DISTINCT on line {line}"
        traced = [self._tracer.position(select, index) for index in range(len(outputs))]
        missing = self._missing(traced)
        return f"DISTINCT on line {line} lacks `{missing}`" if missing is not None else None

    def _sources(self, select: Select) -> str | None:
        """The reason why sources mix keys: the first one must keep all its rows, the others must join on all keys."""
        accepted: list[Source] = []
        for source in select.readers(self._driver):
            line = self._line(source.node)
            if source.lateral:
                return f"LATERAL on line {line} reads {self._driver}"
            if source.nullable is not None and (not accepted or source.nullable is not source.join):
                side = source.nullable.side.upper() or "joined"
                return f"{self._driver}, read on line {line}, is on the nullable side of a {side} JOIN"
            if source.nullable is not None and source.nullable.side.upper() == "FULL":
                return f"FULL JOIN on line {line}"
            if source.hidden and not accepted:
                return f"{self._driver} is on the right side of a join on line {line} that only filters"
            missing = self._unequal(select, source, accepted) if accepted else None
            if missing is not None:
                return f"the join of {self._driver} with itself on line {line} is not on equal `{missing}`"
            reason = self.relation(source.relation)
            if reason is not None:
                return reason
            accepted.append(source)
        return None

    def _unequal(self, select: Select, source: Source, accepted: list[Source]) -> str | None:
        """A key on which a source is not joined with the sources before it; None if it is joined on all."""
        join = source.join
        if join is None:
            return next(iter(self._keys), None)
        conditions = list(conjuncts(join.args.get("on")))
        if not join.side and join.kind.upper() in ("", "INNER", "CROSS"):
            where = select.node.args.get("where")
            conditions.extend(conjuncts(where.this if where is not None else None))
        equal: set[str] = set()
        for condition in conditions:
            equal |= self._equated(select, condition, [source], accepted)
        for column in join.args.get("using") or () if join.this is source.node else ():
            mine = self._tracer.source(source, column.name, unmatched=[source])
            others = {self._tracer.source(other, column.name) for other in accepted}
            equal |= {mine} & {other for other in others if other is not None} if mine is not None else set()
        return self._missing(equal)

    def _equated(
        self, select: Select, condition: exp.Expr, inner: list[Source], outer: list[Source]
    ) -> set[str]:
        """The key that a condition equates between two sources, as SQL over the driver's columns; empty if none."""
        if not isinstance(condition, exp.EQ):
            return set()
        for mine, other in ((condition.this, condition.expression), (condition.expression, condition.this)):
            if self._belongs(select, mine, inner) and self._belongs(select, other, outer):
                left = self._tracer.expression(select, mine, unmatched=inner)
                right = self._tracer.expression(select, other)
                if left is not None and left == right:
                    return {left}
        return set()

    def _belongs(self, select: Select, root: exp.Expr, sources: list[Source]) -> bool:
        """Whether an expression uses columns of these sources only, and at least one."""
        nodes = [node for node in own(root) if isinstance(node, exp.Column)]
        meanings = [self._columns.meaning(select, node) for node in nodes]
        return bool(meanings) and all(
            isinstance(meaning, Bound) and meaning.source in sources for meaning in meanings
        )

    def _subqueries(self, select: Select) -> str | None:
        for subquery in select.subqueries:
            if not reads(subquery, self._driver):
                continue
            line = self._line(subquery.node)
            beyond = f"the subquery on line {line} is not limited to rows of {self._driver} with the same"
            if not isinstance(subquery, Select):
                return f"{beyond} {', '.join(self._keys)}"
            unknown = next((key for key, _ in clauses(subquery.node) if key not in _NARROWED), None)
            if unknown is not None:
                return f"{unknown.upper()} in the subquery on line {line}"
            where = subquery.node.args.get("where")
            inner, outer = subquery.readers(self._driver), select.readers(self._driver)
            equal: set[str] = set()
            for condition in conjuncts(where.this if where is not None else None):
                equal |= self._equated(subquery, condition, inner, outer)
            missing = self._missing(equal)
            if missing is not None:
                return f"{beyond} `{missing}`"
            reason = self._sources(subquery) or self._subqueries(subquery)
            if reason is not None:
                return reason
        return None
