"""The analysis of random SQL, compared with SQLite's results on random rows."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from goldsmith.errors import DeclarationError
from goldsmith.project.sql.statement import Analysis, analyse, parse

SCHEMAS: dict[str, dict[str, str | None] | None] = {
    "bronze.d": {"id": "int", "k": "int", "v": "int"},
    "bronze.m": {"id": "int", "k": "int", "v": "int"},
    "bronze.l": {"k": "int", "w": "int"},
}
KEYS = {"bronze.d": [frozenset({"id"})], "bronze.l": [frozenset({"k"})]}
NAMES = ("id", "k", "v", "w")
SEEDS = 50
ROUNDS = 3

Rows = list[tuple[Any, ...]]
pytestmark = pytest.mark.skipif(
    sqlite3.sqlite_version_info < (3, 39), reason="this SQLite has no RIGHT and FULL JOIN"
)


class Writer:
    """Writes random SELECTs that mean the same to Spark and to SQLite."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.aliases = 0
        self.ctes: dict[str, tuple[str, ...]] = {}

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def any(self, *choices: str) -> str:
        return self.random.choice(choices)

    def statement(self) -> str:
        """A query, sometimes with a CTE."""
        if not self.chance(0.3):
            return self.query(2)[0]
        name = self.any("c", "d", "l")
        text, columns = self.query(1)
        self.ctes[name] = columns
        return f"WITH {name} AS ({text}) {self.query(2)[0]}"

    def query(self, depth: int) -> tuple[str, tuple[str, ...]]:
        """A query and the names of its columns."""
        if depth and self.chance(0.2):
            word = self.any("UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT")
            left, columns = self.select(depth - 1)
            right = self.select(depth - 1, columns)[0]
            return f"SELECT * FROM ({left}) {word} SELECT * FROM ({right})", columns
        return self.select(depth)

    def source(self, depth: int) -> tuple[str, str, tuple[str, ...]]:
        """One operand of FROM: its text, alias and columns."""
        self.aliases += 1
        alias = f"s{self.aliases}"
        if depth and self.chance(0.3):
            text, columns = self.query(depth - 1)
            return f"({text}) AS {alias}", alias, columns
        if self.ctes and self.chance(0.5):
            name = self.any(*self.ctes)
            return f"{name} AS {alias}", alias, self.ctes[name]
        table = self.any("bronze.d", "bronze.d", "bronze.d", "bronze.m", "bronze.l", "bronze.l")
        return f"{table} AS {alias}", alias, tuple(SCHEMAS[table] or ())

    def value(self, columns: Sequence[str]) -> str:
        column = self.any(*columns)
        return self.any(*[column] * 6, f"{column} + 1", f"coalesce({column}, 0)", f"-{column}")

    def condition(self, columns: Sequence[str], depth: int) -> str:
        left = self.value(columns)
        if depth and self.chance(0.35):
            table = self.any("bronze.d", "bronze.m", "bronze.l")
            inner = tuple(f"q.{name}" for name in SCHEMAS[table] or ())
            also = f" AND {self.condition(inner, 0)}" if self.chance(0.3) else ""
            where = f"WHERE {self.any(*inner)} = {self.any(*columns)}{also}"
            return self.any(
                f"{self.any('', 'NOT ')}EXISTS (SELECT 1 FROM {table} AS q {where})",
                f"{left} {self.any('IN', 'NOT IN')} (SELECT {self.any(*inner)} FROM {table} AS q {where})",
                f"{left} {self.any('IN', 'NOT IN')} (SELECT {self.any(*inner)} FROM {table} AS q)",
                f"{left} >= (SELECT max({self.any(*inner)}) FROM {table} AS q {where})",
                f"{left} <= (SELECT count(*) FROM {table} AS q {where})",
            )
        right = self.any(*[str(number) for number in range(3)], *columns)
        return self.any(
            f"{left} {self.any('=', '>', '<=', '<>')} {right}", f"{left} IS {self.any('', 'NOT ')}NULL"
        )

    def sources(self, depth: int) -> tuple[str, tuple[str, ...]]:
        """FROM with its joins, and the visible columns."""
        text, alias, first = self.source(depth)
        columns = [f"{alias}.{name}" for name in first]
        while self.chance(0.4):
            joined, alias, names = self.source(depth)
            new = [f"{alias}.{name}" for name in names]
            word = self.any("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN")
            equations = [f"{self.any(*columns)} = {self.any(*new)}" for _ in range(self.random.randint(1, 2))]
            if self.chance(0.2):
                equations.append(self.condition([*columns, *new], 0))
            on = "" if word == "CROSS JOIN" else f" ON {' AND '.join(equations)}"
            shared = sorted(set(first) & set(names))
            if len(columns) == len(first) and shared and word in ("JOIN", "LEFT JOIN") and self.chance(0.3):
                on = f" USING ({self.any(*shared)})"
            text += f" {word} {joined}{on}"
            columns += new
        return text, tuple(columns)

    def select(self, depth: int, like: Sequence[str] | None = None) -> tuple[str, tuple[str, ...]]:
        """One SELECT and the names of its columns; as many columns as `like`, if given."""
        count = len(like) if like is not None else self.random.randint(1, 3)
        names = tuple(self.random.sample(NAMES, count)) if like is None else tuple(like)
        start, columns = self.sources(depth)
        where = f" WHERE {self.condition(columns, depth)}" if self.chance(0.4) else ""
        where += f" AND {self.condition(columns, 0)}" if where and self.chance(0.3) else ""
        kind = self.any(*["plain"] * 4, "group", "group", "window", "distinct", "star")
        if kind == "star" and like is None and " JOIN " not in start:
            return f"SELECT * FROM {start}{where}", tuple(column.split(".")[1] for column in columns)
        after = ""
        if kind == "group":
            keys = [self.value(columns) for _ in range(count - 1)]
            items = [*keys, self.aggregate(columns)]
            after = f" GROUP BY {', '.join(keys)}" if keys else ""
            after += f" HAVING {self.aggregate(columns)} > 0" if self.chance(0.2) else ""
        elif kind == "window":
            items = [*(self.value(columns) for _ in range(count - 1)), self.window(columns)]
        else:
            items = [self.value(columns) for _ in range(count)]
        listed = ", ".join(f"{item} AS {name}" for item, name in zip(items, names, strict=True))
        text = f"SELECT {'DISTINCT ' if kind == 'distinct' else ''}{listed} FROM {start}{where}{after}"
        if self.chance(0.08):
            order = [name for name in names if self.chance(0.8)]
            text += f" ORDER BY {', '.join(order)} LIMIT 2" if order else " LIMIT 2"
        return text, names

    def aggregate(self, columns: Sequence[str]) -> str:
        return self.any(
            "count(*)", *(f"{name}({self.any(*columns)})" for name in ("sum", "min", "max", "count"))
        )

    def window(self, columns: Sequence[str]) -> str:
        parts = [self.value(columns) for _ in range(self.random.randint(0, 2))]
        order = [self.any(*columns) for _ in range(self.random.randint(1, 3))]
        by = f"PARTITION BY {', '.join(parts)} " if parts else ""
        ordered = f"{by}ORDER BY {', '.join(order)}"
        column = self.any(*columns)
        return self.any(
            f"sum({column}) OVER ({by})",
            f"max({column}) OVER ({ordered})",
            f"rank() OVER ({ordered})",
            f"row_number() OVER ({ordered})",
            f"lag({column}) OVER ({ordered})",
            f"first_value({column}) OVER ({ordered})",
            f"sum({column}) OVER ({ordered} ROWS 1 PRECEDING)",
        )


