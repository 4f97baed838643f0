"""Finds texts that Spark reads as a time of the run: 'now', 'today', 'tomorrow Europe/Berlin'.

Spark evaluates such a text by an explicit cast, as in `CAST('today' AS date)`, and by an implicit one: in a
comparison with a date, or as an argument of a date function. It is allowed only where it is certainly read as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from goldsmith.project.sql.bind import Structure
from goldsmith.project.sql.calls import called
from goldsmith.project.sql.columns import Alias, Bound, Columns, Meaning
from goldsmith.project.sql.functions import GIVE_TEXT, TAKE_TEXT
from goldsmith.project.sql.outputs import Output
from goldsmith.project.sql.scope import Base, SetOperation, Source
from goldsmith.project.sql.text import Parsed

_MOMENT = re.compile(r"\s*(?:now\s*$|(?:today|tomorrow|yesterday)(?:\s*$|[^A-Za-z]))", re.IGNORECASE)
_TEXTS = ("string", "varchar", "char")
_TEXT_TYPES = (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_ALIKE = (exp.Coalesce, exp.Nullif, exp.Array, exp.Greatest, exp.Least)
_CHOICES = (exp.Case, exp.If, exp.Nvl2, *_ALIKE)
_LIKES = (exp.Like, exp.ILike, exp.RegexpLike, exp.Bracket, exp.Struct, exp.PropertyEQ)


def moments(parsed: Parsed, structure: Structure, columns: Columns) -> Iterator[exp.Expr]:
    """The constant texts that Spark may evaluate to a time of the run."""
    reader = _Reader(parsed, structure, columns)
    for node in parsed.tree.walk():
        text = constant(node)
        if (
            text is None
            or not _MOMENT.match(text)
            or (node.parent is not None and constant(node.parent) is not None)
        ):
            continue
        if not reader.read_as_text(node):
            yield node


def constant(node: exp.Expr) -> str | None:
    """The value of a constant text expression; None for any other expression."""
    if isinstance(node, exp.Literal | exp.RawString):
        return node.name if isinstance(node, exp.RawString) or node.is_string else None
    if isinstance(node, exp.Paren):
        return constant(node.this)
    if isinstance(node, exp.Concat | exp.DPipe):
        parts = [constant(part) for part in (node.expressions or (node.this, node.expression))]
        return None if None in parts else "".join(part or "" for part in parts)
    if isinstance(node, exp.Lower | exp.Upper | exp.Trim) or (isinstance(node, exp.Cast) and _to_text(node)):
        return constant(node.this)
    return None


class _Reader:
    def __init__(self, parsed: Parsed, structure: Structure, columns: Columns) -> None:
        self._parsed = parsed
        self._columns = columns
        self._meanings: dict[int, Meaning] = {}
        for select in structure.selects:
            self._meanings.update(columns.meanings(select))

    def read_as_text(self, node: exp.Expr) -> bool:
        """Whether the expression around a text certainly reads it as text."""
        parent = node.parent
        if parent is None or isinstance(parent, exp.Paren | exp.Alias | exp.Ordered | exp.Interval):
            return parent is None or self.read_as_text(parent)
        if isinstance(parent, exp.Select | exp.Order | exp.Group | exp.Distinct | exp.Hint):
            return True
        if isinstance(parent, _COMPARISONS):
            return all(self.is_text(other) for other in parent.iter_expressions() if other is not node)
        if isinstance(parent, exp.If) and isinstance(parent.parent, exp.Case):
            return self._in_case(node, parent.parent)
        if isinstance(parent, exp.Case) and node.arg_key == "this":
            return all(self.is_text(branch.this) for branch in parent.args["ifs"])
        if isinstance(parent, exp.Tuple) and isinstance(parent.parent, exp.Values):
            at = parent.expressions.index(node)
            return all(self.is_text(row.expressions[at]) for row in parent.parent.expressions)
        if isinstance(parent, _CHOICES):
            return self.is_text(parent)
        if isinstance(parent, exp.Cast):
            return _to_text(parent) and self.read_as_text(parent)
        return (
            isinstance(parent, (*_LIKES, exp.Concat, exp.DPipe)) or called(self._parsed, parent) in TAKE_TEXT
        )

    def _in_case(self, node: exp.Expr, case: exp.Case) -> bool:
        if node.arg_key == "true":
            return self.is_text(case)
        return case.this is not None and self.is_text(case.this)

    def is_text(self, node: exp.Expr | None, depth: int = 20) -> bool:
        """Whether an expression certainly has the type text."""
        node = node.unnest() if node is not None else None
        if node is None or depth == 0:
            return False
        if isinstance(node, exp.Literal):
            return node.is_string
        if isinstance(node, exp.Column):
            return self._is_text_column(self._meanings.get(id(node)), node, depth)
        if isinstance(node, exp.Case | exp.If | exp.Nvl2):
            ends = [each.args.get("true") for each in node.args.get("ifs") or ()]
            ends += [node.args.get(key) for key in ("true", "false", "default") if node.args.get(key)]
            return all(isinstance(end, exp.Null) or self.is_text(end, depth - 1) for end in ends)
        if isinstance(node, _ALIKE):
            return all(self.is_text(part, depth - 1) for part in node.iter_expressions())
        if isinstance(node, exp.Cast):
            return _to_text(node)
        return isinstance(node, exp.Null | exp.Concat | exp.DPipe | exp.RawString) or (
            called(self._parsed, node) in GIVE_TEXT
        )

    def _is_text_column(self, meaning: Meaning, node: exp.Column, depth: int) -> bool:
        if isinstance(meaning, Bound):
            whole = node.parts[-1].meta.get("end") == meaning.last
            return whole and self._is_text_of(meaning.source, meaning.column, depth)
        return isinstance(meaning, Alias) and self._is_text_output(meaning.output, depth)

    def _is_text_of(self, source: Source, name: str, depth: int) -> bool:
        relation = source.relation
        while isinstance(relation, SetOperation):
            relation = relation.left
        if isinstance(relation, Base):
            kind = self._columns.type_of(relation, name)
            return kind is not None and kind.lower().startswith(_TEXTS)
        names = [(known or "").lower() for known in self._columns.names(source) or ()]
        outputs = self._columns.outputs(relation) or ()
        at = names.index(name.lower()) if names.count(name.lower()) == 1 else len(outputs)
        return at < len(outputs) and self._is_text_output(outputs[at], depth)

    def _is_text_output(self, output: Output, depth: int) -> bool:
        if output.source is not None:
            return depth > 0 and self._is_text_of(output.source, output.column, depth - 1)
        return self.is_text(output.expression, depth - 1)


def _to_text(node: exp.Cast) -> bool:
    return node.to.this in _TEXT_TYPES
