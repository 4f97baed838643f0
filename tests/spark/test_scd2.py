"""The load `scd2`: the history of each key, independent of the order and the batches of its changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given

from goldsmith.errors import RunError
from support import model
from support.examples import examples
from support.lake import Lake
from support.model import Expected, Row
from support.properties import SEEDS, Upstream, held

USERS = (
    (124, "Raul", "Oaxaca", "INSERT", 1),
    (123, "Isabel", "Monterrey", "INSERT", 1),
    (125, "Mercedes", "Tijuana", "INSERT", 2),
    (126, "Lily", "Cancun", "INSERT", 2),
    (123, None, None, "DELETE", 6),
    (125, "Mercedes", "Guadalajara", "UPDATE", 6),
    (125, "Mercedes", "Mexicali", "UPDATE", 5),
    (123, "Isabel", "Chihuahua", "UPDATE", 5),
)
"""The changes of users in Databricks' documentation of AUTO CDC, with the results that it publishes."""

TYPE_1 = {(124, "Raul", "Oaxaca"), (125, "Mercedes", "Guadalajara"), (126, "Lily", "Cancun")}
TYPE_2 = {
    (123, "Isabel", "Monterrey", 1, 5),
    (123, "Isabel", "Chihuahua", 5, 6),
    (124, "Raul", "Oaxaca", 1, None),
    (125, "Mercedes", "Tijuana", 2, 5),
    (125, "Mercedes", "Mexicali", 5, 6),
    (125, "Mercedes", "Guadalajara", 6, None),
    (126, "Lily", "Cancun", 2, None),
}
TYPE_2_OF_NAMES = {
    (123, "Isabel", "Chihuahua", 1, 6),
    (124, "Raul", "Oaxaca", 1, None),
    (125, "Mercedes", "Guadalajara", 2, None),
    (126, "Lily", "Cancun", 2, None),
}
CHANGES = "a_case int, id int, name string, city string, operation string, seq int"
QUERY = "SELECT a_case, id, name, city, operation, seq FROM bronze.users"
DELETES = "delete_when: operation = 'DELETE'"


def test_published_example_in_every_order_and_batching(lake: Lake, full_counts: bool) -> None:
    """Each order of the changes, in up to four batches, is a case of its own within one table."""
    random = Random(7)
    orders = list(itertools.permutations(USERS))
    cases = orders if full_counts else random.sample(orders, 300)
    users = Upstream(lake, "bronze.users", CHANGES)
    key = "key: [a_case, id]"
    lake.declare("silver.one", f"load: {{merge: {{{key}, newest_by: seq, {DELETES}}}}}", QUERY)
    lake.declare("silver.two", f"load: {{scd2: {{{key}, sequence_by: seq, {DELETES}}}}}", QUERY)
    lake.declare(
        "silver.names", f"load: {{scd2: {{{key}, sequence_by: seq, track: name, {DELETES}}}}}", QUERY
    )
    batches: list[list[Row]] = [[], [], [], []]
    for case, order in enumerate(cases):
        of_change = sorted(random.choices(range(4), k=len(order)))
        for batch, change in zip(of_change, order, strict=True):
            names = ("id", "name", "city", "operation", "seq")
            batches[batch].append({"a_case": case, **dict(zip(names, change, strict=True))})
    for rows in batches:
        users.append(rows)
        lake.done("silver")
    for table, wanted in (("two", TYPE_2), ("names", TYPE_2_OF_NAMES)):
        assert lake.rows(f"silver.{table}", "a_case", "id", "name", "city", "valid_from", "valid_to") == _of(
            cases, wanted
        )
    assert lake.rows("silver.one", "a_case", "id", "name", "city") == _of(cases, TYPE_1)


def _of(cases: list[tuple[tuple[object, ...], ...]], wanted: set[tuple[object, ...]]) -> list[object]:
    rows = [(case, *row) for case in range(len(cases)) for row in wanted]
    return sorted(rows, key=lambda row: tuple((value is not None, str(value)) for value in row))


