"""Binds a syntax tree: resolves CTEs and joins into the structure of the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from goldsmith.project.sql.scope import (
    Base,
    Opaque,
    Relation,
    Select,
    SetOperation,
    Source,
    clauses,
    full_name,
    is_subquery,
    own,
    references,
)
from goldsmith.project.sql.text import Malformed, Parsed, offset_of

_TABLE_PLAIN = {"this", "db", "alias", "joins", "hints"}
_SUBQUERY_PLAIN = {"this", "alias", "order", "sort", "cluster", "distribute", "with_"}
_CLAUSES = {
    "expressions": "select",
    "where": "where",
    "group": "group",
    "having": "having",
    "order": "order",
    "sort": "order",
    "cluster": "order",
    "distribute": "order",
    "windows": "window",
}
_ELSEWHERE = {"from_", "joins", "laterals", "with_", "hint"}
_WORDS = {"sample": "TABLESAMPLE", "pivots": "PIVOT"}
_KINDS = {"", "INNER", "CROSS", "OUTER", "SEMI", "ANTI"}
_FULL_NAME = "Write the name as `layer.table`."
_PINNED = "Write the table's name only: each run pins every upstream to one version."

_Ctes = Mapping[str, Relation]


class NoLayer(Malformed):
    """A reference that is neither `layer.table` nor a visible CTE."""

    def __init__(self, node: exp.Table) -> None:
        super().__init__(
            f"`{node.name}` has no layer and is not defined by WITH",
            offset_of(node),
            f"Write it with its layer, as in `silver.{node.name}`.",
        )


@dataclass(frozen=True)
class Structure:
    """A bound statement. root: its result. selects: every SELECT in it that can be analysed, unused CTEs included."""

    root: Relation
    selects: tuple[Select, ...]


def bind(parsed: Parsed) -> Structure:
    """Binds a statement.

    Raises NoLayer for a reference that is neither a CTE nor `layer.table`, Malformed for any other form of a
    table's name.
    """
    tree = parsed.tree
    binder = _Binder()
    root = binder.query(tree, {}, None)
    missed = tuple(Base(node, full_name(node)) for node in references(tree) if id(node) not in binder.seen)
    if missed:
        root = Opaque(tree, "unsupported syntax", (root, *missed))
    if any(token.token_type is TokenType.PIPE_GT for token in parsed.tokens):
        # The parser rewrites the steps as CTEs of its own, which differ from the text.
        return Structure(Opaque(tree, "pipe syntax", (root,)), ())
    return Structure(root, tuple(binder.selects))


class _Binder:
    """Binds one statement. seen: the ids of the reference nodes that were visited. selects: the SELECTs visited."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.selects: list[Select] = []

    def query(self, node: exp.Expr, ctes: _Ctes, outer: Select | None) -> Relation:
        ctes = self._with(node, ctes, outer)
        if isinstance(node, exp.Select):
            return self._select(node, ctes, outer)
        if isinstance(node, exp.SetOperation):
            left, right = self.query(node.this, ctes, outer), self.query(node.expression, ctes, outer)
            return SetOperation(node, left, right, left.bases | right.bases)
        if isinstance(node, exp.Subquery):
            return _modified(node, self.query(node.this, ctes, outer), _SUBQUERY_PLAIN)
        if isinstance(node, exp.Values):
            return _values(node)
        if isinstance(node, exp.Table):
            return self._table(node, ctes, outer)
        return Opaque(node, node.key.upper())

    def _with(self, node: exp.Expr, ctes: _Ctes, outer: Select | None) -> _Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        known = dict(ctes)
        for cte in clause.expressions:
            name = cte.alias.lower()
            if clause.recursive and _mentions(cte.this, name):
                inside = {**known, name: Opaque(cte, "WITH RECURSIVE")}
                relation: Relation = Opaque(cte, "WITH RECURSIVE", (self.query(cte.this, inside, outer),))
            else:
                relation = self.query(cte.this, known, outer)
            renamed = _alias(cte)[1]
            known[name] = self._renamed(cte, relation, renamed) if renamed else relation
        return known

    def _renamed(self, node: exp.Expr, relation: Relation, names: tuple[str, ...]) -> Relation:
        """A CTE with a list of columns, as a SELECT that renames them."""
        star = exp.Star()
        select = Select(exp.Select(expressions=[star]), None, bases=relation.bases)
        select.sources.append(Source(node, relation, None, names))
        select.parts.append(("select", star))
        self.selects.append(select)
        return select

    def _select(self, node: exp.Select, ctes: _Ctes, outer: Select | None) -> Select:
        select = Select(node, outer)
        self.selects.append(select)
        start = node.args.get("from_")
        if start is not None:
            select.sources.extend(self._item(start.this, select, ctes))
        self._joins(select.sources, node, select, ctes)
        for lateral in node.args.get("laterals") or ():
            select.sources.extend(self._item(lateral, select, ctes))
        for key, value in node.args.items():
            if key not in _ELSEWHERE:
                clause = _CLAUSES.get(key, "other")
                several = value if isinstance(value, list) else (value,)
                select.parts.extend((clause, part) for part in several if isinstance(part, exp.Expr))
        for _, root in select.parts:
            select.subqueries.extend(
                self.query(part, ctes, select) for part in own(root) if is_subquery(part)
            )
        inner = (*(source.relation for source in select.sources), *select.subqueries)
        select.bases = frozenset(base for relation in inner for base in relation.bases)
        return select

    def _joins(self, before: list[Source], node: exp.Expr, select: Select, ctes: _Ctes) -> None:
        for join in node.args.get("joins") or ():
            _join(before, self._item(join.this, select, ctes), join)
            condition = join.args.get("on")
            if condition is not None:
                select.parts.append(("on", condition))

    def _item(self, node: exp.Expr, select: Select, ctes: _Ctes) -> list[Source]:
        """The sources of one operand of FROM or JOIN: one, or several for joins in parentheses."""
        name, renamed = _alias(node)
        if isinstance(node, exp.Lateral):
            return [self._lateral(node, name, renamed, select, ctes)]
        if isinstance(node, exp.Subquery) and isinstance(node.unnest(), exp.Table):
            select.grouped = True
            group = self._item(node.this, select, ctes)
            self._joins(group, node, select, ctes)
            if all(key in ("this", "joins") for key, _ in clauses(node)):
                return group
            inner = tuple(source.relation for source in group)
            return [Source(node, Opaque(node, "joins in parentheses with an alias", inner), name, renamed)]
        relation = self.query(node, ctes, select.outer)
        called = isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier)
        if called:
            select.parts.append(("lateral", node.this))
        elif name is None and isinstance(node, exp.Table):
            name = node.name.lower()
        group = [Source(node, relation, name, renamed, lateral=called)]
        select.grouped = select.grouped or bool(node.args.get("joins"))
        self._joins(group, node, select, ctes)
        return group

    def _lateral(
        self, node: exp.Lateral, name: str | None, renamed: tuple[str, ...], select: Select, ctes: _Ctes
    ) -> Source:
        if is_subquery(node.this):
            return Source(node, self.query(node.this, ctes, select), name, renamed, lateral=True)
        select.parts.append(("lateral", node.this))
        return Source(node, Opaque(node, "a generator", columns=renamed or None), name, lateral=True)

    def _table(self, node: exp.Table, ctes: _Ctes, outer: Select | None) -> Relation:
        self.seen.add(id(node))
        if not isinstance(node.this, exp.Identifier):
            if node.this.name.lower() == "identifier":
                raise Malformed("A table cannot be named by IDENTIFIER()", offset_of(node), _FULL_NAME)
            inner = tuple(self.query(part, ctes, outer) for part in own(node.this) if is_subquery(part))
            return Opaque(node, "a table function", inner)
        if node.args.get("version") or node.args.get("when"):
            raise Malformed("A query cannot choose the version of a table", offset_of(node), _PINNED)
        if node.args.get("catalog"):
            written = ".".join(part.name for part in node.parts)
            raise Malformed(f"A table's name has two parts, not `{written}`", offset_of(node), _FULL_NAME)
        if node.args.get("db"):
            return _modified(node, Base(node, full_name(node)), _TABLE_PLAIN)
        found = ctes.get(node.name.lower())
        if found is None:
            raise NoLayer(node)
        return _modified(node, found, _TABLE_PLAIN)


