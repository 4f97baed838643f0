"""SQL from a grammar: queries of every shape over tables with known columns and types."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from differential.values import KINDS, kind_of, plain_text

Columns = list[tuple[str, str]]
"""Names and types."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_WORDS = frozenset({"select", "from", "order", "group"})
ODD_NAMES = ("Id", "naïve", "a`b", "Größe", "select", "x-y", "ß", "1st")


@dataclass(frozen=True)
class Relation:
    """A table that can be read: its full name and columns."""

    name: str
    columns: Columns


@dataclass
class Made:
    """A query: its text, output columns, upstreams, and possible drivers.

    by: output columns of every group, window and self-join.
    """

    sql: str
    columns: Columns
    reads: list[str]
    drivers: list[str]
    by: list[str] = field(default_factory=list)


def quoted(name: str) -> str:
    """A column's name in SQL."""
    if _PLAIN.fullmatch(name) and name.lower() not in _WORDS:
        return name
    return "`" + name.replace("`", "``") + "`"


def literal(kind: str, random: Random) -> str:
    """A value of a scalar type in SQL."""
    value = random.choice(KINDS[kind].ordinary or KINDS[kind].extreme)
    if KINDS[kind].text:
        return f"'{value}'"
    if kind == "binary":
        return f"X'{value.hex()}'"
    if kind == "boolean":
        return str(value).lower()
    return f"CAST('{plain_text(kind, value)}' AS {kind})"


