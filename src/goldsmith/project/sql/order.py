"""Finds SQL whose result depends on an order of rows that the query does not determine.

The order in which Spark reads rows changes between runs: with files, partitions and merges. A call that picks or
lists rows is reproducible only if an ORDER BY leaves no ties that matter.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from goldsmith.project.sql.bind import Structure
from goldsmith.project.sql.calls import called, is_aggregate, is_foreign, is_grouped
from goldsmith.project.sql.functions import (
    APPROXIMATE,
    LISTING,
    ORDER_FREE_READERS,
    ORDER_KEEPERS,
    PICKING,
    POSITIONAL,
    TIED,
)
from goldsmith.project.sql.limit import Finding, limit_findings
from goldsmith.project.sql.scope import Select, own
from goldsmith.project.sql.text import Parsed, offset_of
from goldsmith.project.sql.unique import Atoms, Unique

_TOTAL = "End its ORDER BY with unique columns: a key, or `struct(*)` for all of them."
_AROUND = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup, exp.Order, exp.Distinct)


def order_findings(parsed: Parsed, structure: Structure, unique: Unique) -> Iterator[Finding]:
    """All clauses and calls of a statement whose result depends on the order of rows."""
    check = _OrderCheck(parsed, unique)
    for select in structure.selects:
        yield from check.calls(select)
    yield from limit_findings(parsed, structure, unique)


class _OrderCheck:
    def __init__(self, parsed: Parsed, unique: Unique) -> None:
        self._parsed = parsed
        self._unique = unique

    def calls(self, select: Select) -> Iterator[Finding]:
        """Findings in the aggregates and window functions of one SELECT."""
        for node in select.part():
            name = called(self._parsed, node)
            if name is None or not (is_aggregate(self._parsed, node) or name in POSITIONAL):
                if is_foreign(self._parsed, node):
                    yield self._foreign(node, name)
                continue
            top = node
            while isinstance(top.parent, _AROUND):
                top = top.parent
            window = top.parent if isinstance(top.parent, exp.Window) and top.arg_key == "this" else None
            if window is not None:
                yield from self._over(select, node, name, window)
            elif name in POSITIONAL:
                continue  # Spark refuses it.
            else:
                yield from self._aggregate(select, node, name, top)

    def _foreign(self, node: exp.Expr, name: str | None) -> Finding:
        message = f"`{name or 'TRANSFORM'}` is not a function of Spark and may not be deterministic"
        return Finding(
            False, message, offset_of(node), "Use Spark's functions if a rebuild must give the same rows."
        )

    def _aggregate(self, select: Select, node: exp.Expr, name: str, top: exp.Expr) -> Iterator[Finding]:
        offset = offset_of(node)
        known = self._unique.closure(select, self._unique.group(select) or frozenset())
        if name in APPROXIMATE:
            yield _approximate(node, name)
        elif name in PICKING or name in LISTING or name in TIED:
            values = _values(node)
            if all(self._unique.determined(select, value, known) for value in values):
                return
            ordering = _ordering(node, top)
            if name in PICKING:
                message = f"`{name}` takes the value of an arbitrary row"
                yield Finding(True, message, offset, PICKING[name])
            elif name in LISTING and not ordering:
                if not self._read_without_order(top):
                    message = f"`{name}` lists values in an arbitrary order"
                    yield Finding(True, message, offset, LISTING[name])
            elif name in LISTING:
                yield from self._ties(select, node, name, known, values, ordering)
            elif name == "mode":
                if not _names_value(node, ordering):
                    message = f"`{name}` takes an arbitrary one of equally frequent values"
                    yield Finding(False, message, offset, TIED[name])
            else:
                yield from self._ties(select, node, name, known, values[:1], values[1:2])

    def _ties(
        self,
        select: Select,
        node: exp.Expr,
        name: str,
        known: Atoms,
        values: list[exp.Expr],
        ordering: list[exp.Expr],
    ) -> Iterator[Finding]:
        """A finding if rows that tie in the order may have different values."""
        reached = self._unique.closure(select, known | self._covered(select, ordering))
        if all(self._unique.determined(select, value, reached) for value in values):
            return
        if not is_grouped_again(select) and self._distinct_rows(select, reached):
            return
        yield _tied(node, name)

    def _distinct_rows(self, select: Select, known: Atoms) -> bool:
        """Whether these atoms are unique among the rows that a SELECT aggregates."""
        return all((id(source), "") in known for source in select.sources if not source.hidden)

    def _read_without_order(self, top: exp.Expr) -> bool:
        """Whether a list is passed directly to a function whose result does not depend on its order."""
        parent = top.parent
        if parent is None or next(iter(parent.iter_expressions()), None) is not top:
            return False
        name = called(self._parsed, parent)
        if name in ORDER_KEEPERS:
            return self._read_without_order(parent)
        ordered_by = name == "array_sort" and any(isinstance(part, exp.Lambda) for part in own(parent))
        return name in ORDER_FREE_READERS and not ordered_by

    def _over(self, select: Select, node: exp.Expr, name: str, window: exp.Window) -> Iterator[Finding]:
        if window.arg_key == "windows":
            return
        parts, ordering, spec = self._definition(select, window)
        rows = spec is not None and str(spec.args.get("kind")).upper() == "ROWS" and not _whole(spec)
        sequence = name in POSITIONAL or name in LISTING or rows
        if name in APPROXIMATE:
            yield _approximate(node, name)
            return
        if not sequence and name not in PICKING and name not in TIED:
            return
        known = self._covered(select, parts)
        inside = _ordering(node, node.parent if isinstance(node.parent, exp.WithinGroup) else node)
        values = _values(node)
        if name in TIED and not rows:
            if name == "mode" and _names_value(node, inside):
                return
            yield from self._ties_over(select, node, name, known, values[:1], values[1:2])
            return
        if name in LISTING and not ordering and self._read_without_order(window):
            return
        if name in PICKING and not rows and self._fixed(select, known, values):
            return
        if not any(list(each.find_all(exp.Column, exp.Star)) for each in ordering):
            message = f"the window of `{name}` has no ORDER BY"
            yield Finding(True, message, offset_of(node), "Add an ORDER BY with unique columns.")
            return
        covered = self._covered(select, ordering)
        if name in PICKING and not rows and self._fixed(select, known | covered, values):
            return
        if not self._total(select, known | covered):
            message = f"rows that tie in the ORDER BY of `{name}` have an arbitrary order"
            yield Finding(False, message, offset_of(node), _TOTAL)

    def _ties_over(
        self,
        select: Select,
        node: exp.Expr,
        name: str,
        known: Atoms,
        values: list[exp.Expr],
        ordering: list[exp.Expr],
    ) -> Iterator[Finding]:
        covered = self._covered(select, ordering)
        if self._fixed(select, known | covered, values) or self._unique.total(select, known | covered):
            return
        yield _tied(node, name)

    def _covered(self, select: Select, parts: list[exp.Expr]) -> Atoms:
        return frozenset().union(*(self._unique.covered(select, part) for part in parts))

    def _fixed(self, select: Select, atoms: Atoms, values: list[exp.Expr]) -> bool:
        reached = self._unique.closure(select, atoms)
        return all(self._unique.determined(select, value, reached) for value in values)

    def _total(self, select: Select, atoms: Atoms) -> bool:
        """Whether an order has no ties between rows that differ in the SELECT's result."""
        if self._unique.total(select, atoms):
            return True
        if is_grouped(self._parsed, select) or select.subqueries:
            return False
        reached = self._unique.closure(select, atoms)
        for clause, root in select.parts:
            if clause in ("where", "on"):
                continue
            for node in own(root):
                used = isinstance(node, exp.Star | exp.Column)
                if used and not _of_star(node) and not self._unique.determined(select, node, reached):
                    return False
        return True

    def _definition(
        self, select: Select, window: exp.Window
    ) -> tuple[list[exp.Expr], list[exp.Expr], exp.Expr | None]:
        """PARTITION BY, ORDER BY and frame of a window, including those of its named definition."""
        named = {node.name.lower(): node for node in select.node.args.get("windows") or ()}
        alias = window.args.get("alias")
        nodes = [window]
        if isinstance(alias, exp.Expr) and alias.name.lower() in named:
            nodes.append(named[alias.name.lower()])
        parts = [part for node in nodes for part in node.args.get("partition_by") or ()]
        orders = [node.args["order"] for node in nodes if node.args.get("order")]
        spec = next((node.args["spec"] for node in nodes if node.args.get("spec")), None)
        return parts, [each for order in orders for each in order.expressions], spec


