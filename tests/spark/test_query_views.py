"""The temporary views that a query is analysed with."""

from __future__ import annotations

from goldsmith.run.query import computed
from support.lake import Lake


def test_query_leaves_no_view_and_keeps_its_input_persisted(lake: Lake) -> None:
    lake.declare("bronze.src", "source: {files: src/*.csv, format: csv}\ncolumns: {id: int}")
    lake.declare("silver.t", "load: overwrite", "SELECT id + 1 AS id FROM bronze.src")
    table = lake.project().tables["silver.t"]
    given = lake.spark.range(2).persist()
    before = {row.viewName for row in lake.spark.sql("SHOW VIEWS").collect()}
    result = computed(lake.spark, table, {"bronze.src": given}).frame
    assert {row.viewName for row in lake.spark.sql("SHOW VIEWS").collect()} == before
    assert given.storageLevel.useMemory
    assert sorted(row.id for row in result.collect()) == [1, 2]
    given.unpersist()
