"""Superset follows the declarations: the same numbers as SQL, access of analysts, removed objects."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from pyspark.sql import SparkSession

from goldsmith.errors import GoldsmithError, NotReady
from goldsmith.project.loading import load_project
from goldsmith.project.pipelines import Project
from goldsmith.publish.superset.access import ANALYST
from goldsmith.publish.superset.assets import as_yaml
from goldsmith.publish.superset.client import Server, SupersetClient
from goldsmith.publish.superset.generate import all_dashboards, generate
from goldsmith.publish.superset.names import Names
from goldsmith.publish.superset.pull import pull
from goldsmith.publish.superset.push import Pushed, push
from services.processes import Missing
from services.stack import Stack
from services.superset import Superset, running
from support.charts import NOW, browsing, plain, sql_of
from support.flights_lake import FlightsLake

DAYS = 3
DATABASES = ("bronze", "silver", "gold", "quarantine", "ops")


@dataclass(frozen=True)
class Deployment:
    """A lake of flights served by the Thrift Server, and a Superset that reads it."""

    lake: FlightsLake
    superset: Superset
    uri: str

    @property
    def project(self) -> Project:
        return load_project(self.lake.root)

    def push(self) -> Pushed:
        project = self.project
        names = Names(project.spec.name)
        return push(self.superset.admin(), generate(project), names, database_uri=self.uri)

    def ids_of(self, kind: str, title: str) -> dict[str, int]:
        """The ids of a kind's objects by title."""
        return {each[title]: each["id"] for each in self.superset.admin().all(kind, ("id", title))}


