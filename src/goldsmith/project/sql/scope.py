"""The structure of a query: SELECTs and the relations that they read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from goldsmith.project.sql.text import offset_of


@dataclass(eq=False)
class Base:
    """A reference to a table of the project, by its full name in lower case."""

    node: exp.Table
    table: str

    @property
    def bases(self) -> frozenset[Base]:
        return frozenset((self,))


@dataclass(eq=False)
class Opaque:
    """A relation that is not analysed: VALUES, PIVOT, a table function. inner: the relations that it reads."""

    node: exp.Expr
    what: str
    inner: tuple[Relation, ...] = ()
    columns: tuple[str, ...] | None = None

    @property
    def bases(self) -> frozenset[Base]:
        return frozenset().union(*(relation.bases for relation in self.inner))


@dataclass(eq=False)
class SetOperation:
    """UNION, INTERSECT or EXCEPT of two relations."""

    node: exp.SetOperation
    left: Relation
    right: Relation
    bases: frozenset[Base]

    @property
    def union_all(self) -> bool:
        return isinstance(self.node, exp.Union) and not self.node.args.get("distinct")

    @property
    def limited(self) -> exp.Expr | None:
        """A clause that changes the rows of the result, such as LIMIT; None without one."""
        return next((found for key, found in clauses(self.node) if key not in _SET_HARMLESS), None)


@dataclass(eq=False)
class Source:
    """A relation in a FROM clause, and how it is joined.

    nullable: the outer join that may make its columns NULL. hidden: it is the right side of a SEMI or ANTI join.
    lateral: it is evaluated for each row of the sources before it.
    """

    node: exp.Expr
    relation: Relation
    alias: str | None
    renamed: tuple[str, ...] = ()
    join: exp.Join | None = None
    nullable: exp.Join | None = None
    hidden: bool = False
    lateral: bool = False


@dataclass(eq=False)
class Select:
    """A SELECT. parts: its expressions with their clauses. subqueries: those in its parts.

    grouped: it has joins in parentheses, and the scope of each ON is not resolved.
    """

    node: exp.Select
    outer: Select | None
    sources: list[Source] = field(default_factory=list)
    parts: list[tuple[str, exp.Expr]] = field(default_factory=list)
    subqueries: list[Relation] = field(default_factory=list)
    grouped: bool = False
    bases: frozenset[Base] = frozenset()

    def part(self, *clauses: str) -> Iterator[exp.Expr]:
        """The nodes of these clauses, by default of all, without those inside subqueries."""
        for clause, root in self.parts:
            if not clauses or clause in clauses:
                yield from own(root)

    def readers(self, table: str) -> list[Source]:
        """The sources that read a table, directly or indirectly."""
        return [source for source in self.sources if reads(source.relation, table)]


Relation = Base | Opaque | SetOperation | Select

_SET_HARMLESS = {
    "this",
    "expression",
    "with_",
    "order",
    "distinct",
    "by_name",
    "sort",
    "cluster",
    "distribute",
}


def reads(relation: Relation, table: str) -> bool:
    """Whether a relation reads a table, directly or indirectly."""
    return any(base.table == table for base in relation.bases)


def clauses(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    """The arguments of a node that are present, with the first expression of each."""
    for key, value in node.args.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, exp.Expr):
            yield key, first


def own(root: exp.Expr) -> Iterator[exp.Expr]:
    """A node and its descendants, including subqueries but not the nodes inside them."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if not is_subquery(node):
            stack.extend(reversed(list(node.iter_expressions())))


def is_subquery(node: exp.Expr) -> bool:
    return isinstance(node, exp.Query | exp.Table | exp.Values)


def full_name(node: exp.Table) -> str:
    """`layer.table` in lower case."""
    return f"{node.db}.{node.name}".lower()


def references(tree: exp.Expr) -> list[exp.Table]:
    """The references to tables as `layer.table`, in the order of the text. Hints only use aliases."""
    found = [
        node for node in tree.find_all(exp.Table) if node.args.get("db") and not node.find_ancestor(exp.Hint)
    ]
    return sorted(found, key=offset_of)


def conjuncts(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The conditions joined by AND."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        yield from conjuncts(condition.this)
        yield from conjuncts(condition.expression)
    elif condition is not None:
        yield condition


def equations(condition: exp.Expr | None) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The sides of each equation in a conjunction, in both orders."""
    for each in conjuncts(condition):
        if isinstance(each, exp.EQ):
            yield each.this, each.expression
            yield each.expression, each.this