class Grammar:
    """Draws queries over relations, mostly independent of the order of rows."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._made = 0

    # Expressions: pairs of SQL and type.

    def column(self, scope: Columns, want: Callable[[str], bool] = lambda _: True) -> tuple[str, str] | None:
        fit = [(name, kind) for name, kind in scope if want(kind)]
        return self.random.choice(fit) if fit else None

    def expression(self, scope: Columns) -> tuple[str, str]:
        """Mostly a column, sometimes an expression over one."""
        name, kind = self.random.choice(scope)
        if self.random.random() < 0.6:
            return name, kind
        return self.random.choice(self._computed(name, kind))

    def _computed(self, name: str, kind: str) -> list[tuple[str, str]]:
        random = self.random
        found = [(f"{name} IS NULL", "boolean"), (f"CASE WHEN {name} IS NOT NULL THEN 1 ELSE 0 END", "int")]
        type_ = kind_of(kind)
        if not type_.nested and type_.ordinary:
            found.append((f"coalesce({name}, {literal(kind, random)})", kind))
            if kind != "binary":
                found.append((f"CAST({name} AS string)", "string"))
            found.append((f"nullif({name}, {literal(kind, random)})", kind))
        if type_.whole:
            found += [
                (f"try_add({name}, CAST(1 AS {kind}))", kind),
                (f"try_mod({name}, CAST(2 AS {kind}))", kind),
            ]
            found.append((f"CAST({name} AS bigint)", "bigint"))
        if type_.text:
            found += [
                (f"upper({name})", "string"),
                (f"concat({name}, '!')", "string"),
                (f"length({name})", "int"),
            ]
            found += [(f"try_cast({name} AS int)", "int"), (f"trim({name})", "string")]
        if kind == "date":
            found.append((f"year({name})", "int"))
        if kind.startswith("timestamp"):
            found += [(f"CAST({name} AS date)", "date"), (f"date_trunc('DAY', {name})", "")]
        if kind in ("float", "double"):
            found.append((f"isnan({name})", "boolean"))
        if kind.startswith("array"):
            found += [(f"size({name})", "int"), (f"get({name}, 0)", kind[6:-1])]
        if kind.startswith("struct<a:int"):
            found += [(f"{name}.a", "int"), (f"{name}.b", "string")]
        if kind == "map<string,int>":
            found.append((f"try_element_at({name}, 'a')", "int"))
        if kind == "variant":
            found.append((f"CAST({name} AS string)", "string"))
        return found

    def condition(self, scope: Columns) -> str:
        """A condition on one row."""
        random = self.random
        name, kind = random.choice(scope)
        type_ = kind_of(kind)
        found = [f"{name} IS NOT NULL", f"{name} IS NULL OR {name} IS NOT NULL"]
        if not type_.nested and type_.ordinary:
            value = literal(kind, random)
            found += [f"{name} <> {value}", f"{name} >= {value}", f"NOT ({name} <=> {value})"] * 2
            found.append(f"{name} IN ({value}, {literal(kind, random)})")
        if type_.text:
            found += [f"{name} LIKE '%a%'", f"length({name}) < 3"]
        drawn = random.choice(found)
        return f"({drawn} OR {self.condition(scope)})" if random.random() < 0.15 else drawn

    def aggregate(self, scope: Columns) -> tuple[str, str]:
        """An aggregate independent of the order of rows: no sums of floating-point numbers."""
        name, kind = self.random.choice(scope)
        type_ = kind_of(kind)
        found = [("count(*)", "bigint"), (f"count({name})", "bigint")]
        if type_.groupable:
            found += [(f"count(DISTINCT {name})", "bigint")]
        if type_.ordinary and type_.groupable and not type_.floating:
            found += [(f"min({name})", kind), (f"max({name})", kind)] * 2
            found.append((f"array_sort(collect_set({name}))", f"array<{kind}>"))
        if type_.whole:
            found += [(f"try_sum({name})", "bigint"), (f"bit_xor({name})", kind)] * 2
        if kind == "decimal(9,2)":
            found += [(f"sum({name})", "decimal(19,2)"), (f"try_avg({name})", "decimal(13,6)")]
        if kind == "boolean":
            found += [(f"bool_or({name})", "boolean"), (f"count_if({name})", "bigint")]
        if self.random.random() < 0.03:
            # `check` must refuse these, or note that ties may differ.
            found = [(f"{word}({name})", kind) for word in ("first", "any_value")]
            found += [(f"collect_list({name})", f"array<{kind}>"), (f"max_by({name}, {scope[0][0]})", kind)]
        return self.random.choice(found)

    def window(self, scope: Columns, by: Sequence[str]) -> tuple[str, str] | None:
        """A window function partitioned by `by`, with equal values for ties."""
        random = self.random
        ordered = self.column(scope, lambda kind: kind_of(kind).groupable)
        if ordered is None:
            return None
        part = f"PARTITION BY {', '.join(by)} " if by else ""
        name, kind = self.aggregate(scope)
        over = f"OVER ({part}ORDER BY {ordered[0]}{random.choice(['', ' DESC', ' NULLS LAST'])})"
        found = [(f"rank() {over}", "int"), (f"dense_rank() {over}", "int")]
        if random.random() < 0.1 and all(kind_of(of).groupable for _, of in scope):
            # A total order. Without its last part, `check` must report it.
            end = ", struct(*)" if random.random() < 0.7 else ""
            return f"row_number() OVER ({part}ORDER BY {ordered[0]}{end})", "int"
        if "DISTINCT" not in name:
            found.append((f"{name} OVER ({part.strip()})", kind))
            found.append((f"{name} {over}", kind))
        return random.choice(found)

    # Queries.

    def alias(self) -> str:
        self._made += 1
        return f"t{self._made}"

    def scope(self, relation: Relation, alias: str | None) -> Columns:
        front = f"{alias}." if alias else ""
        return [(front + quoted(name), kind) for name, kind in relation.columns]

    def _unused(self, taken: set[str]) -> str:
        while True:
            self._made += 1
            if f"c{self._made}" not in taken:
                return f"c{self._made}"

    def named(self, items: Sequence[tuple[str, str]], keep: Columns) -> tuple[list[str], Columns]:
        """Select items with names, mostly those of columns. keep: the first columns, with their own names."""
        listed, columns, taken = [], [], set()
        for sql, kind in [*keep, *items]:
            own = re.fullmatch(r"(?:\w+\.)?(`(?:[^`]|``)+`|\w+)", sql)
            name = own.group(1) if own else ""
            name = name[1:-1].replace("``", "`") if name.startswith("`") else name
            # Other tables cannot have columns with the names of system columns.
            if not name or name.lower() in taken or name.startswith("_") or self.random.random() < 0.1:
                name = self._unused(taken)
                if self.random.random() < 0.06:
                    name = self.random.choice(
                        [odd for odd in ODD_NAMES if odd.lower() not in taken] or [name]
                    )
            taken.add(name.lower())
            listed.append(
                sql if own and sql.rsplit(".", 1)[-1] == quoted(name) else f"{sql} AS {quoted(name)}"
            )
            columns.append((name, kind))
        return listed, columns

    def items(self, scope: Columns, least: int = 1, most: int = 4) -> list[tuple[str, str]]:
        return [self.expression(scope) for _ in range(self.random.randint(least, most))]

    def linear(self, driver: Relation, others: Sequence[Relation]) -> Made:
        """A query that computes each row from one row of the driver."""
        random, alias = self.random, self.alias()
        scope, reads = self.scope(driver, alias), [driver.name]
        base = f"{driver.name} AS {alias}"
        if random.random() < 0.15:
            base = (
                f"(SELECT * FROM {driver.name} WHERE {self.condition(self.scope(driver, None))}) AS {alias}"
            )
        drawn = random.random()
        extra: Columns = []
        if others and drawn < 0.45:
            other = random.choice(others)
            joined, right = self._join(scope, other)
            if joined:
                base, extra = base + joined, right
                reads.append(other.name)
        elif drawn < 0.6:
            base, extra = self._exploded(base, scope)
        chosen = random.sample(scope, max(1, round(len(scope) * random.choice([0.6, 1, 1]))))
        listed, columns = self.named(self.items(scope + extra, 0, 2), chosen)
        sql = f"SELECT {', '.join(listed)} FROM {base}"
        conditions = [self.condition(scope + extra)] if random.random() < 0.4 else []
        if others and random.random() < 0.15:
            other = random.choice(others)
            if found := self._subquery(scope, other):
                conditions.append(found)
                reads.append(other.name)
        if conditions:
            sql += f" WHERE {' AND '.join(f'({condition})' for condition in conditions)}"
        sql = self._wrapped(sql, columns)
        if random.random() < 0.1:
            first = ", ".join(quoted(name) for name, _ in columns)
            sql = f"WITH u AS ({sql}) SELECT {first} FROM u UNION ALL SELECT {first} FROM u"
        return Made(sql, columns, list(dict.fromkeys(reads)), [driver.name])

    def _wrapped(self, sql: str, columns: Columns) -> str:
        drawn = self.random.random()
        if drawn < 0.12:
            return f"WITH w AS ({sql}) SELECT * FROM w"
        if drawn < 0.2:
            return f"SELECT {', '.join(quoted(name) for name, _ in columns)} FROM ({sql}) AS w"
        return sql

    def _pair(self, scope: Columns, other: Columns) -> tuple[str, str] | None:
        """Two columns that can be compared."""
        pairs = [
            (left, right)
            for left, kind in scope
            for right, other_kind in other
            if kind == other_kind and kind_of(kind).groupable
        ]
        return self.random.choice(pairs) if pairs else None

    def _join(self, scope: Columns, other: Relation) -> tuple[str, Columns]:
        alias = self.alias()
        right = self.scope(other, alias)
        pair = self._pair(scope, right)
        if pair is None:
            return "", []
        kind = self.random.choice(["JOIN", "LEFT JOIN", "LEFT JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"])
        equal = self.random.choice(["=", "=", "<=>"])
        join = f" {kind} {other.name} AS {alias} ON {pair[0]} {equal} {pair[1]}"
        return join, [] if "SEMI" in kind or "ANTI" in kind else right

    def _exploded(self, base: str, scope: Columns) -> tuple[str, Columns]:
        array = self.column(scope, lambda kind: kind.startswith("array"))
        source, kind = (array[0], array[1][6:-1]) if array else ("array(1, 2)", "int")
        if self.random.random() < 0.5:
            return f"{base} LATERAL VIEW {self.random.choice(['', 'OUTER '])}explode({source}) x AS e", [
                ("e", kind)
            ]
        return f"{base}, LATERAL explode({source}) AS x(e)", [("e", kind)]

    def _subquery(self, scope: Columns, other: Relation) -> str:
        alias = self.alias()
        pair = self._pair(scope, self.scope(other, alias))
        if pair is None:
            return ""
        drawn = self.random.random()
        if drawn < 0.4:
            return f"{pair[0]} IN (SELECT {pair[1]} FROM {other.name} AS {alias})"
        no = "NOT " if drawn < 0.7 else ""
        return f"{no}EXISTS (SELECT 1 FROM {other.name} AS {alias} WHERE {pair[1]} = {pair[0]})"

    def united(self, first: Relation, second: Relation, others: Sequence[Relation]) -> Made | None:
        """Rows of two drivers by UNION ALL."""
        kinds = [kind for _, kind in second.columns]
        shared = [(name, kind) for name, kind in first.columns if kind in kinds]
        if not shared:
            return None
        columns, right = [], []
        for name, kind in shared[:5]:
            columns.append((name, kind))
            right.append(self.random.choice([other for other, of in second.columns if of == kind]))
        left = ", ".join(quoted(name) for name, _ in columns)
        sql = f"SELECT {left} FROM {first.name}"
        if self.random.random() < 0.3:
            sql += f" WHERE {self.condition(self.scope(first, None))}"
        sql += f" UNION ALL SELECT {', '.join(quoted(name) for name in right)} FROM {second.name}"
        return Made(sql, columns, [first.name, second.name], [first.name, second.name])

    def by_items(self, scope: Columns) -> list[tuple[str, str]]:
        """One or two columns to group by, sometimes computed."""
        fit = [(name, kind) for name, kind in scope if kind_of(kind).groupable and kind]
        if not fit:
            return [("1", "int")]
        chosen = self.random.sample(fit, min(len(fit), self.random.choice([1, 1, 1, 2])))
        found = []
        for name, kind in chosen:
            if self.random.random() < 0.2:
                computed = [
                    (sql, of) for sql, of in self._computed(name, kind) if of and kind_of(of).groupable
                ]
                found.append(self.random.choice(computed))
            else:
                found.append((name, kind))
        return found

    def recomputable(self, driver: Relation, others: Sequence[Relation]) -> Made:
        """Groups, windows and self-joins that include the columns of `by`."""
        shapes = [
            self._grouped,
            self._grouped,
            self._windowed,
            self._distinct,
            self._self_joined,
            self._joined_back,
        ]
        shapes += [self._set_operation, self._correlated, self._best, self._bare]
        return self.random.choice(shapes)(driver, others)

    def _from(self, driver: Relation, others: Sequence[Relation]) -> tuple[str, Columns, list[str]]:
        alias = self.alias()
        scope, base, reads = self.scope(driver, alias), f"{driver.name} AS {alias}", [driver.name]
        if others and self.random.random() < 0.25:
            other = self.random.choice(others)
            joined, right = self._join(scope, other)
            if joined:
                return base + joined, scope + right, [*reads, other.name]
        return base, scope, reads

    def _where(self, scope: Columns) -> str:
        return f" WHERE {self.condition(scope)}" if self.random.random() < 0.3 else ""

    def _grouped(self, driver: Relation, others: Sequence[Relation]) -> Made:
        base, scope, reads = self._from(driver, others)
        own = scope[: len(driver.columns)]
        by = self.by_items(own)
        listed, columns = self.named([self.aggregate(scope) for _ in range(self.random.randint(1, 3))], by)
        groups = ", ".join(sql for sql, _ in by)
        sql = f"SELECT {', '.join(listed)} FROM {base}{self._where(scope)} GROUP BY {groups}"
        if self.random.random() < 0.15:
            sql += " HAVING count(*) > 1"
        return Made(
            self._wrapped(sql, columns),
            columns,
            reads,
            [driver.name],
            [name for name, _ in columns[: len(by)]],
        )

    def _windowed(self, driver: Relation, others: Sequence[Relation]) -> Made:
        base, scope, reads = self._from(driver, others)
        by = self.by_items(scope[: len(driver.columns)])
        windows = [self.window(scope, [sql for sql, _ in by]) for _ in range(self.random.randint(1, 2))]
        items = [*self.items(scope, 0, 2), *[item for item in windows if item]]
        listed, columns = self.named(items, by)
        sql = f"SELECT {', '.join(listed)} FROM {base}{self._where(scope)}"
        return Made(sql, columns, reads, [driver.name], [name for name, _ in columns[: len(by)]])

    def _best(self, driver: Relation, others: Sequence[Relation]) -> Made:
        """The first rows of each group, as by QUALIFY."""
        alias = self.alias()
        scope = self.scope(driver, None)
        by = self.by_items(scope)
        order = self.column(scope, lambda kind: kind_of(kind).groupable) or ("1", "int")
        listed, columns = self.named(self.items(scope, 1, 3), by)
        part = ", ".join(sql for sql, _ in by)
        ranked = f"rank() OVER (PARTITION BY {part} ORDER BY {order[0]} DESC) AS place"
        inner = f"SELECT {', '.join(listed)}, {ranked} FROM {driver.name}"
        outer = ", ".join(quoted(name) for name, _ in columns)
        sql = f"SELECT {outer} FROM ({inner}) AS {alias} WHERE place = 1"
        return Made(sql, columns, [driver.name], [driver.name], [name for name, _ in columns[: len(by)]])

    def _distinct(self, driver: Relation, others: Sequence[Relation]) -> Made:
        base, scope, reads = self._from(driver, others)
        scope = [(name, kind) for name, kind in scope if kind_of(kind).groupable and kind] or [("1", "int")]
        by = self.by_items(scope[: len(driver.columns)])
        more = [(name, kind) for name, kind in self.items(scope, 0, 2) if kind_of(kind).groupable]
        listed, columns = self.named(more, by)
        sql = f"SELECT DISTINCT {', '.join(listed)} FROM {base}{self._where(scope)}"
        return Made(sql, columns, reads, [driver.name], [name for name, _ in columns[: len(by)]])

    def _self_joined(self, driver: Relation, others: Sequence[Relation]) -> Made:
        left, right = self.alias(), self.alias()
        fit = [(name, kind) for name, kind in driver.columns if kind_of(kind).groupable]
        if not fit:
            return self._grouped(driver, others)
        name, kind = self.random.choice(fit)
        join = self.random.choice(["JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN"])
        equal = self.random.choice(["=", "<=>"])
        side = right if join == "RIGHT JOIN" else left
        scope = self.scope(driver, left) + self.scope(driver, right)
        listed, columns = self.named(self.items(scope, 1, 2), [(f"{side}.{quoted(name)}", kind)])
        on = f"{left}.{quoted(name)} {equal} {right}.{quoted(name)}"
        sql = (
            f"SELECT {', '.join(listed)} FROM {driver.name} AS {left} {join} {driver.name} AS {right} ON {on}"
        )
        return Made(sql, columns, [driver.name], [driver.name], [columns[0][0]])

    def _joined_back(self, driver: Relation, others: Sequence[Relation]) -> Made:
        """Rows beside an aggregate of their group, by a CTE."""
        fit = [(name, kind) for name, kind in driver.columns if kind_of(kind).groupable]
        if not fit:
            return self._grouped(driver, others)
        name, kind = self.random.choice(fit)
        total, of = self.aggregate(self.scope(driver, None))
        alias = self.alias()
        scope = self.scope(driver, alias)
        listed, columns = self.named(
            [*self.items(scope, 0, 2), ("g.total", of)], [(f"{alias}.{quoted(name)}", kind)]
        )
        join = self.random.choice(["JOIN", "LEFT JOIN"])
        sql = (
            f"WITH g AS (SELECT {quoted(name)} AS at, {total} AS total FROM {driver.name} GROUP BY {quoted(name)}) "
            f"SELECT {', '.join(listed)} FROM {driver.name} AS {alias} {join} g "
            f"ON g.at {self.random.choice(['=', '<=>'])} {alias}.{quoted(name)}"
        )
        return Made(sql, columns, [driver.name], [driver.name], [columns[0][0]])

    def _set_operation(self, driver: Relation, others: Sequence[Relation]) -> Made:
        fit = [(quoted(name), kind) for name, kind in driver.columns if kind_of(kind).groupable]
        if not fit:
            return self._grouped(driver, others)
        chosen = self.random.sample(fit, min(len(fit), self.random.randint(1, 3)))
        listed, columns = self.named([], chosen)
        arms = [driver.name, driver.name]
        reads = [driver.name]
        if others and self.random.random() < 0.3:
            other = self.random.choice(others)
            if all(pair in other.columns for pair in columns) and [sql for sql, _ in chosen] == listed:
                arms[1] = other.name
                reads.append(other.name)
        word = self.random.choice(
            ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]
        )
        scope = self.scope(driver, None)
        first = f"SELECT {', '.join(listed)} FROM {arms[0]}{self._where(scope)}"
        second = f"SELECT {', '.join(listed)} FROM {arms[1]} WHERE {self.condition(chosen)}"
        by = [name for name, _ in columns[:1]]
        return Made(f"{first} {word} {second}", columns, reads, [driver.name], by)

    def _correlated(self, driver: Relation, others: Sequence[Relation]) -> Made:
        fit = [(name, kind) for name, kind in driver.columns if kind_of(kind).groupable]
        if not fit:
            return self._grouped(driver, others)
        name, kind = self.random.choice(fit)
        out, inside = self.alias(), self.alias()
        scope = self.scope(driver, out)
        listed, columns = self.named(self.items(scope, 0, 2), [(f"{out}.{quoted(name)}", kind)])
        equal = f"{inside}.{quoted(name)} = {out}.{quoted(name)}"
        drawn = self.random.random()
        other, other_kind = self.random.choice(fit)
        if drawn < 0.4 and not kind_of(other_kind).floating:
            aggregate = self.random.choice(["min", "max"])
            lot = f"SELECT {aggregate}({inside}.{quoted(other)}) FROM {driver.name} AS {inside} WHERE {equal}"
            condition = f"{out}.{quoted(other)} = ({lot})"
        elif drawn < 0.7:
            lot = f"SELECT 1 FROM {driver.name} AS {inside} WHERE {equal} AND {self.condition(self.scope(driver, inside))}"
            condition = f"{self.random.choice(['', 'NOT '])}EXISTS ({lot})"
        else:
            condition = f"(SELECT count(*) FROM {driver.name} AS {inside} WHERE {equal}) > 1"
        sql = f"SELECT {', '.join(listed)} FROM {driver.name} AS {out} WHERE {condition}"
        return Made(sql, columns, [driver.name], [driver.name], [columns[0][0]])

    def _bare(self, driver: Relation, others: Sequence[Relation]) -> Made:
        made = self.linear(driver, others)
        made.by = [name for name, kind in made.columns if kind and kind_of(kind).groupable][:1]
        return made

    def any(self, driver: Relation, others: Sequence[Relation]) -> Made:
        """Any query, including those that only a full load can compute."""
        drawn = self.random.random()
        if drawn < 0.6:
            return self.recomputable(driver, others)
        base, scope, reads = self._from(driver, others)
        by = self.by_items(scope)
        aggregates = [self.aggregate(scope) for _ in range(self.random.randint(1, 3))]
        if drawn < 0.75:
            listed, columns = self.named(aggregates, [])
            return Made(
                f"SELECT {', '.join(listed)} FROM {base}{self._where(scope)}", columns, reads, [driver.name]
            )
        if drawn < 0.85:
            listed, columns = self.named(aggregates, by)
            word = self.random.choice(["ROLLUP", "CUBE"])
            groups = f"{word}({', '.join(sql for sql, _ in by)})"
            sql = f"SELECT {', '.join(listed)} FROM {base} GROUP BY {groups}"
            return Made(sql, columns, reads, [driver.name], [columns[0][0]])
        if others and drawn < 0.95:
            other = self.random.choice(others)
            alias = self.alias()
            left, right = self.scope(driver, "d"), self.scope(other, alias)
            pair = self._pair(left, right)
            if pair:
                listed, columns = self.named(self.items(left + right, 1, 3), self.by_items(left))
                join = self.random.choice(["FULL JOIN", "RIGHT JOIN", "CROSS JOIN"])
                on = "" if join == "CROSS JOIN" else f" ON {pair[0]} = {pair[1]}"
                sql = f"SELECT {', '.join(listed)} FROM {driver.name} AS d {join} {other.name} AS {alias}{on}"
                return Made(sql, columns, [driver.name, other.name], [driver.name], [columns[0][0]])
        if drawn > 0.98:
            listed, columns = self.named([], by)
            sql = f"SELECT {', '.join(listed)} FROM {base} ORDER BY ALL LIMIT 2"
            return Made(sql, columns, reads, [driver.name])
        window = self.window(scope, [])
        listed, columns = self.named([window] if window else [], by)
        return Made(f"SELECT {', '.join(listed)} FROM {base}", columns, reads, [driver.name], [columns[0][0]])
