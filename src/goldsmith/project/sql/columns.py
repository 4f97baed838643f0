"""Resolves the column names in a query to their sources."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from goldsmith.project.sql.functions import BARE
from goldsmith.project.sql.outputs import Output, Outputs, Schemas, lowered, qualifies
from goldsmith.project.sql.scope import Select, Source, own


@dataclass(frozen=True, eq=False)
class Bound:
    """A name that refers to a column of a source. first, last: the offsets of its characters, struct fields excluded."""

    source: Source
    column: str
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Alias:
    """A name that refers to an earlier expression of the same SELECT (a lateral column alias)."""

    output: Output
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Unknown:
    """A name that no source has. among: the known names. ambiguous: the sources that all have it."""

    name: str
    among: tuple[str, ...] = ()
    ambiguous: tuple[Source, ...] = ()
    qualifier: Source | None = None


Meaning = Bound | Alias | Unknown | None
"""How a name is resolved; None if unresolved: callers must not report an error then."""

_OWN_ALIASES = {"group", "having", "order"}
_SURE = {"select", "where", "on", "group", "having", "order", "lateral", "window"}


class Columns(Outputs):
    """Resolves and caches the column names of one statement."""

    def __init__(self, schemas: Schemas) -> None:
        super().__init__(schemas)
        self._meanings: dict[int, dict[int, Meaning]] = {}

    def meaning(self, select: Select, node: exp.Column) -> Meaning:
        """Resolves one column node in a part of a SELECT."""
        return self.meanings(select).get(id(node))

    def meanings(self, select: Select) -> dict[int, Meaning]:
        """Resolves every column node in the parts of a SELECT; keys are ids of nodes."""
        key = id(select)
        if key not in self._meanings:
            found: dict[int, Meaning] = {}
            self._meanings[key] = found
            earlier: list[Output] = []
            for clause, root in select.parts:
                for node in own(root):
                    if isinstance(node, exp.Star):
                        found.update(self._unknown_excepted(select, node))
                    elif isinstance(node, exp.Column) and not _of_star(node):
                        found[id(node)] = self._resolve(select, node, clause, root, earlier)
                if clause == "select":
                    earlier.extend(self.item(select, root) or ())
        return self._meanings[key]

    def _unknown_excepted(self, select: Select, star: exp.Star) -> dict[int, Meaning]:
        """The names in a star's EXCEPT that the star does not have."""
        qualified = star.parent if isinstance(star.parent, exp.Column) else None
        columns = self.starred(select, star, qualified)
        if columns is None:
            return {}
        among = tuple(output.name for output in columns if output.name)
        known = {name.lower() for name in among}
        names = [node for node in star.args.get("except_") or () if isinstance(node, exp.Column)]
        return {
            id(node): Unknown(node.name.lower(), among) for node in names if lowered(node)[0] not in known
        }

    def _resolve(
        self, select: Select, node: exp.Column, clause: str, root: exp.Expr, earlier: list[Output]
    ) -> Meaning:
        parts = lowered(node)
        own_aliases = clause in _OWN_ALIASES and len(parts) == 1
        pool = self.listed(select) if own_aliases else earlier if clause == "select" else []
        named = [output for output in pool if (output.name or "").lower() == parts[0]]
        if named and clause == "order":
            return _alias(node, named)
        found = self._lookup(select, node, clause, root)
        if isinstance(found, Bound):
            guessed = self.names(found.source) is None
            return None if guessed and any(not _is_column(each, parts[0]) for each in named) else found
        if found is None or clause not in _SURE or (clause == "on" and select.grouped):
            return None
        if named:
            return _alias(node, named) if clause != "select" or not found.ambiguous else found
        return found if found.ambiguous else self._outside(select, node, root, found)

    def _outside(self, select: Select, node: exp.Column, root: exp.Expr, inside: Unknown) -> Meaning:
        """Resolves a name that the SELECT lacks in the SELECTs around it."""
        parts = lowered(node)
        outer = select.outer
        while outer is not None:
            above = self._lookup(outer, node, "lateral", root)
            if not isinstance(above, Unknown) or above.ambiguous:
                return above if isinstance(above, Bound) else None
            if any((output.name or "").lower() == parts[0] for output in self.listed(outer)):
                return None
            if above.qualifier is not None and inside.qualifier is None:
                inside = above
            outer = outer.outer
        return None if len(parts) == 1 and parts[0] in BARE else inside

    def _lookup(
        self, select: Select, node: exp.Column, clause: str, root: exp.Expr
    ) -> Bound | Unknown | None:
        """Resolves a name in the sources of one SELECT."""
        parts = lowered(node)
        sources = _visible(select, clause, root)
        for length in (2, 1):
            owners = [
                source for source in sources if len(parts) > length and qualifies(source, parts[:length])
            ]
            if not owners:
                continue
            having = [source for source in owners if self._has(source, parts[length]) is not False]
            if len(having) == 1:
                return _bound(node, having[0], length)
            if having:
                return None
            field_of = self._by_name(select, sources, node, parts[0])
            if not isinstance(field_of, Unknown):
                return field_of
            names = self.names(owners[0]) or ()
            return Unknown(parts[length], tuple(name for name in names if name), qualifier=owners[0])
        return self._by_name(select, sources, node, parts[0])

    def _by_name(
        self, select: Select, sources: list[Source], node: exp.Column, name: str
    ) -> Bound | Unknown | None:
        having = [source for source in sources if self._has(source, name)]
        unknown = [source for source in sources if self._has(source, name) is None]
        merged = [source for source in having if name in (self.shared(select, source) or ())]
        natural = any(self.shared(select, source) is None for source in select.sources)
        if len(having) == 1 and not merged:
            return _bound(node, having[0], 0)
        if merged or natural:
            return self._joined_by_name(node, having, merged, unsure=bool(unknown) or natural)
        if having:
            return Unknown(name, ambiguous=tuple(having))
        if unknown:
            sole = len(sources) == 1 and select.outer is None
            return _bound(node, unknown[0], 0) if sole else None
        among = dict.fromkeys(name for source in sources for name in self.names(source) or () if name)
        return Unknown(name, tuple(among))

    def _joined_by_name(
        self, node: exp.Column, having: list[Source], merged: list[Source], *, unsure: bool
    ) -> Bound | None:
        """The source that gives a column joined by name; None for FULL JOIN and if unresolved."""
        rest = [source for source in having if source not in merged]
        sides = {source.join.side.upper() for source in merged if source.join}
        if unsure or len(rest) > 1 or sides - {"", "LEFT"}:
            return None
        return _bound(node, rest[0] if rest else having[0], 0)

    def _has(self, source: Source, name: str) -> bool | None:
        names = self.names(source)
        if names is None:
            return None
        if any(known is not None and known.lower() == name for known in names):
            return True
        return None if None in names else False


