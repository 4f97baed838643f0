"""A run without work is detected without Spark, and never wrongly."""

from __future__ import annotations

import pytest

from support.lake import Lake

ORDERS = """
source: {files: orders/*.csv, format: csv}
columns: {id: int, amount: int}
"""
DAILY = "load: {merge: {key: id, newest_by: amount}}\ndescription: One row per id."
SQL = "SELECT id, amount FROM bronze.orders"


@pytest.fixture
def shop(lake: Lake) -> Lake:
    """Bronze and silver, loaded once."""
    declare(lake)
    lake.deliver("orders/1.csv", "id,amount\n1,10\n")
    lake.done()
    return lake


def declare(lake: Lake) -> None:
    lake.declare("bronze.orders", ORDERS)
    lake.declare("silver.orders", DAILY, SQL)


def test_run_with_nothing_new_is_detected_without_spark(shop: Lake) -> None:
    found = shop.idle()
    assert found is not None
    assert {(each.table, each.status) for each in found.outcomes} == {
        ("bronze.orders", "nothing_new"),
        ("silver.orders", "nothing_new"),
    }
    assert shop.idle("silver.orders") is not None
    # Commits without rows are ignored: maintenance and changed comments.
    shop.spark.sql(f"OPTIMIZE delta.`{shop.path('bronze.orders')}`")
    shop.spark.sql(f"ALTER TABLE delta.`{shop.path('bronze.orders')}` ALTER COLUMN id COMMENT 'x'")
    assert shop.idle() is not None


def test_possible_changes_require_spark(shop: Lake) -> None:
    silver = shop.path("silver.orders")
    shop.deliver("orders/2.csv", "id,amount\n2,20\n")
    assert shop.idle() is None
    shop.done("bronze.orders")
    assert shop.idle("bronze.orders") is not None
    assert shop.idle("silver.orders") is None, "its upstream has new rows"
    shop.done()
    assert shop.idle() is not None
    shop.declare("silver.orders", DAILY, f"{SQL} WHERE amount > 0")
    assert shop.idle() is None, "its SQL changed"
    shop.declare("silver.orders", DAILY.replace("One row", "A row"), SQL)
    assert shop.idle() is None, "its comment changed"
    shop.declare("silver.orders", DAILY, SQL)
    assert shop.idle() is not None
    shop.spark.sql(f"DELETE FROM delta.`{silver}` WHERE id = 2")
    assert shop.idle() is None, "its rows were changed outside Goldsmith"
    shop.done()
    shop.remove("ops.table_runs")
    assert shop.idle() is None, "its loads are not recorded"
    shop.done()
    assert shop.idle() is not None
    shop.remove_from_log("bronze.orders", shop.version("bronze.orders"))
    assert shop.idle() is None, "its log lost its newest version"


def test_lake_without_deliveries_has_nothing_to_do(lake: Lake) -> None:
    declare(lake)
    lake.declare("bronze.prices", ORDERS.replace("orders", "prices"))
    assert lake.idle() is None, "the landing folder is missing, which is an error"
    lake.deliver("orders/_later", "")
    lake.deliver("prices/_later", "")
    assert lake.idle() is not None
    assert lake.idle("silver.orders") is not None, "its upstream does not exist and has no files"
    lake.deliver("orders/1.csv", "id,amount\n1,10\n")
    assert lake.idle("bronze.prices") is None, "it is created empty, so that its readers can load"