@pytest.fixture(scope="module")
def deployment(
    hive: SparkSession, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    try:
        with running(tmp_path_factory.mktemp("superset")) as superset:
            lake = FlightsLake.make(tmp_path_factory.mktemp("flights"), broken=True)
            spec = "name: flights\nprofiles: {local: {catalog: hive}}\n"
            (lake.root / "goldsmith.yaml").write_text(spec, encoding="utf-8")
            lake.feed(1, DAYS)
            lake.load(hive)
            uri = f"spark://superset@127.0.0.1:{stack.thrift.port}/gold"
            deployment = Deployment(lake, superset, uri)
            deployment.push()
            yield deployment
            for name in DATABASES:
                hive.sql(f"DROP DATABASE IF EXISTS {name} CASCADE")
    except Missing as missing:
        pytest.skip(str(missing))


def test_charts_equal_sql_results(deployment: Deployment, hive: SparkSession) -> None:
    client, project = deployment.superset.admin(), deployment.project
    wanted = {
        chart.title: (dashboard.name, chart)
        for dashboard in all_dashboards(project).values()
        for _, chart in dashboard.charts
    }
    ids = deployment.ids_of("chart", "slice_name")
    assert ids.keys() == wanted.keys()
    for title, (_, chart) in wanted.items():
        got = client.chart_data(ids[title])
        expected = [row.asDict() for row in hive.sql(sql_of(project, chart)).collect()]
        assert len(expected) <= (chart.limit or 1000)
        keys = [key for key in (expected or [{}])[0] if key not in NOW]
        if chart.time in keys:
            for row in got:
                row[chart.time] = round(row[chart.time] / 1000)
        found = sorted([[plain(row[key]) for key in keys] for row in got], key=str)
        assert found == sorted([[plain(row[key]) for key in keys] for row in expected], key=str), title
        # DQOps has not run: its results are empty.
        assert got or chart.filter or chart.table == "ops.dqops_results", title


def test_chart_is_cached_for_the_next_reader(deployment: Deployment) -> None:
    client, chart = deployment.superset.admin(), deployment.ids_of("chart", "slice_name")["Departures"]
    client.chart_data(chart)
    assert client.get(f"chart/{chart}/data/")["result"][0]["is_cached"] is True


SLOW = "max(levenshtein(repeat(origin, 5000), repeat(origin, 4999 + hour(now()))))"
"""A metric that takes seconds per row. A cancelled query ends after its current row."""


@pytest.fixture
def slow_chart(deployment: Deployment) -> Iterator[int]:
    """A chart whose query is abandoned."""
    client = deployment.superset.admin()
    datasets = client.all("dataset", ("id", "table_name"))
    dataset = next(each["id"] for each in datasets if each["table_name"] == "daily_punctuality")
    metric = {"expressionType": "SQL", "sqlExpression": SLOW, "label": "slow"}
    context = {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [{"metrics": [metric], "columns": [], "row_limit": 1}],
        "result_format": "json",
        "result_type": "full",
    }
    chart = {
        "slice_name": "Slow",
        "viz_type": "big_number_total",
        "datasource_id": dataset,
        "datasource_type": "table",
        "params": json.dumps({"metric": metric}),
        "query_context": json.dumps(context),
    }
    made = client.post("chart/", chart)["id"]
    yield made
    client.delete("chart", [made])


def test_slow_charts_do_not_block_superset(
    deployment: Deployment, slow_chart: int, analyst: SupersetClient
) -> None:
    """This includes charts whose readers have left: their statements are cancelled."""
    address = deployment.superset.server.url.removeprefix("http://")
    path = f"/api/v1/chart/{slow_chart}/data/?force=true"
    headers = {"Authorization": deployment.superset.admin()._headers["Authorization"]}
    waiting = [HTTPConnection(address) for _ in range(12)]
    for connection in waiting:
        connection.request("GET", path, headers=headers)
    departures = deployment.ids_of("chart", "slice_name")["Departures"]
    assert analyst.chart_data(departures)[0]["departures"] > 0
    with urlopen(f"http://{address}/health", timeout=4) as answer:
        assert answer.read() == b"OK"
    for connection in waiting:
        connection.close()
    # All slots of one reader are free again: the statements were cancelled.
    for _ in range(4):
        assert deployment.superset.admin().chart_data(departures)[0]["departures"] > 0


def exported(deployment: Deployment) -> dict[str, Any]:
    client = deployment.superset.admin()
    ids = [each["id"] for each in client.all("dashboard", ("id",))]
    files = client.export("dashboard", ids)
    return {path: yaml.safe_load(text) for path, text in files.items() if path != "metadata.yaml"}


def test_second_push_changes_nothing(deployment: Deployment) -> None:
    before = exported(deployment)
    done = deployment.push()
    assert done.removed == ()
    assert exported(deployment) == before


def test_push_updates_own_objects_and_keeps_others(deployment: Deployment) -> None:
    client = deployment.superset.admin()
    (dataset, *_) = client.all("dataset", ("id", "table_name"))
    client.post(
        "chart/",
        {
            "slice_name": "Mine",
            "viz_type": "table",
            "datasource_id": dataset["id"],
            "datasource_type": "table",
            "params": "{}",
        },
    )
    folder = deployment.lake.root / "pipelines/flights/dashboards"
    extra = "title: Extra\nrows:\n  - - {title: All, kind: number, table: gold.aircraft_days, metrics: aircraft}\n"
    (folder / "extra.yaml").write_text(extra, encoding="utf-8")
    deployment.push()
    assert "Extra" in deployment.ids_of("dashboard", "dashboard_title")
    (folder / "extra.yaml").unlink()
    flights = folder / "flights.yaml"
    text = flights.read_text(encoding="utf-8")
    flights.write_text(text.replace("title: Destinations", "title: Where to"), encoding="utf-8")
    removed = deployment.push().removed
    assert set(removed) == {("dashboard", "Extra"), ("chart", "All"), ("chart", "Destinations")}
    charts = deployment.ids_of("chart", "slice_name")
    assert {"Mine", "Where to"} <= charts.keys()
    assert deployment.ids_of("dashboard", "dashboard_title").keys() == {"Flights", "Lakehouse health"}
    flights.write_text(text, encoding="utf-8")
    client.delete("chart", [charts["Mine"]])
    deployment.push()


@pytest.fixture
def analyst(deployment: Deployment) -> SupersetClient:
    """A user with only the analysts' role."""
    client = deployment.superset.admin()
    name, password = f"ann{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    role = next(each["id"] for each in client.all("security/roles") if each["name"] == ANALYST)
    user = {
        "username": name,
        "first_name": "Ann",
        "last_name": "A",
        "email": f"{name}@localhost",
        "active": True,
    }
    client.post("security/users/", {**user, "password": password, "roles": [role]})
    return SupersetClient(replace(deployment.superset.server, user=name, password=password))


def run_sql(client: SupersetClient, database: int, sql: str) -> Any:
    """Runs a query in SQL Lab."""
    return client.post(
        "sqllab/execute/", {"database_id": database, "sql": sql, "runAsync": False, "queryLimit": 10}
    )


def test_analyst_reads_only_gold_and_ops(deployment: Deployment, analyst: SupersetClient) -> None:
    (database,) = deployment.superset.admin().all("database", ("id", "database_name"))
    titles = {each["dashboard_title"] for each in analyst.all("dashboard", ("id", "dashboard_title"))}
    assert titles == {"Flights", "Lakehouse health"}
    ids = deployment.ids_of("chart", "slice_name")
    assert analyst.chart_data(ids["Departures"])[0]["departures"] > 0
    response = run_sql(analyst, database["id"], "SELECT count(*) AS n FROM gold.daily_punctuality")
    assert response["data"][0]["n"] == 3 * DAYS
    assert run_sql(analyst, database["id"], "SELECT 1 FROM ops.table_runs LIMIT 1")["data"]
    for sql in (
        "SELECT * FROM bronze.departures",
        "SELECT * FROM silver.departures",
        "SELECT * FROM quarantine.silver_departures",
        "SELECT * FROM gold.daily_punctuality JOIN bronze.airlines ON true",
        "WITH x AS (SELECT * FROM bronze.airlines) SELECT * FROM x",
        "DROP TABLE gold.daily_punctuality",
        "INSERT INTO gold.daily_punctuality SELECT * FROM gold.daily_punctuality",
        "CREATE TABLE gold.copy AS SELECT 1 AS a",
        "SET",
        "CACHE TABLE bronze.departures",
        "EXPLAIN SELECT * FROM bronze.departures",
        "ADD JAR 'file:/tmp/x.jar'",
        "SELECT reflect('java.lang.System', 'getenv', 'PATH')",
    ):
        with pytest.raises(GoldsmithError) as refused:
            run_sql(analyst, database["id"], sql)
        assert refused.value.code == "GS723", sql
    for call in (f"database/{database['id']}/connection", "security/users/", "security/roles/"):
        with pytest.raises(GoldsmithError):
            analyst.get(call)


def test_change_of_a_role_counts_at_once(deployment: Deployment, analyst: SupersetClient) -> None:
    client, chart = deployment.superset.admin(), deployment.ids_of("chart", "slice_name")["Departures"]
    users = client.all("security/users", ("id", "username"))
    user = next(each["id"] for each in users if each["username"] == analyst.server.user)
    roles = {each["name"]: each["id"] for each in client.all("security/roles")}
    for _ in range(2):
        assert analyst.chart_data(chart)
        client.put(f"security/users/{user}", {"roles": [roles["Public"]]})
        with pytest.raises(GoldsmithError):
            analyst.chart_data(chart)
        client.put(f"security/users/{user}", {"roles": [roles[ANALYST]]})


def test_tables_are_listed_by_name(deployment: Deployment) -> None:
    (database,) = deployment.superset.admin().all("database", ("id", "database_name"))
    listed = deployment.superset.admin().get(
        f"database/{database['id']}/tables/?q=(force:!t,schema_name:gold)"
    )
    names = {each["value"] for each in listed["result"]}
    assert names == {table.short for table in deployment.project.tables.values() if table.layer == "gold"}


def test_push_restores_an_edited_dashboard(deployment: Deployment) -> None:
    client = deployment.superset.admin()
    flights = deployment.lake.root / "pipelines/flights/dashboards/flights.yaml"
    text = flights.read_text(encoding="utf-8")
    dashboard = deployment.ids_of("dashboard", "dashboard_title")["Flights"]
    client.put(f"dashboard/{dashboard}", {"dashboard_title": "Flights, edited"})
    with pytest.raises(GoldsmithError) as refused:
        pull(client, deployment.project, "flights", "flights")
    assert refused.value.code == "GS726"
    pull(client, deployment.project, "flights", "flights", replace=True)
    assert not flights.exists()
    done = deployment.push()
    assert done.removed == ()
    assert "Flights, edited" in deployment.ids_of("dashboard", "dashboard_title")
    assert pull(client, deployment.project, "flights", "flights") == []
    for file in flights.parent.rglob("raw/**/*.yaml"):
        file.unlink()
    flights.write_text(text, encoding="utf-8")
    deployment.push()
    assert "Flights" in deployment.ids_of("dashboard", "dashboard_title")


def test_refusals_of_superset_are_reported(deployment: Deployment) -> None:
    project = deployment.project
    names = Names("flights")
    chart = yaml.safe_load(generate(project)["charts/flights/departures.yaml"])
    broken = {**generate(project), "charts/flights/departures.yaml": as_yaml({**chart, "wrong": 1})}
    before = exported(deployment)
    with pytest.raises(GoldsmithError) as refused:
        push(deployment.superset.admin(), broken, names, database_uri=deployment.uri)
    assert (refused.value.code, "log" in str(refused.value.hint)) == ("GS723", True)
    assert exported(deployment) == before
    with pytest.raises(NotReady) as wrong:
        SupersetClient(replace(deployment.superset.server, password="wrong"))
    assert wrong.value.code == "GS722"
    with pytest.raises(NotReady) as nobody:
        SupersetClient(Server("http://127.0.0.1:9", "admin", "x"))
    assert (nobody.value.code, nobody.value.retryable) == ("GS721", True)


@pytest.mark.parametrize("width", [1400, 820])
@pytest.mark.parametrize("name", ["flights", "health"])
def test_dashboard_opens_without_errors(
    deployment: Deployment, name: str, width: int, tmp_path: Path
) -> None:
    dashboard = all_dashboards(deployment.project)[name]
    with browsing(deployment.superset.server, width) as reader:
        assert reader.faults_of(dashboard, tmp_path / f"{name}.png") == []


@pytest.mark.parametrize("name", ["flights", "health"])
def test_dashboard_fits_a_phone(deployment: Deployment, name: str, tmp_path: Path) -> None:
    dashboard = all_dashboards(deployment.project)[name]
    with browsing(deployment.superset.server, 400, phone=True) as reader:
        assert reader.faults_of(dashboard, tmp_path / f"{name}-phone.png") == []
        assert set(reader.widths(dashboard).values()) == {400}
