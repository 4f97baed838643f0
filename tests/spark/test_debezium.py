"""Change events of Debezium: rows, operations and order, from envelopes as its connectors write them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from support.lake import Lake

COLUMNS = "columns: {id: int, name: string, price: 'decimal(30,5)', _op: string, _sequence: string, _changed_at: timestamp}\n"


def event(op: str, after: object, before: object = None, *, lsn: int | None, ms: int = 1559033904863) -> str:
    """An event of the PostgreSQL connector."""
    source: dict[str, Any] = {
        "version": "3.0.0", "connector": "postgresql", "name": "shop", "ts_ms": ms, "db": "shop",
        "sequence": "[\"1\",\"2\"]", "schema": "public", "table": "products", "txId": 5, "lsn": lsn, "xmin": None,
    }  # fmt: skip
    return json.dumps(
        {"before": before, "after": after, "source": source, "op": op, "ts_ms": ms + 5, "transaction": None}
    )


def product(number: int, name: str, price: str = "1.50") -> dict[str, Any]:
    return {"id": number, "name": name, "price": price}


def lake_of(lake: Lake) -> Lake:
    lake.declare("bronze.products", f"source: {{files: 'p/*.jsonl', format: debezium}}\n{COLUMNS}")
    query = "SELECT * EXCEPT (_source_file, _source_modified, _source_size, _ingested_at, _run_id) FROM bronze.products"
    newest = "{merge: {key: id, newest_by: _sequence, delete_when: _op = 'delete'}}"
    lake.declare("silver.current", f"load: {newest}", query)
    history = "{scd2: {key: id, sequence_by: [_changed_at, _sequence], track: [name, price], delete_when: _op = 'delete'}}"
    lake.declare("silver.history", f"load: {history}", query)
    return lake


FILES = count()


def deliver(lake: Lake, *lines: str) -> None:
    lake.deliver(f"p/{next(FILES)}.jsonl", "\n".join(lines) + "\n")


def test_events_drive_merge_and_history(lake: Lake) -> None:
    lake_of(lake)
    created = [event("r", product(1, "a"), lsn=100, ms=1_000), event("c", product(2, "b"), lsn=101, ms=2_000)]
    deliver(lake, *created)
    lake.done()
    deliver(
        lake,
        event("d", None, {"id": 2, "name": None, "price": None}, lsn=104, ms=5_000),
        event("u", product(1, "a"), product(1, "a"), lsn=102, ms=3_000),
        event("u", product(1, "A", "2.00"), lsn=103, ms=4_000),
        created[0],
    )
    lake.done()
    deliver(
        lake, event("c", product(2, "B"), lsn=105, ms=6_000), event("u", product(1, "late"), lsn=99, ms=500)
    )
    lake.done()
    assert lake.rows("silver.current", "id", "name") == [(1, "A"), (2, "B")]
    history = lake.table("silver.history").selectExpr(
        "id", "name", "unix_millis(valid_from)", "unix_millis(valid_to)", "CAST(price AS string)"
    )
    assert sorted((tuple(row) for row in history.collect()), key=str) == [
        (1, "A", 4_000, None, "2.00000"),
        (1, "a", 1_000, 4_000, "1.50000"),
        (1, "late", 500, 1_000, "1.50000"),
        (2, "B", 6_000, None, "1.50000"),
        (2, "b", 2_000, 5_000, "1.50000"),
    ]
    assert lake.quarantine("bronze.products") == []


def test_row_is_read_exactly_in_each_form_of_an_envelope(lake: Lake) -> None:
    lake_of(lake)
    exact = '{"id":7,"name":"a \\"b\\" {é}\\u00e9","price":12345678901234567890.12345}'
    other = exact.replace("7", "8", 1)
    position = '{"change_lsn":"0000002c:00000a48:0003","event_serial_no":1}'
    source = '{"connector":"mysql","file":"mysql-bin.000003","pos":154,"row":2,"ts_ms":1000}'
    deliver(
        lake,
        f'{{"schema":{{"a":[1.0]}},"payload":{{"before":null,"after":{exact},"source":{source},"op":"c"}}}}',
        f'{{"op":"u","after":{other},"source":{position},"ts_ms":3}}',
        '{"op":"c","after":{},"ts_ms":9}',
        "{}",
    )
    lake.done("bronze")
    rows = lake.table("bronze.products").selectExpr(
        "id", "name", "CAST(price AS string)", "_op", "_sequence", "CAST(_changed_at AS string)"
    )
    name = 'a "b" {é}é'
    assert sorted((tuple(row) for row in rows.collect()), key=str) == [
        (7, name, "12345678901234567890.12345", "insert", "mysql-bin.000003:00000000000000000154:0000000002",
         "1970-01-01 00:00:01"),
        (8, name, "12345678901234567890.12345", "update", "0000002c:00000a48:0003:0000000001", "1970-01-01 00:00:00.003"),
        (None, None, None, "insert", "00000000000000000009", "1970-01-01 00:00:00.009"),
    ]  # fmt: skip
    assert [row["_malformed"] for _, row in lake.quarantine("bronze.products")] == ["{}"]


def test_wrong_events_are_quarantined_whole(lake: Lake) -> None:
    lake_of(lake)
    wrong = [
        event("x", product(1, "a"), lsn=1),
        event("t", None, lsn=2),
        event("d", None, None, lsn=3),
        event("c", product(1, "a"), lsn=4)[:-9],
        event("c", product(1, "a"), lsn=5) + "}",
        "null",
        "[]",
        event("c", [1], lsn=6),
    ]
    deliver(lake, *wrong, event("c", product(9, "z"), lsn=7), event("c", product(9, "y"), lsn=7))
    done = lake.done()
    counts = done["bronze.products"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (10, 2, 8)
    entries = lake.quarantine("bronze.products")
    assert sorted(row["_malformed"] for _, row in entries) == sorted(wrong)
    assert {reasons for reasons, _ in entries} == {("malformed",)}
    # Equal positions of one key: one of the rows, and nothing lost.
    counts = done["silver.history"].counts
    assert (counts.rows_in, counts.written, counts.superseded) == (2, 1, 1)
    assert lake.release("bronze.products").released == 0


def test_event_without_time_and_position_cannot_be_ordered(lake: Lake) -> None:
    lake_of(lake)
    deliver(lake, '{"op":"c","after":{"id":1,"name":"a","price":"1"},"source":{"lsn":"1\\"x"}}')
    lake.done()
    [(reasons, row)] = lake.quarantine("silver.history")
    assert (reasons, row["id"]) == (("null_sequence",), 1)
    assert lake.rows("silver.current", "id", "_sequence") == [(1, None)]
