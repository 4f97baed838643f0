"""Upstreams with changed columns: their readers get one full load, then incremental ones."""

from __future__ import annotations

from goldsmith.run.planning import plan_table
from support.lake import Lake
from support.properties import Upstream

ORDERS = "source: {files: o/*.csv, format: csv}\ncolumns: {id: int, day: string, p: string, q: int}\n"
SILVER = "load: {merge: {key: id, newest_by: q}}"
TYPED = "SELECT id, day, CAST(p AS %s) AS p, q FROM bronze.o"


def shop(lake: Lake) -> None:
    lake.declare("bronze.o", ORDERS)
    lake.declare("silver.o", SILVER, TYPED % "double")
    lake.declare("silver.kept", "load: append", "SELECT id, p FROM silver.o")
    lake.declare(
        "gold.parts",
        "load: {overwrite_partitions: {by: day}}",
        "SELECT day, sum(p) AS p FROM silver.o GROUP BY day",
    )
    lake.declare("gold.key", "load: {merge: {key: p}}", "SELECT p, id FROM silver.o")
    lake.declare("gold.top", "load: {overwrite_partitions: {by: day}}", "SELECT day, p FROM gold.parts")
    lake.deliver("o/a.csv", "id,day,p,q\n1,a,1.5,7\n2,b,2.25,7\n")
    lake.done()


def test_changed_type_causes_full_loads_downstream(lake: Lake) -> None:
    shop(lake)
    names = ("silver.kept", "gold.parts", "gold.key", "gold.top")
    ids = {name: plan_table(lake.spark, lake.begin(), lake.project().tables[name]).state.id for name in names}
    lake.declare("silver.o", SILVER, TYPED % "decimal(9,2)")
    lake.done("silver.o")
    run = lake.begin()
    plan = plan_table(lake.spark, run, run.project.tables["gold.parts"])
    assert plan.action == "full"
    assert plan.reason == "silver.o: the type of p changed from double to decimal(9,2)"
    done = lake.done()
    for name in names:
        assert [commit.mode for commit in done[name].commits] == ["full"], done[name].reason
        assert done[name].table_id == ids[name]
        assert dict(lake.table(name).dtypes)["p"] == {
            "gold.parts": "decimal(19,2)",
            "gold.top": "decimal(19,2)",
        }.get(name, "decimal(9,2)")
    assert [row[0] for row in lake.rows("silver.kept")] == [1, 2]
    lake.deliver("o/b.csv", "id,day,p,q\n2,b,9,8\n3,c,3,7\n")
    # An append refuses updates of rows that it has loaded.
    assert lake.failed("silver.kept").error.code == "GS404"  # type: ignore[union-attr]
    lake.done("gold")
    assert [str(row[1]) for row in lake.rows("gold.parts", "day", "p")] == ["1.50", "9.00", "3.00"]
    assert lake.rows("gold.top", "day", "p") == lake.rows("gold.parts", "day", "p")


def test_comments_and_new_columns_load_incrementally_and_other_changes_in_full(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, p string, q int")
    source.sql(
        "CREATE TABLE {t} (id int, p string, q int) USING delta TBLPROPERTIES "
        "(delta.enableChangeDataFeed = true, delta.columnMapping.mode = 'name', delta.enableTypeWidening = true)"
    )
    source.append([{"id": 1, "p": "a", "q": 1}])
    lake.declare("silver.m", "load: {merge: {key: id}}", "SELECT id, p FROM bronze.src")
    lake.declare("silver.w", "load: {merge: {key: id}}", "SELECT id, q FROM bronze.src")
    lake.done("silver")
    for statement, modes in (
        ("ALTER TABLE {t} ALTER COLUMN p COMMENT 'said'", ("incremental", "incremental")),
        ("ALTER TABLE {t} ADD COLUMN extra string", ("incremental", "incremental")),
        ("ALTER TABLE {t} ALTER COLUMN q TYPE bigint", ("full", "full")),
        ("ALTER TABLE {t} RENAME COLUMN extra TO other", ("full", "full")),
        ("ALTER TABLE {t} DROP COLUMN other", ("full", "full")),
    ):
        source.sql(statement)
        source.sql("INSERT INTO {t} (id, p, q) SELECT max(id) + 1, 'n', 1 FROM {t}")
        done = lake.done("silver")
        assert tuple(done[name].commits[0].mode for name in ("silver.m", "silver.w")) == modes, statement
    assert len(lake.rows("silver.m")) == 6
    assert dict(lake.table("silver.w").dtypes)["q"] == "bigint"


def test_changed_type_with_several_drivers_lookups_and_removed_rows(lake: Lake) -> None:
    one = Upstream(lake, "bronze.one", "id int, p int")
    two = Upstream(lake, "bronze.two", "id int, p int")
    one.append([{"id": 1, "p": 1}])
    two.append([{"id": 2, "p": 2}])
    union = "SELECT id, p FROM bronze.one UNION ALL SELECT id, p FROM bronze.two"
    drivers = "changes_of: [bronze.one, bronze.two]"
    lake.declare("silver.both", f"load: {{merge: {{key: id}}}}\n{drivers}", union)
    lake.declare("silver.kept", f"load: append\non_removed: ignore\n{drivers}", union)
    lake.declare(
        "silver.looked",
        "load: {merge: {key: id}}\nchanges_of: bronze.one\nlookups: {bronze.two: as_loaded}",
        "SELECT o.id, t.p FROM bronze.one o LEFT JOIN bronze.two t ON t.id = o.id + 1",
    )
    lake.done("silver")
    wide = lake.spark.sql("SELECT 2 AS id, CAST(2.5 AS decimal(3,1)) AS p")
    wide.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(two.path)
    one.append([{"id": 3, "p": 3}])
    done = lake.done("silver")
    assert {name: outcome.commits[0].mode for name, outcome in done.items()} == dict.fromkeys(done, "full")
    assert done["silver.kept"].warnings
    for table in ("silver.both", "silver.kept"):
        assert [(row[0], float(row[1])) for row in lake.rows(table)] == [(1, 1.0), (2, 2.5), (3, 3.0)]
    assert [str(row[1]) for row in lake.rows("silver.looked")] == ["2.5", "None"]
    one.append([{"id": 4, "p": 4}])
    assert lake.done("silver")["silver.both"].commits[0].mode == "incremental"
    assert len(lake.rows("silver.kept")) == 4
