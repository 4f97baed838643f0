"""Tables whose declarations, names and files change over time."""

from __future__ import annotations

from support.lake import Lake

BRONZE = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, day: date, amount: int}
"""
QUERY = "SELECT id, day, amount FROM bronze.orders"
LOADS = {
    "append": "load: append",
    "merge": "load: {merge: {key: [id], newest_by: [amount]}}",
    "overwrite_partitions": "load: {overwrite_partitions: {by: [day]}}",
    "overwrite": "load: overwrite",
}
DELIVERED = [(1, 1, 10), (1, 2, 20), (2, 1, 30), (2, 3, 5), (3, 3, 7), (1, 3, 15), (4, 4, 1), (2, 4, 40)]


def line(row: tuple[int, int, int]) -> str:
    return f"{row[0]},2020-01-0{row[1]},{row[2]}\n"


def found(lake: Lake, name: str) -> list[tuple[int, int, int]]:
    return sorted((id_, day.day, amount) for id_, day, amount in lake.rows(name, "id", "day", "amount"))


def right(load: str, rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    if load != "merge":
        return sorted(rows)
    newest: dict[int, tuple[int, int, int]] = {}
    for row in rows:
        if row[0] not in newest or row[2] > newest[row[0]][2]:
            newest[row[0]] = row
    return sorted(newest.values())


def test_changed_load_rebuilds_and_then_loads_incrementally(lake: Lake) -> None:
    lake.declare("bronze.orders", BRONZE)
    so_far: list[tuple[int, int, int]] = []
    for at, load in enumerate(("merge", "append", "overwrite_partitions", "overwrite", "merge")):
        lake.declare("silver.orders", LOADS[load], QUERY)
        if at:
            assert lake.done()["silver.orders"].commits[0].mode == "rebuild"
            assert found(lake, "silver.orders") == right(load, so_far), load
        row = DELIVERED[at]
        so_far.append(row)
        lake.deliver(f"orders/{at}.csv", "id,day,amount\n" + line(row))
        lake.done()
        assert found(lake, "silver.orders") == right(load, so_far), load


def test_renamed_table_is_loaded_from_the_start_and_the_former_one_remains(lake: Lake) -> None:
    lake.declare("bronze.orders", BRONZE)
    lake.declare("silver.orders", LOADS["merge"], QUERY)
    lake.deliver("orders/a.csv", "id,day,amount\n" + line(DELIVERED[0]))
    lake.done()
    for suffix in ("yaml", "sql"):
        former = lake.root / f"pipelines/p/silver/orders.{suffix}"
        former.rename(former.with_name(f"sales.{suffix}"))
    assert set(lake.done()) == {"bronze.orders", "silver.sales"}
    assert found(lake, "silver.sales") == found(lake, "silver.orders") == [DELIVERED[0]]
    (lake.root / "pipelines/p/bronze/orders.yaml").rename(lake.root / "pipelines/p/bronze/bought.yaml")
    lake.declare("silver.sales", LOADS["merge"], QUERY.replace("orders", "bought"))
    lake.deliver("orders/b.csv", "id,day,amount\n" + line(DELIVERED[2]))
    outcomes = lake.done()
    assert outcomes["bronze.bought"].counts.written == 2
    assert outcomes["silver.sales"].commits[0].mode == "rebuild"
    assert found(lake, "silver.sales") == right("merge", [DELIVERED[0], DELIVERED[2]])


def test_rows_of_a_removed_file_remain_and_a_replaced_file_is_loaded_again(lake: Lake) -> None:
    lake.declare("bronze.orders", BRONZE)
    lake.declare("silver.orders", LOADS["merge"], QUERY)
    for name, row in zip("abc", DELIVERED, strict=False):
        lake.deliver(f"orders/{name}.csv", "id,day,amount\n" + line(row))
    lake.done()
    (lake.root / ".goldsmith/landing/orders/a.csv").unlink()
    assert {outcome.status for outcome in lake.done().values()} == {"nothing_new"}
    lake.deliver("orders/b.csv", "id,day,amount\n" + line((1, 2, 99)))
    assert lake.done()["bronze.orders"].counts.written == 1
    assert found(lake, "bronze.orders") == sorted([*DELIVERED[:3], (1, 2, 99)])
    assert found(lake, "silver.orders") == right("merge", [*DELIVERED[:3], (1, 2, 99)])


def test_row_that_fails_two_rules_is_counted_once(lake: Lake) -> None:
    lake.declare(
        "bronze.orders",
        BRONZE
        + """
expectations:
  - expect_column_values_to_be_between: {column: amount, max_value: 5}
    otherwise: quarantine
  - condition: id < 5
    name: small_id
    otherwise: drop
  - expect_column_values_to_not_be_null: {column: amount, mostly: 0.5}
    otherwise: fail
  - expect_column_values_to_be_unique: {column: id}
    otherwise: warn
