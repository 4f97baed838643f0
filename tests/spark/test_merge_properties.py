"""Merge compared with the model: the content is independent of the rows' order and batches."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import given

from support import model
from support.examples import examples
from support.lake import Lake
from support.model import Expected, Row
from support.properties import SEEDS, Upstream, held

SCHEMA = "id int, seq int, v string, w string, op string"
COLUMNS = ("id", "seq", "v", "w", "op")
NEWEST = """
load: {merge: {key: [id], newest_by: [seq], delete_when: "op = 'D'"}}
expectations:
  - {condition: "v <> 'x'", name: no_x, otherwise: quarantine}
  - {condition: "NOT (w <=> 'x')", name: w_no_x, otherwise: quarantine}
  - {condition: "NOT (v <=> 'z')", name: no_z, otherwise: drop}
  - {condition: "w IS NOT NULL", name: has_w, otherwise: warn}
"""
RULES = (
    Expected("no_x", lambda row: None if row["v"] is None else row["v"] != "x", "quarantine"),
    Expected("w_no_x", lambda row: row["w"] != "x", "quarantine"),
    Expected("no_z", lambda row: row["v"] != "z", "drop"),
    Expected("has_w", lambda row: row["w"] is not None, "warn"),
)


def _row(random: Random) -> Row:
    return {
        "id": random.choice([None, 1, 1, 2, 2, 3, 4, 5, 6]),
        "seq": random.choice([None, 0, 1, 2, 3, 4]),
        "v": random.choice([None, "a", "b", "b", "c", "c", "x", "z"]),
        "w": random.choice([None, "a", "b", "x"]),
        "op": random.choice([None, "I", "I", "I", "D"]),
    }


def _batches(rows: list[Row], random: Random, count: int) -> list[list[Row]]:
    cuts = sorted(random.randrange(len(rows) + 1) for _ in range(count - 1))
    return [rows[low:high] for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


def _rows(lake: Lake, table: str) -> list[Row]:
    return [row.asDict() for row in lake.table(table).collect()]


@examples(1)
@given(seed=SEEDS)
def test_order_and_batching_do_not_matter(new_lake: Callable[[], Lake], seed: int) -> None:
    random = Random(seed)
    lake = new_lake()
    first, second = Upstream(lake, "bronze.first", SCHEMA), Upstream(lake, "bronze.second", SCHEMA)
    lake.declare("silver.first", NEWEST, "SELECT id, seq, v, w, op FROM bronze.first")
    lake.declare("silver.second", NEWEST, "SELECT id, seq, v, w, op FROM bronze.second")
    lake.declare("silver.any", "load: {merge: {key: [id, v]}}", "SELECT id, seq, v, w, op FROM bronze.first")
    rows = [_row(random) for _ in range(40)]
    rows += random.sample(rows, 6)
    other = random.sample(rows, len(rows))
    for mine, theirs in zip(_batches(rows, random, 3), _batches(other, random, 3), strict=True):
        first.append(mine)
        second.append(theirs)
        done = lake.done("silver", parallel=3)
        counts = done["silver.any"].counts
        null_keys = sum(1 for row in mine if row["id"] is None or row["v"] is None)
        assert (counts.rows_in, counts.quarantined) == (len(mine), null_keys)
    judged = model.judge(rows, RULES, ["id"])
    survivors = model.merged(judged.kept, ["id"], ["seq"], lambda row: row["op"] == "D")
    assert model.fits(_rows(lake, "silver.first"), survivors, ["id"]) == ""
    assert lake.rows("silver.first") == lake.rows("silver.second")
    keyed = model.judge(rows, (), ["id", "v"]).kept
    assert model.fits(_rows(lake, "silver.any"), model.merged(keyed, ["id", "v"]), ["id", "v"]) == ""
    for table in ("silver.first", "silver.second"):
        assert held(lake.quarantine(table)) == held(judged.quarantined)
    before = {table: lake.rows(table) for table in ("silver.first", "silver.any")}
    lake.done(*before, rebuild=list(before))
    assert {table: lake.rows(table) for table in before} == before
    assert held(lake.quarantine("silver.first")) == held(judged.quarantined)
