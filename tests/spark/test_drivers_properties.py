"""Every load over an upstream with all kinds of changes: the content equals that of a rebuild."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given, note

from support import model
from support.examples import examples
from support.lake import Lake
from support.model import Expected, Row
from support.properties import SEEDS, Upstream, held

SCHEMA = "id int, k int, p string, q int, n int, op string"
RULES = (
    Expected("small", lambda row: None if row["n"] is None else row["n"] < 8, "quarantine"),
    Expected("no_k", lambda row: row["k"] != 5, "quarantine"),
    Expected("q_set", lambda row: row["q"] is not None, "drop"),
)
TABLES: dict[str, tuple[str, str]] = {
    "silver.by_key": (
        """
        load: {merge: {key: [k], newest_by: [n, id], delete_when: "op = 'D'"}}
        expectations:
          - {condition: "n < 8", name: small, otherwise: quarantine}
        """,
        "SELECT id, k, p, q, n, op FROM bronze.src",
    ),
    "silver.by_id": ("load: {merge: {key: id}}", "SELECT id, k, n + 1 AS n FROM bronze.src WHERE p <> 'c'"),
    "silver.whole": ("load: overwrite", "SELECT DISTINCT k, p FROM bronze.src"),
    "silver.log": ("{load: append, on_removed: ignore}", "SELECT id, n FROM bronze.src"),
    "gold.by_p": (
        "load: {overwrite_partitions: {by: p}}",
        "SELECT p, count(*) AS rows, sum(n) AS total FROM bronze.src GROUP BY p",
    ),
    "gold.by_pq": (
        """
        load: {overwrite_partitions: {by: [p, q]}}
        expectations:
          - {condition: "n < 8", name: small, otherwise: quarantine}
          - {condition: "NOT (k <=> 5)", name: no_k, otherwise: quarantine}
          - {condition: "q IS NOT NULL", name: q_set, otherwise: drop}
        """,
        "SELECT p, q, id, k, n FROM bronze.src",
    ),
}


def _row(random: Random) -> Row:
    return {
        "id": random.choice([None, *range(1, 12)]),
        "k": random.choice([None, 1, 2, 3, 4, 5]),
        "p": random.choice([None, "a", "b", "c", "it's"]),
        "q": random.choice([None, 1, 2]),
        "n": random.choice([None, *range(10)]),
        "op": random.choice(["I", "I", "D"]),
    }


def _change(upstream: Upstream, random: Random) -> None:
    """Applies a random change to the upstream."""
    rows = [_row(random) for _ in range(random.randint(1, 8))]
    number = random.randint(1, 5)
    match random.randrange(9):
        case 0 | 1:
            upstream.append(rows)
        case 2:
            upstream.sql(f"DELETE FROM {{t}} WHERE k = {number}")
        case 3:
            upstream.sql(f"UPDATE {{t}} SET k = k % 5 + 1, p = 'b' WHERE id % 5 = {number}")
        case 4:
            upstream.sql(f"UPDATE {{t}} SET n = n + 1, q = NULL WHERE q = {number % 2 + 1}")
        case 5:
            upstream.overwrite(random.sample(upstream.rows(), len(upstream.rows())) + rows[:1])
        case 6:
            newest = upstream.lake.version(upstream.name)
            upstream.sql(f"RESTORE {{t}} TO VERSION AS OF {random.randrange(newest + 1)}")
        case 7:
            upstream.sql("OPTIMIZE {t}")
        case 8:
            upstream.sql("DELETE FROM {t} WHERE p = 'a' OR p IS NULL")


def _dicts(lake: Lake, table: str) -> list[Row]:
    return [row.asDict() for row in lake.table(table).collect()]


def _tuples(lake: Lake, table: str) -> Counter[tuple[Any, ...]]:
    return Counter(lake.rows(table))


def _compare(lake: Lake, rows: list[Row]) -> None:
    judged = model.judge(rows, RULES[:1], ["k"])
    survivors = model.merged(judged.kept, ["k"], ["n", "id"], lambda row: row["op"] == "D")
    assert model.fits(_dicts(lake, "silver.by_key"), survivors, ["k"]) == ""
    assert held(lake.quarantine("silver.by_key")) == held(judged.quarantined)
    shaped = [
        {"id": row["id"], "k": row["k"], "n": None if row["n"] is None else row["n"] + 1}
        for row in rows
        if row["p"] not in (None, "c")
    ]
    by_id = model.judge(shaped, (), ["id"])
    assert model.fits(_dicts(lake, "silver.by_id"), model.merged(by_id.kept, ["id"]), ["id"]) == ""
    assert held(lake.quarantine("silver.by_id")) == held(by_id.quarantined)
    assert _tuples(lake, "silver.whole") == Counter(model.multiset(rows, ["k", "p"]).keys())
    assert _tuples(lake, "gold.by_p") == model.grouped(rows, ["p"], "n")
    split = model.judge([{name: row[name] for name in ("p", "q", "id", "k", "n")} for row in rows], RULES)
    assert _tuples(lake, "gold.by_pq") == model.multiset(split.kept, ["p", "q", "id", "k", "n"])
    assert held(lake.quarantine("gold.by_pq")) == held(split.quarantined)


@examples(1)
@given(seed=SEEDS)
def test_every_load_follows_a_changing_upstream(new_lake: Callable[[], Lake], seed: int) -> None:
    random = Random(seed)
    lake = new_lake()
    upstream = Upstream(lake, "bronze.src", SCHEMA)
    for name, (yaml, sql) in TABLES.items():
        lake.declare(name, yaml, sql)
    upstream.append([_row(random) for _ in range(20)])
    appended: Counter[tuple[Any, ...]] = Counter()
    before: list[Row] = []
    for step in range(4):
        for _ in range(random.randint(1, 2) if step else 0):
            _change(upstream, random)
        rows = upstream.rows()
        note(f"step {step}: {rows}")
        lake.done("silver", "gold", parallel=3)
        for row, count in model.net(before, rows, upstream.columns).items():
            appended[row[0], row[4]] += count
        assert _tuples(lake, "silver.log") == appended
        _compare(lake, rows)
        before = rows
    tables = [name for name in TABLES if name != "silver.log"]
    held_before = {name: (lake.rows(name), held(lake.quarantine(name))) for name in tables}
    lake.done(*tables, rebuild=tables, parallel=3)
    assert {name: (lake.rows(name), held(lake.quarantine(name))) for name in tables} == held_before
