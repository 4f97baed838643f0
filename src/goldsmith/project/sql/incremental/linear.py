"""Decides whether a query is linear in one table: its new rows follow from that table's changed rows."""

from __future__ import annotations

from sqlglot import exp

from goldsmith.project.sql.calls import called as called_name
from goldsmith.project.sql.calls import is_aggregate, is_foreign, is_generator
from goldsmith.project.sql.functions import TIME_WINDOWS, WINDOWS
from goldsmith.project.sql.scope import Base, Opaque, Relation, Select, SetOperation, Source, clauses, reads
from goldsmith.project.sql.text import Parsed, line_of

PLAIN_CLAUSES = {
    "expressions",
    "from_",
    "joins",
    "laterals",
    "where",
    "order",
    "sort",
    "cluster",
    "distribute",
    "with_",
    "hint",
    "windows",
}
_WORDS = {"group": "GROUP BY", "pivots": "PIVOT", "sample": "TABLESAMPLE"}


def arms(relation: Relation) -> list[Relation]:
    """The arms of a UNION ALL at the top of a statement, or the statement itself."""
    if isinstance(relation, SetOperation) and relation.union_all:
        return [*arms(relation.left), *arms(relation.right)]
    return [relation]


def emptied(root: Relation, driver: str) -> frozenset[Base]:
    """References used only by arms that do not read the driver. If these references are empty, so are the arms."""
    parts = arms(root)
    reading = [part for part in parts if reads(part, driver)]
    if not reading or len(parts) == 1:
        return frozenset()
    others = frozenset(base for part in parts if part not in reading for base in part.bases)
    return others - frozenset(base for part in reading for base in part.bases)


def linear_in(parsed: Parsed, root: Relation, driver: str) -> str | None:
    """None if each row comes from exactly one row of the driver, given the other tables; otherwise the reason."""
    if not reads(root, driver):
        return f"it does not read {driver}"
    limited = _limit_above(parsed, root)
    if limited is not None:
        return limited
    without = emptied(root, driver)
    for arm in arms(root):
        if reads(arm, driver):
            reason = _linear(parsed, arm, driver)
        elif _empties(parsed, arm, without):
            reason = None
        else:
            line = line_of(parsed, arm.node)
            reason = f"the part of UNION ALL on line {line} gives rows that do not depend on {driver}"
        if reason is not None:
            return reason
    return None


def one_to_one_in(parsed: Parsed, root: Relation, driver: str) -> bool:
    """Whether each row comes from one row of the driver, which gives at most this row."""
    return linear_in(parsed, root, driver) is None and _single(parsed, root)


def _single(parsed: Parsed, relation: Relation) -> bool:
    if isinstance(relation, Base):
        return True
    if not isinstance(relation, Select) or len(relation.sources) != 1:
        return False
    return not any(is_generator(parsed, node) for node in relation.part()) and _single(
        parsed, relation.sources[0].relation
    )


def _limit_above(parsed: Parsed, relation: Relation) -> str | None:
    if not isinstance(relation, SetOperation) or not relation.union_all:
        return None
    if relation.limited is not None:
        return (
            f"{_word(relation.limited)} on line {line_of(parsed, relation.limited, _word(relation.limited))}"
        )
    return _limit_above(parsed, relation.left) or _limit_above(parsed, relation.right)


def _linear(parsed: Parsed, relation: Relation, driver: str) -> str | None:
    if isinstance(relation, Base) or not reads(relation, driver):
        return None
    if isinstance(relation, Opaque):
        return f"{relation.what} on line {line_of(parsed, relation.node)}"
    if isinstance(relation, Select):
        return _select(parsed, relation, driver)
    word = set_word(relation)
    line = line_of(parsed, relation.right.node, word.split()[0])
    if not relation.union_all:
        return f"{word} on line {line} compares rows with each other"
    if relation.limited is not None:
        return (
            f"{_word(relation.limited)} on line {line_of(parsed, relation.limited, _word(relation.limited))}"
        )
    for arm in (relation.left, relation.right):
        if not reads(arm, driver):
            return f"UNION ALL on line {line} adds rows that do not come from {driver}"
    return _linear(parsed, relation.left, driver) or _linear(parsed, relation.right, driver)


