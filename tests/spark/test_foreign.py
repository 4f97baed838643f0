"""Changes made to a table outside Goldsmith, and values that differ in one bit."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from goldsmith.engine.delta.changes import read_changes
from goldsmith.engine.delta.log import TableLog
from goldsmith.engine.delta.spans import read_span
from goldsmith.engine.delta.writing import Target, append
from goldsmith.engine.row_values import row_hash
from goldsmith.run import commits, table_loading
from support.lake import Lake
from support.properties import Upstream


def between_check_and_commit(monkeypatch: pytest.MonkeyPatch, lake: Lake, name: str, column: str) -> None:
    """Appends a row from outside Goldsmith right before the next commit to the table, once."""
    spark, path, done = lake.spark, lake.path(name), []

    def append_row() -> None:
        if not done:
            done.append(True)
            row = spark.read.format("delta").load(path).limit(1).withColumn(column, F.lit(-1))
            row.write.format("delta").mode("append").save(path)

    original = commits._commit

    def late(*args: object) -> None:
        # The log has been checked. Delta's own conflict detection allows concurrent appends.
        append_row()
        original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(commits, "_commit", late)


def test_foreign_append_between_check_and_commit_is_detected_and_undone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Upstream(lake, "bronze.src", "id int, n int")
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.a", "load: append", "SELECT id, n FROM bronze.src")
    lake.done("silver")
    source.append([{"id": 2, "n": 2}])
    between_check_and_commit(monkeypatch, lake, "silver.a", "id")
    done = lake.done("silver")["silver.a"]
    assert lake.rows("silver.a") == [(1, 1), (2, 2)]
    assert [commit.mode for commit in done.commits] == ["incremental", "rebuild"]
    assert "changed outside Goldsmith (WRITE)" in done.warnings[0]
    assert lake.done("silver")["silver.a"].status == "nothing_new"


def test_foreign_rows_in_bronze_give_a_warning(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.declare("bronze.t", "source: {files: t/*.csv, format: csv}\ncolumns: {id: int}\n")
    lake.deliver("t/a.csv", "id\n1\n")
    lake.done()
    lake.deliver("t/b.csv", "id\n2\n")
    with monkeypatch.context() as patch:
        between_check_and_commit(patch, lake, "bronze.t", "id")
        done = lake.done()["bronze.t"]
    assert "--rebuild bronze.t" in done.warnings[0]
    assert lake.rows("bronze.t", "id") == [(-1,), (1,), (2,)]
    assert lake.done(rebuild=["bronze.t"])["bronze.t"].warnings == ()
    assert lake.rows("bronze.t", "id") == [(1,), (2,)]
    # Deleting rows from bronze is allowed: it erases personal data.
    lake.spark.sql(f"DELETE FROM delta.`{lake.path('bronze.t')}` WHERE id = 1")
    assert lake.done()["bronze.t"].warnings == ()


def test_foreign_commit_is_detected_after_maintenance(lake: Lake) -> None:
    """The next commit records the foreign one."""
    source = Upstream(lake, "bronze.src", "id int, n int")
    source.append([{"id": 1, "n": 1}])
    lake.declare("silver.a", "load: append", "SELECT id, n FROM bronze.src")
    lake.done("silver")
    path = lake.path("silver.a")
    log = TableLog(path)
    bookmark = log.bookmark(log.state())
    assert bookmark is not None
    assert bookmark.foreign == ()
    rows = lake.table("silver.a")
    rows.write.format("delta").mode("append").save(path)
    planned = Target(path, bookmark.version, {}, {})
    append(planned, rows.limit(0), table_loading.replace(bookmark.metadata, counter=2))
    found = log.bookmark(log.state())
    assert found is not None
    assert found.foreign == ("WRITE",)
    again = Target(path, log.version(), {}, {})
    append(again, rows.limit(0), table_loading.replace(found.metadata, counter=3, mode="maintenance"))
    found = log.bookmark(log.state())
    assert found is not None
    assert found.foreign == ("WRITE",)


def test_one_bit_is_a_change_and_equal_rows_cancel_out(lake: Lake, spark: SparkSession) -> None:
    path = str(lake.root / "exact")
    values = (
        "1 AS id, {0} AS d, array(CAST({0} AS float)) AS a, map('x', {0}, 'y', 1D) AS m, {1} AS v, {2} AS w"
    )
    nested = "map(1, map(1, 2), 2, map(3, 4)) "
    before = values.format("double('-0.0')", 'parse_json(\'{"b": 1, "a": [0.5]}\')', nested)
    spark.sql(f"SELECT {before}").write.format("delta").save(path)
    log = TableLog(path)

    def changes(select: str) -> tuple[int, int]:
        first = log.version()
        spark.sql(f"SELECT {select}").write.format("delta").mode("overwrite").save(path)
        found = read_changes(spark, path, read_span(log, first, log.version()))
        assert found.removed is not None
        counted = found.added.count(), found.removed.count()
        for row in found.added.selectExpr(
            "CAST(d AS string)", "CAST(a[0] AS string)", "CAST(m['x'] AS string)"
        ).collect():
            assert set(row) == {"0.0" if "0D" in select else "-0.0"}
        for frame in found.cached:
            frame.unpersist()
        return counted

    assert changes(before) == (0, 0)
    same = before.replace("map('x', double('-0.0'), 'y', 1D)", "map('y', 1D, 'x', double('-0.0'))")
    assert changes(same.replace(nested, "map(2, map(3, 4), 1, map(1, 2)) ")) == (0, 0)
    assert changes(before.replace('"b": 1', '"b": "1"')) == (1, 1)
    assert changes(values.format("0D", 'parse_json(\'{"b": 1, "a": [0.5]}\')', nested)) == (1, 1)


def test_row_hash_distinguishes_zeros_and_nested_maps(spark: SparkSession) -> None:
    frame = spark.sql(
        "SELECT * FROM VALUES (0D, map(1, map(1, 2)), 0F), (double('-0.0'), map(1, map(1, 2)), 0F), "
        "(0D, map(1, map(1, 3)), 0F), (0D, map(1, map(1, 2)), float('-0.0')) AS t(d, m, f)"
    )
    assert frame.selectExpr(f"{row_hash(frame.schema)} AS h").distinct().count() == 4


def test_changed_sign_of_zero_is_loaded_by_every_load(lake: Lake) -> None:
    source = Upstream(lake, "bronze.src", "id int, d double")
    source.append([{"id": 1, "d": -0.0}])
    sql = "SELECT id, d FROM bronze.src"
    lake.declare("silver.m", "load: {merge: {key: id}}", sql)
    lake.declare("gold.o", "load: overwrite", sql)
    lake.declare("gold.p", "load: {overwrite_partitions: {by: d}}", sql)
    lake.done("silver", "gold")
    source.overwrite([{"id": 1, "d": 0.0}])
    lake.done("silver", "gold")
    for table in ("silver.m", "gold.o", "gold.p"):
        assert [str(row[1]) for row in lake.rows(table)] == ["0.0"], table
