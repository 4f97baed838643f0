"""Bronze tables from files, and append loads."""

from __future__ import annotations

from support.lake import Lake

ORDERS = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, amount: "decimal(9,2)"}
"""


def test_rows_of_each_file_are_loaded_once(lake: Lake) -> None:
    lake.declare("bronze.orders", ORDERS)
    lake.deliver("orders/a.csv", "id,amount\n1,2.50\n2,3.00\n")
    assert lake.done()["bronze.orders"].counts.written == 2
    lake.deliver("orders/b.csv", "id,amount\n3,1.00\n")
    assert lake.done()["bronze.orders"].counts.written == 1
    assert lake.done()["bronze.orders"].status == "nothing_new"
    assert [row[0] for row in lake.rows("bronze.orders", "id")] == [1, 2, 3]
    assert lake.version("bronze.orders") == 1


def test_value_of_the_wrong_type_is_quarantined_with_its_text(lake: Lake) -> None:
    lake.declare("bronze.orders", ORDERS)
    lake.deliver("orders/a.csv", "id,amount\n1,2.50\nx,3.00\n")
    counts = lake.done()["bronze.orders"].counts
    assert (counts.rows_in, counts.written, counts.quarantined) == (2, 1, 1)
    [(reasons, row)] = lake.quarantine("bronze.orders")
    assert reasons == ("cast(id as int)",)
    assert row["id"] == "x"
    assert row["_source_file"] == "orders/a.csv"


CHEAP = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, amount: "decimal(9,2)"}
expectations:
  - expect_column_values_to_be_between: {column: amount, max_value: %s}
    otherwise: quarantine
"""


def test_released_rows_are_written_once(lake: Lake) -> None:
    lake.declare("bronze.orders", CHEAP % 5)
    lake.deliver("orders/a.csv", "id,amount\n1,2.50\n2,7\n3,8\n4,90\nx,8\n")
    lake.done()
    assert lake.rows("bronze.orders", "id") == [(1,)]
    lake.declare("bronze.orders", CHEAP % 10)
    assert lake.done()["bronze.orders"].status == "nothing_new", "changed rules do not affect loaded files"
    first = lake.release("bronze.orders", "id = '2'")
    assert (first.chosen, first.released, first.left) == (1, 1, 0)
    rest = lake.release("bronze.orders")
    assert (rest.chosen, rest.released, rest.left) == (3, 1, 2)
    assert lake.release("bronze.orders").released == 0
    assert lake.rows("bronze.orders", "id") == [(1,), (2,), (3,)]
    assert [row["id"] for _, row in lake.quarantine("bronze.orders")] == [4, "x"]
    lake.deliver("orders/b.csv", "id,amount\n5,1\n")
    assert lake.done()["bronze.orders"].counts.written == 1


def test_changed_type_of_bronze_is_refused_until_a_rebuild(lake: Lake) -> None:
    lake.declare("bronze.orders", ORDERS)
    lake.deliver("orders/a.csv", "id,amount\n1,2.50\nx,3.00\n")
    lake.done()
    lake.declare("bronze.orders", ORDERS.replace("id: int", "id: string"))
    lake.deliver("orders/b.csv", "id,amount\ny,1\n")
    error = lake.failed("bronze.orders").error
    assert error is not None
    assert error.code == "GS405"
    assert "id" in error.message
    lake.done(rebuild=["bronze.orders"])
    assert lake.rows("bronze.orders", "id") == [("1",), ("x",), ("y",)]
    assert lake.quarantine("bronze.orders") == []


def test_accepted_gate_does_not_release_rows_of_a_quarantine_rule_of_that_name(lake: Lake) -> None:
    rule = "expectations: [{{condition: n < 5, name: small, otherwise: {}}}]"
    source = "source: {files: t/*.csv, format: csv}\ncolumns: {n: int}\n"
    lake.declare("bronze.t", source + rule.format("quarantine"))
    lake.declare("silver.t", "load: append\n" + rule.format("fail"), "SELECT n + 3 AS n FROM bronze.t")
    lake.deliver("t/a.csv", "n\n1\n4\n9\n")
    lake.done(accept=["small"])
    assert lake.rows("bronze.t", "n") == [(1,), (4,)]
    assert lake.rows("silver.t", "n") == [(4,), (7,)]
    assert len(lake.quarantine("bronze.t")) == 1
