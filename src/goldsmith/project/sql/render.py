"""Renders a query with other names in place of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from goldsmith.project.sql.bind import Structure
from goldsmith.project.sql.incremental.linear import emptied
from goldsmith.project.sql.outputs import qualifies
from goldsmith.project.sql.scope import Select, Source, full_name, own, references
from goldsmith.project.sql.text import Parsed, plain, spliced


def rendered(
    parsed: Parsed,
    structure: Structure,
    names: Mapping[str, str],
    *,
    driver: str | None,
    empty: Mapping[str, str],
) -> str:
    """The text with every table reference replaced; see `Query.rendered`."""
    without = {id(base.node) for base in emptied(structure.root, driver)} if driver is not None else set()
    aliases = _aliases(structure)
    replacements: dict[int, tuple[int, str]] = {}
    for node in references(parsed.tree):
        name = full_name(node)
        new = empty[name] if id(node) in without else names[name]
        if not node.alias:
            new = f"{new} AS {aliases.get(id(node), plain(node.name))}"
        replacements[_start(node.args["db"])] = (_end(node.this), new)
    for select in structure.selects:
        for _, root in select.parts:
            for column in own(root):
                if isinstance(column, exp.Column):
                    replacements.update(_requalified(select, column, aliases))
    for at, name in _distinct_outputs(parsed.tree):
        replacements[at] = (at, f" AS {name}")
    return spliced(parsed.text, [(start, end, new) for start, (end, new) in replacements.items()])


def _distinct_outputs(tree: exp.Expr) -> Iterator[tuple[int, str]]:
    """Aliases for columns that an arm of a set operation selects twice, with the offsets to insert them at.

    Spark's rule RemoveRedundantAliases makes an invalid plan of `SELECT n, n` in an arm that reads a UNION, as the
    changes of a driver are. The names of an arm after the first have no meaning.
    """
    for operation in tree.find_all(exp.SetOperation):
        arm = None if operation.args.get("by_name") else operation.expression
        while isinstance(arm, exp.Subquery | exp.SetOperation):
            arm = arm.this
        if not isinstance(arm, exp.Select):
            continue
        seen: set[str] = set()
        for at, item in enumerate(arm.expressions):
            name = item.output_name.lower()
            if isinstance(item, exp.Column) and not item.is_star and (name in seen or arm.is_star):
                yield _end(item.parts[-1]), f"_gs_out_{at}"
            seen.add(name)


def _aliases(structure: Structure) -> dict[int, str]:
    """Aliases for references whose table names are ambiguous without their layers, by id of the node."""
    found: dict[int, str] = {}
    for select in structure.selects:
        around: list[Source] = []
        scope: Select | None = select
        while scope is not None:
            around.extend(scope.sources)
            scope = scope.outer
        nodes = [s.node for s in around if isinstance(s.node, exp.Table) and s.node.db and not s.node.alias]
        for node in nodes:
            alike = {full_name(other) for other in nodes if other.name.lower() == node.name.lower()}
            if len(alike) > 1:
                found[id(node)] = full_name(node).replace(".", "_")
    return found


def _requalified(
    select: Select, column: exp.Column, aliases: Mapping[int, str]
) -> dict[int, tuple[int, str]]:
    """The replacement of a column's qualifier by the alias of its table."""
    parts = column.parts
    lowered = [part.name.lower() for part in parts]
    for length in (2, 1):
        scope: Select | None = select if len(parts) > length else None
        while scope is not None:
            owner = next((s for s in scope.sources if qualifies(s, lowered[:length])), None)
            if owner is not None and isinstance(owner.node, exp.Table):
                alias = aliases.get(id(owner.node), plain(owner.node.name))
                if length == 1 and id(owner.node) not in aliases:
                    return {}
                return {_start(parts[0]): (_end(parts[length - 1]), alias)}
            scope = scope.outer if owner is None else None
    return {}


def _start(node: exp.Expr) -> int:
    return int(node.meta["start"])


def _end(node: exp.Expr) -> int:
    """The offset after the last character."""
    return int(node.meta["end"]) + 1
