"""Descriptions, comments, properties and clustering follow the declaration."""

from __future__ import annotations

from support.lake import Lake

DEPARTURES = """
    description: {table}
    source: {{files: d/*.csv, format: csv}}
    columns:
      id: {{type: int, description: {column}}}
      city: string
    {more}
"""


def declare(lake: Lake, table: str = "Departures.", column: str = "Who.", more: str = "") -> None:
    lake.declare("bronze.d", DEPARTURES.format(table=table, column=column, more=more))


def detail(lake: Lake, name: str):  # type: ignore[no-untyped-def]
    from delta.tables import DeltaTable

    return DeltaTable.forPath(lake.spark, lake.path(name)).detail().collect()[0]


def comments(lake: Lake, name: str) -> dict[str, str | None]:
    return {field.name: field.metadata.get("comment") for field in lake.table(name).schema.fields}


def test_changed_description_is_applied_in_one_commit(lake: Lake) -> None:
    declare(lake)
    lake.deliver("d/1.csv", "id,city\n1,Rome\n")
    lake.done()
    assert detail(lake, "bronze.d").description == "Departures."
    assert comments(lake, "bronze.d")["id"] == "Who."
    before = lake.version("bronze.d")

    declare(
        lake, "Departures of the day.", "The traveller.", "properties: {delta.appendOnly: 'true', team: ops}"
    )
    lake.done()
    assert lake.version("bronze.d") == before + 1
    found = detail(lake, "bronze.d")
    assert found.description == "Departures of the day."
    assert comments(lake, "bronze.d")["id"] == "The traveller."
    assert (found.properties["delta.appendOnly"], found.properties["team"]) == ("true", "ops")
    assert found.properties["delta.enableChangeDataFeed"] == "true"


def test_undeclared_properties_are_removed(lake: Lake) -> None:
    declare(lake, more="properties: {delta.enableChangeDataFeed: 'true', team: ops}")
    lake.deliver("d/1.csv", "id,city\n1,Rome\n")
    lake.done()
    lake.declare("bronze.d", "source: {files: d/*.csv, format: csv}\ncolumns: {id: int, city: string}")
    lake.done()
    found = detail(lake, "bronze.d")
    assert found.description is None
    assert comments(lake, "bronze.d")["id"] is None
    assert "team" not in found.properties
    assert found.properties["delta.enableChangeDataFeed"] == "true", "the property of every table remains"
    assert "goldsmith.declared" not in found.properties


def test_unchanged_declaration_causes_no_commit(lake: Lake) -> None:
    declare(lake, more="cluster_by: id")
    lake.deliver("d/1.csv", "id,city\n1,Rome\n")
    lake.done()
    before = lake.version("bronze.d")
    assert lake.done()["bronze.d"].status == "nothing_new"
    assert lake.version("bronze.d") == before


def test_clustering_follows_the_declaration(lake: Lake) -> None:
    declare(lake)
    lake.deliver("d/1.csv", "id,city\n1,Rome\n")
    lake.done()
    for more, expected in (("cluster_by: [city, id]", ["city", "id"]), ("cluster_by: id", ["id"]), ("", [])):
        declare(lake, more=more)
        lake.done()
        assert detail(lake, "bronze.d").clusteringColumns == expected
    lake.deliver("d/2.csv", "id,city\n2,Oslo\n")
    lake.done()
    assert lake.rows("bronze.d", "id") == [(1,), (2,)]


def test_downstream_loads_ignore_a_changed_description(lake: Lake) -> None:
    declare(lake)
    lake.declare(
        "silver.d",
        "load: {merge: {key: [id], newest_by: [city]}}\ndescription: One row each.",
        "SELECT id, city FROM bronze.d",
    )
    lake.deliver("d/1.csv", "id,city\n1,Rome\n")
    lake.done()
    declare(lake, "Other words.", "Other words.", "cluster_by: id")
    assert lake.done()["silver.d"].status == "nothing_new"
    lake.deliver("d/2.csv", "id,city\n2,Oslo\n")
    outcome = lake.done()["silver.d"]
    assert outcome.commits[0].mode == "incremental"
    assert lake.rows("silver.d", "id", "city") == [(1, "Rome"), (2, "Oslo")]


def test_overwritten_table_keeps_its_comments(lake: Lake) -> None:
    declare(lake)
    lake.declare(
        "gold.n",
        "description: How many.\ncolumns: {n: {description: Departures counted.}}",
        "SELECT count(*) AS n FROM bronze.d",
    )
    lake.deliver("d/1.csv", "id,city\n1,Rome\n")
    lake.done()
    lake.deliver("d/2.csv", "id,city\n2,Oslo\n")
    lake.done()
    assert lake.rows("gold.n") == [(2,)]
    assert comments(lake, "gold.n") == {"n": "Departures counted."}
    assert detail(lake, "gold.n").description == "How many."


def test_property_refused_by_delta_is_reported_after_the_rows_are_written(lake: Lake) -> None:
    declare(lake)
    lake.deliver("d/1.csv", "id,city\n1,Rome\n")
    lake.done()
    declare(lake, more="properties: {delta.nonsense: 'yes'}")
    lake.deliver("d/2.csv", "id,city\n2,Oslo\n")
    error = lake.failed("bronze.d").error
    assert error is not None
    assert error.code == "GS407"
    assert "delta.nonsense" in error.message
    assert error.where.line is not None
    assert lake.rows("bronze.d", "id") == [(1,), (2,)]
    declare(lake)
    lake.done()