class Database:
    """The tables `now`, `new`, `few` and `none` of each table of the schemas, in SQLite."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        for table, columns in SCHEMAS.items():
            for state in ("now", "new", "few", "none"):
                self.connection.execute(
                    f"CREATE TABLE {self.name(table, state)} ({', '.join(columns or ())})"
                )

    @staticmethod
    def name(table: str, state: str) -> str:
        return f"{table.replace('.', '_')}_{state}"

    def fill(self, table: str, state: str, rows: Rows) -> None:
        name = self.name(table, state)
        self.connection.execute(f"DELETE FROM {name}")
        marks = ", ".join("?" * len(SCHEMAS[table] or ()))
        self.connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)

    def rows(self, sql: str) -> Rows:
        return self.connection.execute(sql).fetchall()

    def of(self, analysis: Analysis, states: dict[str, str], driver: str | None = None) -> Rows:
        """The query over the tables in these states, `now` by default."""
        names = {table: self.name(table, states.get(table, "now")) for table in SCHEMAS}
        empty = {table: self.name(table, "none") for table in SCHEMAS}
        return self.rows(analysis.query.rendered(names, driver=driver, empty=empty))


def random_rows(random: Random, table: str) -> Rows:
    count = random.randint(0, 6)
    values = (0, 1, 2, 3, None)
    rows = [tuple(random.choice(values) for _ in SCHEMAS[table] or ()) for _ in range(count)]
    if table in KEYS:
        first = random.sample(range(8), count)
        rows = [(key, *row[1:]) for key, row in zip(first, rows, strict=True)]
    return rows


def check(database: Database, analysis: Analysis, random: Random) -> Iterator[str]:
    """The claims that are wrong for one random state of the tables."""
    data = {table: random_rows(random, table) for table in SCHEMAS}
    for table, rows in data.items():
        database.fill(table, "now", rows)
    whole = database.of(analysis, {})
    names = analysis.columns
    assert names is not None
    for unique in analysis.unique:
        at = [[name.lower() for name in names].index(name) for name in unique]
        if len({tuple(row[i] for i in at) for row in whole}) < len(whole):
            yield f"unique {sorted(unique)}"
    if not analysis.notes and not any(error.code == "GS207" for error in analysis.problems):
        for table, rows in data.items():
            database.fill(table, "few", random.sample(rows, len(rows)))
        if Counter(database.of(analysis, dict.fromkeys(SCHEMAS, "few"))) != Counter(whole):
            yield "order"
    for driver in ("bronze.d", "bronze.m"):
        if driver in analysis.query.upstreams:
            yield from check_driver(database, analysis, random, driver, data[driver], whole)


def check_driver(
    database: Database, analysis: Analysis, random: Random, driver: str, rows: Rows, whole: Rows
) -> Iterator[str]:
    names = analysis.columns or ()
    cut = random.randint(0, len(rows))
    database.fill(driver, "few", rows[:cut])
    database.fill(driver, "new", rows[cut:])
    if analysis.linear_in(driver) is None:
        before, added = (
            database.of(analysis, {driver: "few"}),
            database.of(analysis, {driver: "new"}, driver),
        )
        if Counter(before) + Counter(added) != Counter(whole):
            yield f"linear in {driver}"
        for row in rows:
            database.fill(driver, "new", [row])
            alone = database.of(analysis, {driver: "new"}, driver)
            if analysis.one_to_one_in(driver) and len(alone) > 1:
                yield f"one to one in {driver}"
            for at, name in enumerate(names):
                traced = analysis.traced(driver, name)
                if traced is not None:
                    (given,) = database.rows(f"SELECT {traced} FROM {database.name(driver, 'new')}")
                    if any(found[at] != given[0] for found in alone):
                        yield f"traced {name} to {driver} as {traced}"
    for by in ([name] for name in names):
        if analysis.recomputable_by(driver, by) is None:
            yield from check_values(database, analysis, random, driver, by[0], whole)


def check_values(
    database: Database, analysis: Analysis, random: Random, driver: str, name: str, whole: Rows
) -> Iterator[str]:
    traced = analysis.traced(driver, name)
    assert traced is not None
    at = (analysis.columns or ()).index(name)
    values = {0, 1, 2, 3, 4, -1, -2, None}
    values = {value for value in values if random.random() < 0.5}
    listed = ", ".join(str(value) for value in values if value is not None) or "NULL"
    null = f" OR ({traced}) IS NULL" if None in values else ""
    now = database.name(driver, "now")
    database.fill(driver, "few", database.rows(f"SELECT * FROM {now} WHERE ({traced}) IN ({listed}){null}"))
    again = database.of(analysis, {driver: "few"})
    if Counter(again) != Counter(row for row in whole if row[at] in values):
        yield f"recomputable in {driver} by {name} as {traced}"


def test_claims_about_random_sql_are_correct() -> None:
    database = Database()
    tried = 0
    for seed in range(SEEDS):
        random = Random(seed)
        text = Writer(random).statement()
        try:
            analysis = analyse(parse(text, file=Path("t.sql"), table="silver.t"), SCHEMAS, KEYS)
        except DeclarationError as error:
            raise AssertionError(text) from error
        if any(error.code != "GS207" for error in analysis.problems):
            continue
        tried += 1
        for _ in range(ROUNDS):
            assert not list(check(database, analysis, random)), f"seed {seed}: {text}"
    assert tried > SEEDS // 2
