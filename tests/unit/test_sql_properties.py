"""Random SQL composed of parts: rendering changes only names."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from goldsmith.project.sql.statement import parse
from support.examples import examples

TABLES = ("bronze.x", "silver.x", "gold.`odd`", "Silver.Y")
EXPRESSIONS = (
    "k",
    "'bronze.x'",
    "count(*) OVER (PARTITION BY k)",
    "a -- bronze.x\n + 1",
    "`b`",
    "/* é🎉 */ 2",
)

table = st.sampled_from(TABLES)
items = st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=3).map(
    lambda chosen: ", ".join(f"{expression} AS c{index}" for index, expression in enumerate(chosen))
)


@st.composite
def queries(draw: st.DrawFn, depth: int = 2, *, aliased: bool) -> str:
    def source(alias: str) -> str:
        if depth and draw(st.booleans()):
            return f"({draw(queries(depth - 1, aliased=aliased))}) {alias}"
        name = draw(table)
        return f"{name}{draw(st.sampled_from((' AS ', ' ', '  ')))}{alias}" if aliased else name

    text = f"SELECT {draw(items)}\nFROM {source('t')}"
    if aliased and draw(st.booleans()):
        text += f"\n{draw(st.sampled_from(('JOIN', 'LEFT  JOIN', 'cross join')))} {source('u')} ON t.k = u.k"
    if draw(st.booleans()):
        text += f" WHERE k IN (SELECT k FROM {source('w')})"
    if depth and draw(st.booleans()):
        text = f"WITH c AS ({draw(queries(depth - 1, aliased=aliased))}) {text} UNION ALL SELECT * FROM c"
    return text


@examples(50)
@given(queries(aliased=True))
def test_rendering_with_the_same_names_keeps_the_query(text: str) -> None:
    query = parse(text, file=Path("t.sql"), table="silver.t")
    lowered = {name: name for name in query.upstreams}
    again = query.rendered(lowered)
    tree, before = parse_one(again, read="spark"), parse_one(text, read="spark")
    for node in (*tree.find_all(exp.Table), *before.find_all(exp.Table)):
        if node.args.get("db"):
            node.set("this", exp.to_identifier(node.name.lower()))
            node.set("db", exp.to_identifier(node.db.lower()))
    assert tree == before
    assert parse(again, file=Path("t.sql"), table="silver.t").rendered(lowered) == again


@examples(50)
@given(queries(aliased=False))
def test_every_reference_is_replaced_and_aliased(text: str) -> None:
    query = parse(text, file=Path("t.sql"), table="silver.t")
    names = {name: f"view_{index}" for index, name in enumerate(query.upstreams)}
    tree = parse_one(query.rendered(names), read="spark")
    before = [node for node in parse_one(text, read="spark").find_all(exp.Table) if node.db]
    after = [node for node in tree.find_all(exp.Table) if node.name.startswith("view_")]
    assert [names[f"{node.db}.{node.name}".lower()] for node in before] == [node.name for node in after]
    assert all(node.alias for node in after)
    assert not any(node.db for node in tree.find_all(exp.Table))