def _of_star(node: exp.Column) -> bool:
    """Whether a node is `table.*` or a name in EXCEPT."""
    return isinstance(node.this, exp.Star) or isinstance(node.parent, exp.Star)


def _visible(select: Select, clause: str, root: exp.Expr) -> list[Source]:
    """The sources that are visible in a clause."""
    if clause == "lateral" or (clause == "on" and select.grouped):
        return select.sources
    if clause == "on":
        last = max(
            (i for i, s in enumerate(select.sources) if s.join and s.join.args.get("on") is root),
            default=None,
        )
        known = select.sources if last is None else select.sources[: last + 1]
        return [s for s in known if not s.hidden or (s.join and s.join.args.get("on") is root)]
    return [source for source in select.sources if not source.hidden]


def _is_column(output: Output, name: str) -> bool:
    return isinstance(output.expression, exp.Column) and output.expression.name.lower() == name


def _span(node: exp.Column, count: int) -> tuple[int, int]:
    parts = node.parts
    return int(parts[0].meta.get("start", -1)), int(parts[count - 1].meta.get("end", -1))


def _bound(node: exp.Column, source: Source, qualifier: int) -> Bound:
    return Bound(source, node.parts[qualifier].name, *_span(node, qualifier + 1))


def _alias(node: exp.Column, outputs: list[Output]) -> Alias | None:
    return Alias(outputs[0], *_span(node, 1)) if len(outputs) == 1 else None
