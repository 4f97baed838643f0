"""The rules of the merge load."""

from __future__ import annotations

from support.lake import Lake
from support.properties import Upstream

SOURCE = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, seq: int, v: string, op: string}
"""
ORDERS = """
load: {merge: {key: [id], newest_by: [seq], delete_when: "op = 'D'"}}
"""
TOTALS = """
load: {merge: {key: [v]}}
"""


def test_late_rows_and_deletes_update_their_keys(lake: Lake) -> None:
    lake.declare("bronze.orders", SOURCE)
    lake.declare("silver.orders", ORDERS, "SELECT id, seq, v, op FROM bronze.orders")
    lake.declare("silver.names", TOTALS, "SELECT v, id FROM silver.orders WHERE id <> 9")
    lake.deliver("orders/a.csv", "id,seq,v,op\n1,1,a,I\n2,1,b,I\n,1,c,I\n1,2,aa,U\n3,1,x,I\n9,1,nine,I\n")
    first = lake.done()
    assert first["silver.orders"].counts.superseded == 1
    assert lake.rows("silver.names") == [("aa", 1), ("b", 2), ("x", 3)]
    lake.deliver("orders/b.csv", "id,seq,v,op\n1,3,gone,D\n2,0,late,U\n4,5,del,D\n3,2,b,U\n2,2,y,U\n")
    second = lake.done()
    assert (second["silver.orders"].counts.deleted, second["silver.orders"].counts.updated) == (1, 2)
    # `b` moved from order 2 to order 3. No order has `aa` or `x` any more.
    assert lake.rows("silver.names") == [("b", 3), ("y", 2)]
    lake.deliver("orders/c.csv", "id,seq,v,op\n1,2,older,U\n4,4,old,U\n4,6,new,I\n3,9,,D\n")
    lake.done()
    assert lake.rows("silver.orders", "id", "seq", "v") == [(2, 2, "y"), (4, 6, "new"), (9, 1, "nine")]
    assert lake.rows("silver.names") == [("new", 4), ("y", 2)]
    assert lake.quarantine("silver.orders") == [(("null_key",), {"seq": 1, "v": "c", "op": "I"})]
    versions = {name: lake.version(name) for name in ("bronze.orders", "silver.orders", "silver.names")}
    assert {outcome.status for outcome in lake.done().values()} == {"nothing_new"}
    assert {name: lake.version(name) for name in versions} == versions


def test_value_moved_to_another_column_is_a_change(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, a string, b string")
    source.append([{"id": 1, "a": "x", "b": None}, {"id": 2, "a": None, "b": None}])
    lake.declare("silver.t", "load: {merge: {key: id}}", "SELECT id, a, b FROM bronze.src")
    lake.declare("silver.whole", "load: overwrite", "SELECT id, a, b FROM bronze.src")
    lake.done("silver")
    source.sql("UPDATE {t} SET a = NULL, b = 'x' WHERE id = 1")
    lake.done("silver")
    for table in ("silver.t", "silver.whole"):
        assert lake.rows(table) == [(1, None, "x"), (2, None, None)]


def test_keys_with_a_lossy_cast_remain_quarantined(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id double, at timestamp, n int")
    source.append([{"id": 1.5, "at": None, "n": 1}, {"id": 1.0, "at": None, "n": 2}])
    source.append([{"id": 2.5, "at": None, "n": 3}])
    lake.declare(
        "silver.t",
        "load: {merge: {key: id, newest_by: n}}\ncolumns: {id: int}",
        "SELECT id, n FROM bronze.src",
    )
    lake.done("silver")
    source.sql("UPDATE {t} SET n = n + 10 WHERE id < 2")
    lake.done("silver")
    assert lake.rows("silver.t") == [(1, 12)]
    assert [row for _, row in lake.quarantine("silver.t")] == [
        {"id": "1.5", "n": 11},
        {"id": "2.5", "n": 3},
    ]
    source.append([{"id": 1.25, "at": None, "n": 4}, {"id": 1.0, "at": None, "n": 1}])
    source.sql("DELETE FROM {t} WHERE id = 1 AND n = 12")
    lake.done("silver")
    assert lake.rows("silver.t") == [(1, 1)]
    assert sorted(row["id"] for _, row in lake.quarantine("silver.t")) == ["1.25", "1.5", "2.5"]


def test_filtered_rows_cannot_fail_the_cast_of_keys(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id string, n int")
    source.append([{"id": "1", "n": 1}, {"id": "x", "n": 2}, {"id": "2", "n": 3}])
    sql = "SELECT CAST(id AS int) AS id, n FROM bronze.src WHERE id RLIKE '^[0-9]+$'"
    lake.declare("silver.t", "load: {merge: {key: id}}", sql)
    lake.declare("gold.t", "load: {overwrite_partitions: {by: id}}", sql)
    lake.done("silver", "gold")
    source.sql("UPDATE {t} SET n = n + 10 WHERE id <> '2'")
    lake.done("silver", "gold")
    assert lake.rows("silver.t") == lake.rows("gold.t") == [(1, 11), (2, 3)]


def test_column_that_orders_rows_may_have_any_name(lake: Lake) -> None:
    """The order of rows ends with their hash, whose name must not be that of a column."""
    upstream = Upstream(lake, "bronze.t", "id int, h int, hash int")
    lake.declare(
        "silver.t", "load: {merge: {key: id, newest_by: [h, hash]}}", "SELECT id, h, hash FROM bronze.t"
    )
    for h in (1, 3, 2):
        upstream.append([{"id": 1, "h": h, "hash": h}])
        lake.done("silver")
    assert lake.rows("silver.t") == [(1, 3, 3)]


def test_key_of_exploded_elements_is_recomputed_for_its_rows_alone(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, at int, items array<struct<sku:string,n:int>>")
    source.append(
        [
            {"id": 1, "at": 1, "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]},
            {"id": 2, "at": 1, "items": [{"sku": "a", "n": 3}, {"sku": None, "n": 4}]},
            {"id": 3, "at": 1, "items": [{"sku": "c", "n": 5}]},
        ]
    )
    lake.declare("silver.orders", "load: {merge: {key: id, newest_by: at}}", "SELECT * FROM bronze.src")
    query = "SELECT id, item.sku, item.n, at FROM (SELECT id, at, explode(items) AS item FROM silver.orders)"
    lake.declare(
        "silver.lines", "load: {merge: {key: [id, sku], newest_by: at}}\nincremental: required", query
    )
    lake.declare("silver.whole", "load: overwrite", f"SELECT * FROM ({query}) WHERE sku IS NOT NULL")
    lake.done("silver")
    source.append(
        [
            {"id": 1, "at": 2, "items": [{"sku": "b", "n": 7}, {"sku": "d", "n": 8}]},
            {"id": 2, "at": 2, "items": [{"sku": None, "n": 9}]},
            {"id": 4, "at": 2, "items": [{"sku": "a", "n": 6}]},
        ]
    )
    loaded = lake.done("silver")["silver.lines"]
    assert lake.rows("silver.lines") == lake.rows("silver.whole")
    assert lake.rows("silver.lines") == [(1, "b", 7, 2), (1, "d", 8, 2), (3, "c", 5, 1), (4, "a", 6, 2)]
    # Orders 1, 2 and 4: three lines are written, two are deleted, and one has no key. Order 3 is not read.
    assert (loaded.counts.rows_in, loaded.counts.quarantined, loaded.counts.deleted) == (4, 1, 2)
    assert lake.quarantine("silver.lines") == [(("null_key",), {"id": 2, "n": 9, "at": 2})]
    source.sql("DELETE FROM {t} WHERE id = 1 AND at = 2")
    lake.done("silver")
    assert lake.rows("silver.lines") == lake.rows("silver.whole")
    lake.done("silver", rebuild=["silver.lines"])
    assert lake.rows("silver.lines") == lake.rows("silver.whole")
