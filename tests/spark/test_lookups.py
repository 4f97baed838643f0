"""Tables that read others beside the one that drives them."""

from __future__ import annotations

from lake import Lake
from properties import Upstream

SQL = """
SELECT s.id, s.k, l.name FROM bronze.src s LEFT JOIN bronze.names l ON s.k = l.k
"""
LOAD = "load: {merge: {key: id}}\nchanges_of: bronze.src\n"


def test_a_changed_lookup_rebuilds_unless_it_counts_as_loaded(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, k int")
    names = Upstream(lake, "bronze.names", "k int, name string")
    source.append([{"id": 1, "k": 1}, {"id": 2, "k": 2}])
    names.append([{"k": 1, "name": "one"}])
    lake.declare("silver.current", LOAD, SQL)
    lake.declare("silver.as_loaded", LOAD + "lookups: {bronze.names: as_loaded}", SQL)
    lake.declare(
        "silver.known",
        "load: append\nexpectations:\n"
        "  - {expect_column_values_to_exist_in: {column: k, table: bronze.names}, otherwise: quarantine}",
        "SELECT id, k FROM bronze.src",
    )
    lake.done("silver")
    assert lake.rows("silver.known") == [(1, 1)]
    names.append([{"k": 2, "name": "two"}])
    done = lake.done("silver")
    assert lake.rows("silver.current") == [(1, 1, "one"), (2, 2, "two")]
    assert done["silver.as_loaded"].status == "nothing_new"
    assert done["silver.known"].commits[0].mode == "rebuild"
    assert lake.rows("silver.known") == [(1, 1), (2, 2)]
    assert lake.quarantine("silver.known") == []
    source.append([{"id": 3, "k": 2}])
    names.sql("OPTIMIZE {t}")
    done = lake.done("silver")
    assert {outcome.commits[0].mode for outcome in done.values()} == {"incremental"}
    assert lake.rows("silver.as_loaded") == [(1, 1, "one"), (2, 2, None), (3, 2, "two")]


def test_two_drivers_joined(lake: Lake) -> None:
    """Each pair of rows is found once, whether its parts come together or one after the other."""
    orders = Upstream(lake, "bronze.orders", "id int, customer int")
    customers = Upstream(lake, "bronze.customers", "customer int, name string")
    orders.append([{"id": 1, "customer": 1}, {"id": 2, "customer": 2}])
    customers.append([{"customer": 1, "name": "Ada"}])
    sql = """
    SELECT o.id, o.customer, c.name FROM bronze.orders o
    JOIN bronze.customers c ON o.customer = c.customer
    """
    drivers = "changes_of: [bronze.orders, bronze.customers]"
    lake.declare("silver.log", f"load: append\n{drivers}", sql)
    lake.declare("silver.t", f"load: {{merge: {{key: [id, customer]}}}}\n{drivers}", sql)
    lake.done("silver")
    orders.append([{"id": 3, "customer": 3}])
    customers.append([{"customer": 2, "name": "Bob"}, {"customer": 3, "name": "Cy"}])
    lake.done("silver")
    expected = [(1, 1, "Ada"), (2, 2, "Bob"), (3, 3, "Cy")]
    assert lake.rows("silver.log") == expected
    assert lake.rows("silver.t") == expected
    customers.sql("UPDATE {t} SET name = 'Bert' WHERE customer = 2")
    orders.sql("DELETE FROM {t} WHERE id = 1")
    orders.append([{"id": 4, "customer": 2}])
    lake.done("silver.t")
    assert lake.rows("silver.t") == [(2, 2, "Bert"), (3, 3, "Cy"), (4, 2, "Bert")]
