"""Finds LIMIT, OFFSET and FETCH whose rows are not determined by a unique order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from goldsmith.project.sql.bind import Structure
from goldsmith.project.sql.scope import Relation, Select, SetOperation
from goldsmith.project.sql.text import Parsed, offset_of
from goldsmith.project.sql.unique import Unique


@dataclass(frozen=True)
class Finding:
    """A clause or call that depends on the order of rows. refused: it has no order; otherwise ties may matter."""

    refused: bool
    message: str
    offset: int
    hint: str


def limit_findings(parsed: Parsed, structure: Structure, unique: Unique) -> Iterator[Finding]:
    """All LIMIT, OFFSET and FETCH clauses of a statement that may keep other rows in each run."""
    relations = {id(relation.node): relation for relation in _relations(structure)}
    for clause in parsed.tree.find_all(exp.Limit, exp.Offset, exp.Fetch):
        node = clause.parent
        if node is not None and not (isinstance(clause, exp.Offset) and node.args.get("limit")):
            yield from _limit(unique, clause, node, relations.get(id(node)))


def _relations(structure: Structure) -> Iterator[Relation]:
    stack: list[Relation] = [structure.root, *structure.selects]
    seen: set[int] = set()
    while stack:
        relation = stack.pop()
        if id(relation) in seen:
            continue
        seen.add(id(relation))
        yield relation
        if isinstance(relation, Select):
            stack += [*(source.relation for source in relation.sources), *relation.subqueries]
        elif isinstance(relation, SetOperation):
            stack += [relation.left, relation.right]


def _limit(unique: Unique, clause: exp.Expr, node: exp.Expr, relation: Relation | None) -> Iterator[Finding]:
    """A finding for a clause whose order does not determine its rows."""
    word = clause.key.upper()
    amount = clause.args.get("expression")
    if isinstance(amount, exp.Var) or (isinstance(amount, exp.Literal) and amount.name == "0"):
        return
    if isinstance(node.parent, exp.Exists):
        return
    order = node.args.get("order")
    ordering: list[exp.Expr] = list(order.expressions) if order is not None else []
    if _settled(unique, relation, ordering):
        return
    message = (
        f"{word} without ORDER BY keeps arbitrary rows"
        if not ordering
        else (f"{word} keeps arbitrary rows of those that tie in its ORDER BY")
    )
    hint = "End the ORDER BY with unique columns: a key, or all columns of the output."
    yield Finding(True, message, offset_of(clause) or offset_of(node), hint)


def _settled(unique: Unique, relation: Relation | None, ordering: list[exp.Expr]) -> bool:
    """Whether an order has no ties between different rows of a relation."""
    if any(isinstance(each.this, exp.Var) and each.this.name.upper() == "ALL" for each in ordering):
        return True
    outputs = unique.columns.outputs(relation) if relation is not None else None
    names = [(output.name or "").lower() for output in outputs or ()]
    ordered: set[str] = set()
    for each in ordering:
        item = each.this.unnest()
        if isinstance(item, exp.Literal) and item.name.isdigit() and 0 < int(item.name) <= len(names):
            ordered.add(names[int(item.name) - 1])
        elif isinstance(item, exp.Column) and len(item.parts) == 1:
            ordered.add(item.name.lower())
    if outputs is not None and (
        set(names) <= ordered or any(one <= ordered for one in _sets(unique, relation))
    ):
        return True
    if not isinstance(relation, Select):
        return False
    atoms = frozenset().union(*(unique.covered(relation, each) for each in ordering))
    for output in outputs or ():
        if (output.name or "").lower() in ordered:
            atoms |= unique.output(relation, output)
    if not relation.node.args.get("distinct"):
        return unique.total(relation, atoms)
    reached = unique.closure(relation, atoms)
    return outputs is not None and all(unique.output(relation, each) <= reached for each in outputs)


def _sets(unique: Unique, relation: Relation | None) -> frozenset[frozenset[str]]:
    return unique.sets(relation) if relation is not None else frozenset()