SCHEMA = "id int, seq int, n int, v string, w string, op string"
HISTORY = """
load: {scd2: {key: [id], sequence_by: [seq, n], track: [v], delete_when: "op = 'D'"}}
expectations:
  - {condition: "v <> 'x'", name: no_x, otherwise: quarantine}
  - {condition: "NOT (v <=> 'z')", name: no_z, otherwise: drop}
"""
RULES = (
    Expected("no_x", lambda row: None if row["v"] is None else row["v"] != "x", "quarantine"),
    Expected("no_z", lambda row: row["v"] != "z", "drop"),
)
CURRENT = ("id", "seq", "n", "v", "w", "op", "valid_from", "valid_to", "is_current")


def _change(random: Random, n: int, seq: int | None) -> Row:
    return {
        "id": random.choice([None, 1, 1, 2, 2, 3, 4, 5, 6]),
        "seq": seq,
        "n": n,
        "v": random.choice([None, "a", "a", "a", "b", "b", "x", "z"]),
        "w": random.choice([None, "a", "b"]),
        "op": random.choice([None, "I", "I", "I", "D"]),
    }


def _expected(rows: list[Row]) -> tuple[list[tuple[object, ...]], list[object]]:
    """The versions and the quarantined rows."""
    judged = model.judge(rows, RULES, ["id"])
    kept = [row for row in judged.kept if row["seq"] is not None]
    unordered = [row for row in rows if row["seq"] is None]
    quarantined = [(reasons, row) for reasons, row in judged.quarantined if row["seq"] is not None]
    for row in unordered:
        reasons = [name for name, gone in (("null_key", row["id"] is None),) if gone]
        failed = [rule.name for rule in RULES if not rule.holds(row)]
        quarantined.append(((*reasons, "null_sequence", *failed), row))
    found = model.history(kept, ["id"], ["seq", "n"], ["v"], lambda row: row["op"] == "D")
    versions = [tuple(row[name] for name in CURRENT) for row in found]
    return sorted(versions, key=_sort_key), held(quarantined)


def _sort_key(row: tuple[object, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, str(value)) for value in row)


@examples(1)
@given(seed=SEEDS)
def test_history_is_that_of_the_model(new_lake: Callable[[], Lake], seed: int) -> None:
    """Batches in order, late, repeated and removed rows, each compared with the model after its load."""
    random = Random(seed)
    lake = new_lake()
    changes = Upstream(lake, "bronze.changes", SCHEMA)
    lake.declare("silver.history", HISTORY, "SELECT id, seq, n, v, w, op FROM bronze.changes")
    delivered: list[Row] = []
    for batch in range(4):
        late = random.random() < 0.4
        first = 0 if late else batch * 5
        sequences = [None, *range(first, batch * 5 + 5)]
        rows = [_change(random, 100 * batch + n, random.choice(sequences)) for n in range(15)]
        rows += random.sample(rows, 2) + (random.sample(delivered, 2) if late and delivered else [])
        changes.append(rows)
        delivered += rows
        if batch and random.random() < 0.4:
            gone = random.choice([1, 2, 3])
            changes.sql(f"DELETE FROM {{t}} WHERE id = {gone} AND seq % 3 = 1")
            delivered = [
                row for row in delivered if row["id"] != gone or row["seq"] is None or row["seq"] % 3 != 1
            ]
        lake.done("silver")
        versions, quarantined = _expected(delivered)
        assert lake.rows("silver.history", *CURRENT) == versions
        assert held(lake.quarantine("silver.history")) == quarantined
    before = lake.version("silver.history")
    lake.done("silver", rebuild=["silver.history"])
    assert lake.version("silver.history") > before
    assert lake.rows("silver.history", *CURRENT) == _expected(delivered)[0]