""",
    )
    lake.deliver(
        "orders/a.csv", "id,day,amount\n1,2020-01-01,1\n1,2020-01-01,\n9,2020-01-01,9\n9,2020-01-01,2\n"
    )
    done = lake.done()["bronze.orders"]
    counts = done.counts
    assert (counts.rows_in, counts.written, counts.quarantined, counts.dropped) == (4, 2, 1, 1)
    assert [(reasons, row["id"]) for reasons, row in lake.quarantine("bronze.orders")] == [
        (("amount_to_be_between", "small_id"), 9)
    ]
    verdicts = {verdict.name: verdict for verdict in done.commits[0].verdicts}
    assert verdicts["amount_to_not_be_null"].ok
    assert not verdicts["id_to_be_unique"].ok
    # Each batch is evaluated separately: the same id is unique in the next one.
    lake.deliver("orders/b.csv", "id,day,amount\n1,2020-01-01,2\n")
    assert all(verdict.ok for verdict in lake.done()["bronze.orders"].commits[0].verdicts)
    lake.deliver("orders/c.csv", "id,day,amount\n2,2020-01-01,\n3,2020-01-01,\n4,2020-01-01,1\n")
    assert lake.failed("bronze.orders").status == "gate"
    assert len(lake.rows("bronze.orders")) == 3


def test_wide_file_is_loaded(lake: Lake, full_counts: bool) -> None:
    count = 2_000 if full_counts else 300
    lake.declare("bronze.wide", "source: {files: wide/*.csv, format: csv}\n")
    names = [f"c{at}" for at in range(count)]
    lake.deliver("wide/a.csv", ",".join(names) + "\n" + ",".join(map(str, range(count))) + "\n")
    assert lake.done()["bronze.wide"].counts.written == 1
    assert lake.rows("bronze.wide", *names) == [tuple(map(str, range(count)))]


def test_huge_line_is_loaded_completely(lake: Lake, full_counts: bool) -> None:
    length = 60_000_000 if full_counts else 3_000_000
    lake.declare("bronze.huge", "source: {files: huge/*.csv, format: csv}\ncolumns: {text: string, n: int}\n")
    lake.deliver("huge/a.csv", "text,n\n" + "x" * length + ",1\ny,2\n")
    assert lake.done()["bronze.huge"].counts.written == 2
    sizes = lake.table("bronze.huge").selectExpr("length(text) AS l", "n").orderBy("n").collect()
    assert [(row.l, row.n) for row in sizes] == [(length, 1), (1, 2)]


def test_thousands_of_files_are_loaded_once(lake: Lake, full_counts: bool) -> None:
    count = 5_000 if full_counts else 400
    lake.declare("bronze.orders", BRONZE)
    for at in range(count):
        lake.deliver(f"orders/{at}.csv", f"id,day,amount\n{at},2020-01-01,1\n")
    assert lake.done()["bronze.orders"].counts.written == count
    assert [row[0] for row in lake.rows("bronze.orders", "id")] == sorted(range(count), key=str)
    assert lake.done()["bronze.orders"].status == "nothing_new"
    (lake.root / ".goldsmith/landing/orders/7.csv").unlink()
    lake.deliver("orders/new.csv", "id,day,amount\n-1,2020-01-01,1\n")
    assert lake.done()["bronze.orders"].counts.written == 1


def test_uniqueness_is_checked_in_each_load_and_over_a_table_that_is_overwritten(lake: Lake) -> None:
    rule = "expectations:\n  - expect_column_values_to_be_unique: {column: id}\n    otherwise: fail\n"
    lake.declare("bronze.o", "source: {files: 'o/*.csv', format: csv}\ncolumns: {id: int}\n")
    lake.declare("silver.kept", f"load: append\n{rule}", "SELECT id FROM bronze.o")
    lake.declare("silver.whole", f"load: overwrite\n{rule}", "SELECT id FROM bronze.o")
    lake.deliver("o/1.csv", "id\n1\n2\n")
    lake.done()
    lake.deliver("o/2.csv", "id\n2\n3\n")
    statuses = {outcome.table: outcome.status for outcome in lake.run().outcomes}
    assert statuses == {"bronze.o": "done", "silver.kept": "done", "silver.whole": "gate"}
    assert lake.rows("silver.kept", "id") == [(1,), (2,), (2,), (3,)]
    assert lake.rows("silver.whole", "id") == [(1,), (2,)]
    lake.deliver("o/3.csv", "id\n4\n4\n")
    statuses = {outcome.table: outcome.status for outcome in lake.run().outcomes}
    assert (statuses["silver.kept"], len(lake.rows("silver.kept"))) == ("gate", 4)
