"""Traces output columns: as SQL over the driver's columns, and as lineage over all tables."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from goldsmith.project.sql.calls import one_row
from goldsmith.project.sql.columns import Alias, Bound, Columns
from goldsmith.project.sql.outputs import Output
from goldsmith.project.sql.scope import Base, Opaque, Relation, Select, SetOperation, Source, own, reads
from goldsmith.project.sql.text import Parsed, expression_text, plain

_NO_COLUMN_AFTER = (TokenType.DOT, TokenType.ALIAS, TokenType.DCOLON)
"""Tokens before struct fields, types and new names."""
REGROUPED = (exp.Rollup, exp.Cube, exp.GroupingSets)


def regrouped(select: Select) -> exp.Expr | None:
    """The ROLLUP, CUBE or GROUPING SETS of a SELECT, which make its keys NULL in some rows."""
    group = select.node.args.get("group")
    return group.find(*REGROUPED) if group is not None else None


class Tracer:
    """Traces columns of one statement to its driver."""

    def __init__(self, parsed: Parsed, columns: Columns, driver: str) -> None:
        self._parsed = parsed
        self._columns = columns
        self.driver = driver

    def column(self, relation: Relation, name: str) -> str | None:
        """SQL over the driver's columns that gives the column of this name; None if it cannot be traced."""
        outputs = self._columns.outputs(relation)
        if outputs is None:
            return self._unlisted(relation, name)
        at = [i for i, output in enumerate(outputs) if (output.name or "").lower() == name.lower()]
        return self.position(relation, at[0]) if len(at) == 1 else None

    def position(self, relation: Relation, index: int) -> str | None:
        """SQL over the driver's columns that gives the column at this position, from 0."""
        outputs = self._columns.outputs(relation)
        if outputs is None or index >= len(outputs) or not reads(relation, self.driver):
            return None
        if isinstance(relation, Base):
            return plain(outputs[index].name or "")
        if isinstance(relation, SetOperation):
            return self._in_arms(relation, index, outputs[index].name or "")
        if isinstance(relation, Opaque) or regrouped(relation) is not None:
            return None
        return self._output(relation, outputs[index])

    def expression(self, select: Select, root: exp.Expr, *, unmatched: Collection[Source] = ()) -> str | None:
        """SQL over the driver's columns that gives an expression of a SELECT.

        unmatched: sources on the nullable side of a join whose columns are traced as before the join.
        """
        span = root.meta.get("span")
        if isinstance(root, exp.Column):
            parts = root.parts
            span = (parts[0].meta.get("start", -1), parts[-1].meta.get("end", -1))
        if span is None or span[0] < 0 or not one_row(self._parsed, root):
            return None
        replacements: dict[int, tuple[int, str]] = {}
        for node in own(root):
            if not isinstance(node, exp.Column):
                continue
            meaning = self._columns.meaning(select, node)
            if not isinstance(meaning, Bound | Alias) or meaning.first < 0:
                return None
            if isinstance(meaning, Bound):
                traced = self.source(meaning.source, meaning.column, unmatched=unmatched)
            else:
                traced = self._output(select, meaning.output)
            if traced is None:
                return None
            replacements[meaning.first] = (meaning.last, traced)
        if self._overlooked(select, root, span):
            return None
        return expression_text(self._parsed, span, replacements)

    def _overlooked(self, select: Select, root: exp.Expr, span: tuple[int, int]) -> bool:
        """Whether the text has a name that may be a column and is not in the tree: the parser drops unknown arguments."""
        seen = {node.meta.get("start") for node in own(root) if isinstance(node, exp.Identifier)}
        known: set[str] | None = set()
        for source in select.sources:
            names = self._columns.names(source)
            known = None if names is None or known is None else known | {(n or "").lower() for n in names}
        tokens = self._parsed.tokens
        for index, token in enumerate(tokens):
            if token.start < span[0] or token.end > span[1] or token.start in seen:
                continue
            after = tokens[index + 1] if index + 1 < len(tokens) else None
            called = after is not None and after.token_type is TokenType.L_PAREN
            before = tokens[index - 1].token_type if index > 0 else None
            if called or before in _NO_COLUMN_AFTER:
                continue
            named = token.token_type in (TokenType.VAR, TokenType.IDENTIFIER)
            quoted = token.token_type is TokenType.STRING
            if not quoted and (named if known is None else token.text.lower() in known):
                return True
        return False

    def source(self, source: Source, name: str, *, unmatched: Collection[Source] = ()) -> str | None:
        """SQL over the driver's columns that gives a column of a source."""
        if source.nullable is not None and source not in unmatched:
            return None
        if not source.renamed:
            return self.column(source.relation, name)
        at = [i for i, known in enumerate(source.renamed) if known.lower() == name.lower()]
        return self.position(source.relation, at[0]) if len(at) == 1 else None

    def keys(self, select: Select) -> list[str | None]:
        """The GROUP BY keys of a SELECT as SQL over the driver's columns."""
        group = select.node.args.get("group")
        if group is None:
            return []
        items = select.node.expressions
        if group.args.get("all"):
            return [self.expression(select, item.unalias()) for item in items]
        found: list[str | None] = []
        for key in group.expressions:
            place = int(key.name) - 1 if isinstance(key, exp.Literal) and key.name.isdigit() else None
            if place is not None and place < len(items):
                found.append(self.expression(select, items[place].unalias()))
            else:
                found.append(self.expression(select, key))
        return found

    def _output(self, select: Select, output: Output) -> str | None:
        if output.source is not None:
            return self.source(output.source, output.column)
        return self.expression(select, output.expression) if output.expression is not None else None

    def _in_arms(self, relation: SetOperation, index: int, name: str) -> str | None:
        arms = [arm for arm in (relation.left, relation.right) if reads(arm, self.driver)]
        if relation.node.args.get("by_name"):
            traced = {self.column(arm, name) for arm in arms}
        else:
            traced = {self.position(arm, index) for arm in arms}
        return traced.pop() if len(traced) == 1 else None

    def _unlisted(self, relation: Relation, name: str) -> str | None:
        """A column of a relation with unknown columns, which can only be traced through a single star."""
        if isinstance(relation, Base):
            return plain(name) if relation.table == self.driver else None
        if not isinstance(relation, Select) or len(relation.sources) != 1 or regrouped(relation) is not None:
            return None
        items = relation.node.expressions
        if len(items) == 1 and isinstance(items[0], exp.Star) and not items[0].args.get("except_"):
            return self.source(relation.sources[0], name)
        return None