def is_grouped_again(select: Select) -> bool:
    """Whether a SELECT has ROLLUP, CUBE or GROUPING SETS, where a row belongs to several groups."""
    group = select.node.args.get("group")
    return group is not None and any(group.args.get(key) for key in ("rollup", "cube", "grouping_sets"))


def _approximate(node: exp.Expr, name: str) -> Finding:
    message = f"`{name}` is approximate, and its result depends on the order of rows"
    return Finding(False, message, offset_of(node), APPROXIMATE[name])


def _tied(node: exp.Expr, name: str) -> Finding:
    message = f"`{name}` takes an arbitrary one of the rows that tie in its order"
    return Finding(False, message, offset_of(node), TIED.get(name, _TOTAL))


def _values(node: exp.Expr) -> list[exp.Expr]:
    """The arguments of an aggregate without its ORDER BY."""
    found = []
    for argument in node.iter_expressions():
        part = argument
        while isinstance(part, exp.Order | exp.Distinct):
            part = part.this if isinstance(part, exp.Order) else part.expressions[0]
        if not isinstance(part, exp.Ordered):
            found.append(part)
    return found


def _names_value(node: exp.Expr, ordering: list[exp.Expr]) -> bool:
    """Whether `mode` is deterministic: `mode(value, true)`, or WITHIN GROUP (ORDER BY value)."""
    return bool(ordering) or len(_values(node)) > 1


def _ordering(node: exp.Expr, top: exp.Expr) -> list[exp.Expr]:
    """The ORDER BY of WITHIN GROUP, which the parser puts in different places."""
    inside = [part.expressions for part in node.iter_expressions() if isinstance(part, exp.Order)]
    around = top
    while around is not node:
        if isinstance(around, exp.WithinGroup):
            inside.append(around.expression.expressions)
        around = around.this
    return [each for found in inside for each in found]


def _whole(spec: exp.Expr) -> bool:
    """Whether a frame is the whole partition."""
    ends = (spec.args.get("start"), spec.args.get("end"))
    return all(str(end).upper() == "UNBOUNDED" for end in ends)


def _of_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and (
        isinstance(node.this, exp.Star) or isinstance(node.parent, exp.Star)
    )