def set_word(relation: SetOperation) -> str:
    """The set operation as written."""
    word = type(relation.node).__name__.upper()
    return word if relation.node.args.get("distinct") else f"{word} ALL"


def _select(parsed: Parsed, select: Select, driver: str) -> str | None:
    for key, node in clauses(select.node):
        if key not in PLAIN_CLAUSES:
            word = _WORDS.get(key, key.upper())
            return f"{word} on line {line_of(parsed, node, word)} needs more rows than the changed ones"
    called = _call(parsed, select)
    if called is not None:
        return called
    for subquery in select.subqueries:
        if reads(subquery, driver):
            return f"the subquery on line {line_of(parsed, subquery.node)} reads {driver}"
    readers = select.readers(driver)
    if len(readers) > 1:
        return f"{driver} is joined with itself on line {line_of(parsed, readers[1].node)}"
    source = readers[0]
    return _misplaced(parsed, source, driver) or _linear(parsed, source.relation, driver)


def _misplaced(parsed: Parsed, source: Source, driver: str) -> str | None:
    line = line_of(parsed, source.node)
    if source.hidden and source.join is not None:
        return f"{driver} is on the right side of a {source.join.kind.upper()} JOIN on line {line}"
    if source.nullable is not None:
        side = source.nullable.side.upper() or "joined"
        return f"{driver}, read on line {line}, is on the nullable side of a {side} JOIN"
    if source.lateral:
        return f"LATERAL on line {line} reads {driver}"
    return None


def _call(parsed: Parsed, select: Select) -> str | None:
    """The reason why a call in a SELECT needs more than one row; None if there is no such call."""
    for node in select.part():
        name = called_name(parsed, node)
        line = line_of(parsed, node) if name is not None or isinstance(node, exp.Window) else 0
        if isinstance(node, exp.Window) and not isinstance(node.parent, exp.Select):
            return f"the window function on line {line} needs more rows than the changed ones"
        if isinstance(node, exp.Window) and node.arg_key != "windows":
            return f"the window function on line {line} needs more rows than the changed ones"
        if is_aggregate(parsed, node):
            what = f"the aggregate {name}" if name else "the aggregate"
            return f"{what} on line {line_of(parsed, node)} needs more rows than the changed ones"
        if name in WINDOWS or name in TIME_WINDOWS:
            return f"{name} on line {line} needs more rows than the changed ones"
        if is_foreign(parsed, node):
            line = line_of(parsed, node)
            return f"{name or 'TRANSFORM'} on line {line} is not a function of Spark: it may be an aggregate"
    return None


def _word(node: exp.Expr) -> str:
    return _WORDS.get(node.key, node.key.upper())


def _empties(parsed: Parsed, relation: Relation, without: frozenset[Base]) -> bool:
    """Whether a relation is empty if these references are."""
    if isinstance(relation, Base):
        return relation in without
    if isinstance(relation, Opaque):
        return False
    if isinstance(relation, SetOperation):
        left, right = _empties(parsed, relation.left, without), _empties(parsed, relation.right, without)
        if isinstance(relation.node, exp.Union):
            return left and right
        return left or (right and isinstance(relation.node, exp.Intersect))
    grouped = relation.node.args.get("group")
    plain_group = (
        grouped is not None
        and bool(grouped.expressions)
        and not any(grouped.args.get(key) for key in ("rollup", "cube", "grouping_sets", "all", "totals"))
    )
    if not plain_group and (
        relation.node.args.get("having")
        or grouped is not None
        or any(is_aggregate(parsed, node) or is_foreign(parsed, node) for node in relation.part())
    ):
        return False
    return any(
        source.nullable is None
        and not (source.hidden and source.join is not None and source.join.kind.upper() == "ANTI")
        and _empties(parsed, source.relation, without)
        for source in relation.sources
    )
