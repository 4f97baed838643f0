"""Finds the unique column sets of relations, from keys of tables, GROUP BY, DISTINCT and row numbers.

An atom is a column within a SELECT: its source and its name. Functional dependencies relate atoms: the key of a
source determines its row, and columns that a join equates determine each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice, product

from sqlglot import exp

from goldsmith.project.sql.calls import called, is_generator, is_grouped
from goldsmith.project.sql.columns import Alias, Bound, Columns
from goldsmith.project.sql.outputs import Output
from goldsmith.project.sql.scope import (
    Base,
    Relation,
    Select,
    SetOperation,
    Source,
    equations,
    own,
)
from goldsmith.project.sql.text import Parsed
from goldsmith.project.sql.trace import regrouped

Keys = Mapping[str, Collection[frozenset[str]]]
"""Tables to their unique sets of columns, in lower case."""

Atom = tuple[int, str]
Atoms = frozenset[Atom]

_EXPRESSION = 0
"""The source of atoms that are expressions, not columns: keys of GROUP BY."""
_NOT_OF_A_ROW = (exp.AggFunc, exp.Window, exp.Query, exp.UDTF)
_HASHES = {"xxhash64", "md5", "sha", "sha1", "sha2"}
_MOST = 8
"""The greatest number of combinations of keys of joined sources that are tried."""


class Unique:
    """Finds the unique column sets of one statement's relations."""

    def __init__(self, parsed: Parsed, columns: Columns, keys: Keys) -> None:
        self._parsed = parsed
        self.columns = columns
        self._keys = keys
        self._sets: dict[int, frozenset[frozenset[str]]] = {}

    def sets(self, relation: Relation) -> frozenset[frozenset[str]]:
        """The unique sets of columns of a relation, in lower case; an empty set if it has at most one row."""
        key = id(relation)
        if key not in self._sets:
            self._sets[key] = frozenset()
            self._sets[key] = frozenset(self._find(relation))
        return self._sets[key]

    def total(self, select: Select, atoms: Atoms) -> bool:
        """Whether these atoms are unique among the rows of a SELECT, before DISTINCT."""
        known = self.closure(select, atoms)
        if is_grouped(self._parsed, select):
            keys = self.group(select)
            return keys is not None and keys <= known
        return all((id(source), "") in known for source in select.sources if not source.hidden)

    def closure(self, select: Select, atoms: Atoms) -> Atoms:
        """The atoms and all atoms that they determine."""
        known = set(atoms) | self._constants(select)
        rules = list(self._rules(select))
        grown = True
        while grown:
            grown = False
            for given, found in rules:
                if given <= known and not found <= known:
                    known |= found
                    grown = True
        return frozenset(known)

    def determined(self, select: Select, root: exp.Expr, known: Atoms) -> bool:
        """Whether these atoms determine the value of an expression."""
        if _expression_atom(root) in known:
            return True
        for node in own(root):
            if isinstance(node, _NOT_OF_A_ROW):
                return False
            if isinstance(node, exp.Star):
                found: Atoms | None = self._starred(select)
            elif isinstance(node, exp.Column):
                found = self._atoms_of(select, node, whole=False)
            else:
                continue
            if found is None or not found <= known:
                return False
        return True

    def covered(self, select: Select, root: exp.Expr) -> Atoms:
        """The atoms that the value of an expression determines."""
        root = (root.this if isinstance(root, exp.Ordered) else root).unnest()
        if isinstance(root, exp.Column):
            return self._atoms_of(select, root) or frozenset()
        if isinstance(root, exp.Star):
            return self._starred(select)
        name = called(self._parsed, root)
        if isinstance(root, exp.Struct | exp.Tuple) or name in _HASHES or name in ("struct", "named_struct"):
            parts = [part.this if isinstance(part, exp.Alias) else part for part in root.iter_expressions()]
            parts = [part.expression if isinstance(part, exp.PropertyEQ) else part for part in parts]
            return frozenset().union(*(self.covered(select, part) for part in parts))
        return frozenset({_expression_atom(root)})

    def group(self, select: Select) -> Atoms | None:
        """The atoms of the GROUP BY keys; empty without GROUP BY, None if they are unknown."""
        group = select.node.args.get("group")
        if group is None:
            return frozenset()
        if regrouped(select) is not None or any(
            group.args.get(key) for key in ("rollup", "cube", "grouping_sets", "totals")
        ):
            return None
        items = select.node.expressions
        keys = list(group.expressions)
        if group.args.get("all"):
            keys = [item for item in items if not any(isinstance(n, exp.AggFunc) for n in own(item))]
        found: set[Atom] = set()
        for key in keys:
            at = int(key.name) - 1 if isinstance(key, exp.Literal) and key.name.isdigit() else None
            item = items[at].unalias() if at is not None and at < len(items) else key.unalias()
            if isinstance(item, exp.Star):
                return None
            found |= self._key(select, item)
        return frozenset(found)

    def output(self, select: Select, output: Output) -> Atoms:
        """The atom of an output of a SELECT; empty if the output is a longer expression."""
        if output.source is not None:
            return frozenset({(id(output.source), output.column.lower())})
        return self._key(select, output.expression) if output.expression is not None else frozenset()

    def _key(self, select: Select, root: exp.Expr) -> Atoms:
        root = root.unnest()
        if isinstance(root, exp.Column):
            meaning = self.columns.meaning(select, root)
            if isinstance(meaning, Alias):
                return self.output(select, meaning.output)
            return self._atoms_of(select, root) or frozenset({_expression_atom(root)})
        return frozenset({_expression_atom(root)})

    def _atoms_of(self, select: Select, node: exp.Column, *, whole: bool = True) -> Atoms | None:
        """The atom of a name. whole: None for a struct field."""
        meaning = self.columns.meaning(select, node)
        if isinstance(meaning, Bound):
            exact = node.parts[-1].meta.get("end") == meaning.last
            return frozenset({(id(meaning.source), meaning.column.lower())}) if exact or not whole else None
        return self.output(select, meaning.output) if isinstance(meaning, Alias) else None

    def _starred(self, select: Select) -> Atoms:
        found: set[Atom] = set()
        for source in select.sources:
            names = self.columns.names(source)
            if names is None:
                # `*` selects all columns, known or not.
                found.add((id(source), ""))
            else:
                found |= {(id(source), (name or "").lower()) for name in names} | {(id(source), "")}
        return frozenset(found)

    def _constants(self, select: Select) -> set[Atom]:
        """Atoms that a condition equates with a constant or with a column of an outer SELECT."""
        where = select.node.args.get("where")
        found: set[Atom] = set()
        for one, other in equations(where.this if where is not None else None):
            atoms = self._own_atoms(select, one)
            if atoms and not self._names_own(select, other):
                found |= atoms
        return found

    def _own_atoms(self, select: Select, node: exp.Expr) -> Atoms:
        found = self._named(select, node)
        mine = {id(source) for source in select.sources if source.nullable is None}
        return found if all(source in mine for source, _ in found) else frozenset()

    def _named(self, select: Select, node: exp.Expr) -> Atoms:
        """The atom of a column; empty for other expressions."""
        node = node.unnest()
        return (isinstance(node, exp.Column) and self._atoms_of(select, node)) or frozenset()

    def _names_own(self, select: Select, root: exp.Expr) -> bool:
        for node in own(root):
            if isinstance(node, _NOT_OF_A_ROW):
                return True
            if isinstance(node, exp.Column):
                meaning = self.columns.meaning(select, node)
                if not isinstance(meaning, Bound) or meaning.source in select.sources:
                    return True
        return False

    def _rules(self, select: Select) -> Iterator[tuple[Atoms, Atoms]]:
        for source in select.sources:
            row = frozenset({(id(source), "")})
            names = self.columns.names(source)
            determined = row | {(id(source), (name or "").lower()) for name in names or ()}
            yield row, determined
            if source.nullable is not None and source.nullable.side.upper() == "FULL":
                continue  # A NULL key may be a row's value or mean that there is no row.
            for unique in self._of_source(source):
                yield frozenset((id(source), name) for name in unique), determined
        where = select.node.args.get("where")
        for one, other in equations(where.this if where is not None else None):
            left, right = self._own_atoms(select, one), self._own_atoms(select, other)
            if left and right:
                yield left, right
        for source in select.sources:
            yield from self._joined(select, source)

    def _joined(self, select: Select, source: Source) -> Iterator[tuple[Atoms, Atoms]]:
        """The dependencies of a join's conditions; an outer join only determines its nullable side."""
        join = source.join
        if join is None or source.hidden or select.grouped or join.side.upper() not in ("", "LEFT"):
            return
        if any(
            other.join is not None and other.join.side.upper() in ("RIGHT", "FULL")
            for other in select.sources
        ):
            return
        pairs = list(equations(join.args.get("on")))
        for one, other in pairs:
            left, right = self._named(select, one), self._named(select, other)
            if left and right and all(owner == id(source) for owner, _ in right):
                yield left, right
                if not join.side:
                    yield right, left
        before = select.sources[: select.sources.index(source)]
        for node in join.args.get("using") or ():
            name = node.name.lower()
            for other_source in before:
                if name in {(known or "").lower() for known in self.columns.names(other_source) or ()}:
                    yield frozenset({(id(other_source), name)}), frozenset({(id(source), name)})

    def _of_source(self, source: Source) -> Iterable[frozenset[str]]:
        if source.lateral:
            return ()
        sets = self.sets(source.relation)
        if not source.renamed:
            return sets
        names = [(output.name or "").lower() for output in self.columns.outputs(source.relation) or ()]
        renamed = dict(zip(names, (name.lower() for name in source.renamed), strict=False))
        return [frozenset(renamed[name] for name in one) for one in sets if one <= renamed.keys()]

    def _find(self, relation: Relation) -> Iterator[frozenset[str]]:
        if isinstance(relation, Base):
            yield from self._keys.get(relation.table, ())
        elif isinstance(relation, SetOperation):
            outputs = self.columns.outputs(relation)
            if outputs is not None and relation.node.args.get("distinct"):
                yield frozenset((output.name or "").lower() for output in outputs)
            if not isinstance(relation.node, exp.Union):
                yield from self.sets(relation.left)
        elif isinstance(relation, Select):
            yield from self._of_select(relation)

    def _of_select(self, select: Select) -> Iterator[frozenset[str]]:
        outputs = self.columns.outputs(select)
        if outputs is None:
            return
        if select.node.args.get("distinct") is not None:
            yield frozenset((output.name or "").lower() for output in outputs)
        if any(is_generator(self._parsed, node) for node in select.part("select")):
            return
        passed: dict[Atom, str] = {}
        for output in outputs:
            for atom in self.output(select, output):
                passed.setdefault(atom, (output.name or "").lower())
        for atoms in self._of_rows(select):
            if atoms <= passed.keys():
                yield frozenset(passed[atom] for atom in atoms)
        for output in outputs:
            window = output.expression
            if isinstance(window, exp.Window) and isinstance(window.this, exp.RowNumber) and output.name:
                parts = [self.covered(select, part) for part in window.args.get("partition_by") or ()]
                atoms = frozenset().union(*parts)
                if not window.args.get("alias") and atoms <= passed.keys():
                    yield frozenset(passed[atom] for atom in atoms) | {output.name.lower()}

    def _of_rows(self, select: Select) -> Iterator[Atoms]:
        """Minimal sets of atoms that are unique among the rows of a SELECT."""
        if is_grouped(self._parsed, select):
            keys = self.group(select)
            candidates = [keys] if keys is not None else []
        else:
            choices = [
                [frozenset((id(source), name) for name in unique) for unique in self._of_source(source)]
                for source in select.sources
                if not source.hidden
            ]
            candidates = [frozenset().union(*chosen) for chosen in islice(product(*choices), _MOST)]
        for candidate in candidates:
            least = candidate
            for atom in sorted(candidate, key=lambda each: each[1]):
                if self.total(select, least - {atom}):
                    least -= {atom}
            if self.total(select, least):
                yield least


def _expression_atom(root: exp.Expr) -> Atom:
    return _EXPRESSION, repr(root)