class Lineage:
    """Finds the columns of tables that the columns of one statement are computed from, as far as known."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._known: dict[tuple[int, int], frozenset[tuple[str, str]]] = {}

    def position(self, relation: Relation, index: int) -> frozenset[tuple[str, str]]:
        """The (table, column) pairs that the column at this position, from 0, is computed from."""
        key = (id(relation), index)
        if key not in self._known:
            self._known[key] = frozenset()
            self._known[key] = self._find(relation, index)
        return self._known[key]

    def _find(self, relation: Relation, index: int) -> frozenset[tuple[str, str]]:
        outputs = self._columns.outputs(relation)
        if outputs is None or index >= len(outputs) or isinstance(relation, Opaque):
            return frozenset()
        output = outputs[index]
        if isinstance(relation, Base):
            return frozenset(((relation.table, output.name or ""),))
        if isinstance(relation, SetOperation):
            if relation.node.args.get("by_name"):
                return self._named(relation.left, output.name or "") | self._named(
                    relation.right, output.name or ""
                )
            return self.position(relation.left, index) | self.position(relation.right, index)
        return self._output(relation, output)

    def _output(self, select: Select, output: Output) -> frozenset[tuple[str, str]]:
        if output.source is not None:
            return self._source(output.source, output.column)
        found: frozenset[tuple[str, str]] = frozenset()
        for node in own(output.expression) if output.expression is not None else ():
            if isinstance(node, exp.Column):
                meaning = self._columns.meaning(select, node)
                if isinstance(meaning, Bound):
                    found |= self._source(meaning.source, meaning.column)
                elif isinstance(meaning, Alias):
                    found |= self._output(select, meaning.output)
        for subquery in select.subqueries:
            if output.expression is not None and subquery.node.find_ancestor(exp.Select) is select.node:
                inside = any(part is subquery.node for part in output.expression.walk())
                found |= self.position(subquery, 0) if inside else frozenset()
        return found

    def _source(self, source: Source, name: str) -> frozenset[tuple[str, str]]:
        if source.renamed:
            at = [i for i, known in enumerate(source.renamed) if known.lower() == name.lower()]
            return self.position(source.relation, at[0]) if at else frozenset()
        return self._named(source.relation, name)

    def _named(self, relation: Relation, name: str) -> frozenset[tuple[str, str]]:
        outputs = self._columns.outputs(relation)
        if outputs is None:
            return frozenset(((relation.table, name),)) if isinstance(relation, Base) else frozenset()
        at = [i for i, output in enumerate(outputs) if (output.name or "").lower() == name.lower()]
        return self.position(relation, at[0]) if at else frozenset()