def _join(before: list[Source], new: list[Source], join: exp.Join) -> None:
    """Adds the sources of one join, and marks those on its nullable side."""
    side, kind, method = join.side.upper(), join.kind.upper(), str(join.args.get("method") or "").upper()
    unknown = kind not in _KINDS or method not in ("", "NATURAL")
    for source in new:
        source.join = source.join or join
        source.hidden = source.hidden or kind in ("SEMI", "ANTI")
        if unknown or (side in ("LEFT", "FULL") and not source.hidden):
            source.nullable = source.nullable or join
    if unknown or side in ("RIGHT", "FULL"):
        for source in before:
            source.nullable = source.nullable or join
    before.extend(new)


def _modified(node: exp.Expr, relation: Relation, harmless: set[str]) -> Relation:
    """The relation, or Opaque if another clause of the node changes its rows or columns."""
    changed = next((key for key, _ in clauses(node) if key not in harmless), None)
    return Opaque(node, _WORDS.get(changed, changed.upper()), (relation,)) if changed else relation


def _alias(node: exp.Expr) -> tuple[str | None, tuple[str, ...]]:
    """The alias in lower case, and its list of columns."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return None, ()
    return alias.name.lower() or None, tuple(column.name for column in alias.columns)


def _mentions(node: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name and not table.db for table in node.find_all(exp.Table))


def _values(node: exp.Values) -> Opaque:
    first = node.expressions[0] if node.expressions else None
    width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
    names = _alias(node)[1] or tuple(f"col{index + 1}" for index in range(width))
    return Opaque(node, "VALUES", columns=names)