@examples(1)
@given(seed=SEEDS)
def test_missing_keys_of_a_snapshot_are_deleted(new_lake: Callable[[], Lake], seed: int) -> None:
    random = Random(seed)
    lake = new_lake()
    users = Upstream(lake, "bronze.users", "id int, day int, city string")
    yaml = "load: {scd2: {key: id, sequence_by: day, missing_means_deleted: true}}"
    lake.declare("silver.users", yaml, "SELECT id, day, city FROM bronze.users")
    delivered: list[Row] = []
    days = [1, 2, 3, 4, 5, 6, 7]
    if random.random() < 0.9:
        days[3], days[5] = days[5], days[3]
    for group in (days[:1], days[1:3], days[3:5], days[5:]):
        rows = [
            {"id": name, "day": day, "city": random.choice("ab")}
            for day in group
            for name in random.sample(range(1, 8), 5)
        ]
        users.append(rows)
        delivered += rows
        outcome = lake.done("silver")["silver.users"]
        assert outcome.counts.balanced
        found = model.history(delivered, ["id"], ["day"], ["city"], snapshots=True)
        names = ("id", "city", "day", "valid_from", "valid_to", "is_current")
        wanted = sorted((tuple(row[name] for name in names) for row in found), key=_sort_key)
        assert lake.rows("silver.users", *names) == wanted


def _users(lake: Lake) -> Upstream:
    users = Upstream(lake, "bronze.users", "id int, seq int, city string")
    yaml = "load: {scd2: {key: id, sequence_by: seq}}"
    lake.declare("silver.users", yaml, "SELECT id, seq, city FROM bronze.users")
    return users


def _row(name: int, seq: int, city: str) -> Row:
    return {"id": name, "seq": seq, "city": city}


def test_rows_are_counted(lake: Lake) -> None:
    users = _users(lake)
    users.append([_row(1, 1, "a"), _row(2, 1, "a"), _row(2, 2, "a"), _row(3, 1, "c")])
    counts = lake.done("silver")["silver.users"].counts
    assert (counts.rows_in, counts.written, counts.superseded) == (4, 3, 1)
    users.append([_row(1, 3, "b"), _row(2, 3, "a"), _row(4, 3, "d")])
    counts = lake.done("silver")["silver.users"].counts
    assert (counts.rows_in, counts.written, counts.superseded) == (3, 2, 1)
    assert (counts.inserted, counts.updated, counts.deleted) == (2, 1, 0)
    users.append([_row(1, 2, "x")])
    outcome = lake.done("silver")["silver.users"]
    # All three changes of the key are read again, and two of its versions change.
    assert (outcome.counts.rows_in, outcome.counts.written, outcome.counts.superseded) == (3, 2, 1)
    assert lake.rows("silver.users", "id", "city", "valid_from", "valid_to", "is_current") == [
        (1, "a", 1, 2, False),
        (1, "b", 3, None, True),
        (1, "x", 2, 3, False),
        (2, "a", 1, None, True),
        (3, "c", 1, None, True),
        (4, "d", 3, None, True),
    ]
    before = lake.version("silver.users")
    users.append([_row(3, 4, "c")])
    counts = lake.done("silver")["silver.users"].counts
    assert (counts.rows_in, counts.written, counts.superseded) == (1, 0, 1)
    assert lake.version("silver.users") == before + 1
    assert lake.done("silver")["silver.users"].status == "nothing_new"


def test_later_changes_read_no_former_ones(lake: Lake) -> None:
    """Only rows of the change set are read from the upstream, so a load's cost does not grow with its history."""
    users = _users(lake)
    users.append([_row(name, 1, "a") for name in range(50)])
    lake.done("silver")
    users.append([_row(name, 2, "b") for name in range(5)])
    assert lake.done("silver")["silver.users"].counts.rows_in == 5


