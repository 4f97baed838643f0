"""Tables with lookups beside their driving upstreams."""

from __future__ import annotations

from support.lake import Lake
from support.properties import Upstream

SQL = """
SELECT s.id, s.k, l.name FROM bronze.src s LEFT JOIN bronze.names l ON s.k = l.k
"""
LOAD = "load: {merge: {key: id}}\nchanges_of: bronze.src\n"


def test_changed_lookup_rebuilds_unless_declared_as_loaded(lake: Lake) -> None:
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
    union = "SELECT id, k FROM bronze.src UNION ALL SELECT k, k FROM bronze.names"
    lake.declare("silver.union", "load: append\nchanges_of: bronze.src", union)
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
    assert lake.rows("silver.union") == [(1, 1), (1, 1), (2, 2), (2, 2), (3, 2)]


def test_two_joined_drivers(lake: Lake) -> None:
    """Each pair of rows is found once, whether its rows arrive in one load or in two."""
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


def test_reference_to_the_driver_gives_the_same_rows_as_a_rebuild(lake: Lake) -> None:
    """A row's verdict depends on another row of the same upstream, in a later batch or deleted."""
    source = Upstream(lake, "bronze.src", "id int, parent int")
    sql = "SELECT id, parent FROM bronze.src"
    rule = "expectations:\n  - {expect_column_values_to_exist_in: {column: parent, table: bronze.src, key: id}, otherwise: "
    lake.declare("silver.quarantines", f"load: {{merge: {{key: id}}}}\n{rule}quarantine}}", sql)
    lake.declare("silver.drops", f"load: append\non_removed: ignore\n{rule}drop}}", sql)
    lake.declare("silver.warns", f"load: {{merge: {{key: id}}}}\n{rule}warn}}", sql)
    source.append([{"id": 1, "parent": None}, {"id": 3, "parent": 2}])
    lake.done("silver")
    assert lake.rows("silver.quarantines") == lake.rows("silver.drops") == [(1, None)]
    source.append([{"id": 2, "parent": 1}])
    done = lake.done("silver")
    assert lake.rows("silver.quarantines") == lake.rows("silver.drops") == [(1, None), (2, 1), (3, 2)]
    assert lake.quarantine("silver.quarantines") == []
    assert done["silver.warns"].commits[0].mode == "incremental"
    source.sql("DELETE FROM {t} WHERE id = 2")
    lake.done("silver")
    assert lake.rows("silver.quarantines") == lake.rows("silver.drops") == [(1, None)]
    assert [reasons for reasons, _ in lake.quarantine("silver.quarantines")] == [("parent_to_exist_in",)]


def test_reference_to_one_of_several_drivers(lake: Lake) -> None:
    """References read the drivers in their state after all changes."""
    left, right = Upstream(lake, "bronze.a", "id int, k int"), Upstream(lake, "bronze.b", "id int, k int")
    sql = "SELECT id, k FROM bronze.a UNION ALL SELECT id, k FROM bronze.b"
    drivers = "load: append\nchanges_of: [bronze.a, bronze.b]\nexpectations:\n"
    for name, otherwise in (("decides", "quarantine"), ("stops", "fail")):
        rule = f"  - {{expect_column_values_to_exist_in: {{column: k, table: bronze.b, key: id}}, otherwise: {otherwise}}}"
        lake.declare(f"silver.{name}", drivers + rule, sql)
    left.append([{"id": 1, "k": 10}])
    right.append([{"id": 10, "k": 10}])
    lake.done("silver")
    left.append([{"id": 2, "k": 20}])
    right.append([{"id": 20, "k": 20}])
    done = lake.done("silver")
    both = [(1, 10), (10, 10), (2, 20), (20, 20)]
    assert lake.rows("silver.decides") == lake.rows("silver.stops") == both
    assert [commit.mode for commit in done["silver.stops"].commits] == ["incremental", "incremental"]