def test_equal_sequences_of_a_key_keep_one_row_in_any_order(lake: Lake) -> None:
    users = _users(lake)
    users.append([_row(1, 1, "a"), _row(1, 1, "b")])
    counts = lake.done("silver")["silver.users"].counts
    assert (counts.rows_in, counts.written, counts.superseded) == (2, 1, 1)
    kept = lake.rows("silver.users", "city")
    users.overwrite([_row(1, 1, "b")])
    lake.done("silver")
    users.append([_row(1, 1, "a")])
    lake.done("silver")
    assert lake.rows("silver.users", "city") == kept


def test_new_column_makes_versions_only_where_it_has_values(lake: Lake) -> None:
    lake.declare("bronze.users", "source: {files: 'users/*.jsonl', format: json}")
    lake.declare(
        "silver.users",
        "load: {scd2: {key: id, sequence_by: seq}}",
        "SELECT * FROM bronze.users",
    )
    lake.deliver(
        "users/1.jsonl", '{"id": "1", "seq": "1", "city": "a"}\n{"id": "2", "seq": "1", "city": "b"}\n'
    )
    lake.done()
    lake.deliver(
        "users/2.jsonl",
        '{"id": "1", "seq": "2", "city": "a", "mail": "m"}\n{"id": "2", "seq": "2", "city": "b"}\n',
    )
    lake.done()
    assert lake.rows("silver.users", "id", "city", "mail", "valid_from", "valid_to") == [
        ("1", "a", None, "1", "2"),
        ("1", "a", "m", "2", None),
        ("2", "b", None, "1", None),
    ]


@pytest.mark.parametrize("track", ["", ", track: tags"])
def test_changed_map_makes_a_version(lake: Lake, track: str) -> None:
    """Maps have no order and no equality in SQL, and the order of their entries does not count."""
    users = Upstream(lake, "bronze.users", "id int, seq int, tags map<string,int>")
    query = "SELECT id, seq, tags FROM bronze.users"
    lake.declare("silver.users", f"load: {{scd2: {{key: id, sequence_by: seq{track}}}}}", query)
    for seq, tags in ((1, {"a": 1, "b": 2}), (2, {"b": 2, "a": 1}), (3, {"a": 1})):
        users.append([{"id": 1, "seq": seq, "tags": tags}])
        lake.done("silver")
    versions = [({"a": 1, "b": 2}, 1, 3), ({"a": 1}, 3, None)]
    assert lake.rows("silver.users", "tags", "valid_from", "valid_to") == versions


def test_as_of_join_finds_the_version_of_its_time(lake: Lake) -> None:
    users = _users(lake)
    orders = Upstream(lake, "bronze.orders", "order_id int, user_id int, at int")
    lake.declare(
        "gold.orders",
        "load: {merge: {key: order_id, newest_by: at}}\nchanges_of: bronze.orders\n",
        """
        SELECT o.order_id, o.at, u.city
        FROM bronze.orders AS o
        LEFT JOIN silver.users AS u
            ON o.user_id = u.id AND o.at >= u.valid_from AND (o.at < u.valid_to OR u.is_current)
        """,
    )
    users.append([_row(1, 1, "a"), _row(1, 5, "b"), _row(2, 3, "c")])
    orders.append(
        [{"order_id": n, "user_id": n % 2 + 1, "at": at} for n, at in enumerate((3, 4, 2, 5, 9, 1))]
    )
    lake.done("silver", "gold")
    assert lake.rows("gold.orders") == [
        (0, 3, "a"),
        (1, 4, "c"),
        (2, 2, "a"),
        (3, 5, "c"),
        (4, 9, "b"),
        (5, 1, None),
    ]
    users.append([_row(1, 3, "x")])
    lake.done("silver", "gold")
    assert lake.rows("gold.orders", "order_id", "city")[0] == (0, "x")


def test_release_says_why_there_is_none(lake: Lake) -> None:
    _users(lake).append([_row(1, 1, "a")])
    lake.done("silver")
    with pytest.raises(RunError, match="its load is `scd2`") as caught:
        lake.release("silver.users")
    assert caught.value.code == "GS601"