def test_removed_exception_rebuilds_and_an_added_one_does_not(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, k int")
    names = Upstream(lake, "bronze.names", "k int, name string")
    source.append([{"id": 1, "k": 1}])
    names.append([{"k": 1, "name": "one"}])
    lake.declare("silver.t", LOAD + "lookups: {bronze.names: as_loaded}", SQL)
    kept = "SELECT id, k FROM bronze.src"
    lake.declare("silver.kept", "load: append\non_removed: ignore", kept)
    lake.done("silver")
    names.sql("UPDATE {t} SET name = 'uno'")
    source.sql("UPDATE {t} SET k = 2")
    lake.done("silver")
    assert lake.rows("silver.kept") == [(1, 1), (1, 2)]
    lake.declare("silver.t", LOAD, SQL)
    lake.declare("silver.kept", "load: append", kept)
    done = lake.done("silver")
    assert {outcome.commits[0].mode for outcome in done.values()} == {"rebuild"}
    assert lake.rows("silver.t") == [(1, 2, None)]
    assert lake.rows("silver.kept") == [(1, 2)]
    lake.declare("silver.t", LOAD + "lookups: {bronze.names: as_loaded}", SQL)
    lake.declare("silver.kept", "load: append\non_removed: ignore", kept)
    assert {outcome.status for outcome in lake.done("silver").values()} == {"nothing_new"}


def test_column_names_are_case_insensitive(lake: Lake) -> None:
    """For columns known to check, and for those known only to the run, as bronze declares none."""
    source = Upstream(lake, "bronze.src", "id int, k int, ts int")
    lake.declare("bronze.src", "source: {files: never/*.csv, format: csv}")
    source.append([{"id": 1, "k": 1, "ts": 1}, {"id": 2, "k": 2, "ts": 1}])
    merge = "load: {merge: {key: [ID], newest_by: TS, delete_when: K = 0}}\ncolumns: {K: {type: bigint, description: A.}}\n"
    by = "load: {overwrite_partitions: {by: [ID]}}\ncluster_by: Id\n"
    for name, query in (("known", "SELECT id, k, ts FROM bronze.src"), ("star", "SELECT * FROM bronze.src")):
        lake.declare(f"silver.merged_{name}", merge, query)
        lake.declare(f"silver.parts_{name}", by, query)
    lake.done("silver")
    source.append([{"id": 1, "k": 5, "ts": 2}])
    source.sql("DELETE FROM {t} WHERE id = 2")
    done = lake.done("silver")
    for name in ("known", "star"):
        assert lake.rows(f"silver.merged_{name}") == [(1, 5, 2)]
        assert lake.rows(f"silver.parts_{name}") == [(1, 1, 1), (1, 5, 2)]
        assert lake.table(f"silver.merged_{name}").columns == ["id", "k", "ts"]
        assert done[f"silver.parts_{name}"].commits[0].mode == "incremental"
    source.sql("OPTIMIZE {t}")
    assert {outcome.status for outcome in lake.done("silver").values()} == {"nothing_new"}


def test_deleted_row_is_removed_although_an_as_loaded_lookup_changed(lake: Lake) -> None:
    """The key is computed only from the driver: the changed lookup no longer gives the row."""
    source = Upstream(lake, "bronze.src", "id int, k int")
    names = Upstream(lake, "bronze.names", "k int, name string")
    source.append([{"id": 1, "k": 1}, {"id": 2, "k": 2}])
    names.append([{"k": 1, "name": "one"}, {"k": 2, "name": "two"}])
    lake.declare("silver.t", LOAD + "lookups: {bronze.names: as_loaded}", SQL.replace("LEFT JOIN", "JOIN"))
    lake.done("silver")
    names.sql("DELETE FROM {t} WHERE k = 1")
    source.append([{"id": 3, "k": 2}])
    lake.done("silver")
    source.sql("DELETE FROM {t} WHERE id = 1")
    done = lake.done("silver")
    assert lake.rows("silver.t") == [(2, 2, "two"), (3, 2, "two")]
    assert done["silver.t"].commits[0].mode == "incremental"


def test_late_change_of_a_key_from_an_as_loaded_lookup_computes_the_whole_table(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, at int")
    names = Upstream(lake, "bronze.names", "id int, name string")
    source.append([{"id": 1, "at": 1}, {"id": 1, "at": 3}])
    names.append([{"id": 1, "name": "a"}])
    lake.declare(
        "silver.t",
        "load: {scd2: {key: [id, name], sequence_by: at, track: n}}\nchanges_of: bronze.src\n"
        "lookups: {bronze.names: as_loaded}",
        "SELECT s.id, n.name, s.at, s.at AS n FROM bronze.src s JOIN bronze.names n ON s.id = n.id",
    )
    lake.done("silver")
    names.sql("UPDATE {t} SET name = 'b'")
    source.append([{"id": 1, "at": 2}])
    assert lake.done("silver")["silver.t"].commits[0].mode == "full"
    assert lake.rows("silver.t", "name", "valid_from", "valid_to") == [
        ("b", 1, 2),
        ("b", 2, 3),
        ("b", 3, None),
    ]
