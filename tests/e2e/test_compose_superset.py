"""Superset in containers: from empty volumes to correct dashboards, and with stopped services."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from goldsmith.errors import GoldsmithError
from goldsmith.project.dashboards import Chart
from goldsmith.project.loading import load_project
from goldsmith.project.pipelines import Project
from goldsmith.publish.superset.client import Server, SupersetClient
from goldsmith.publish.superset.generate import all_dashboards
from support.charts import NOW, browsing, plain, sql_of
from support.containers import NEEDS_DOCKER, Lake, kill, started, until

DAYS = ("2013-01-01", os.environ.get("GOLDSMITH_E2E_UNTIL", "2013-01-04"))
PICTURES = os.environ.get("GOLDSMITH_E2E_PICTURES")
"""The folder for screenshots of the dashboards."""
pytestmark = NEEDS_DOCKER


@dataclass(frozen=True)
class Deployment:
    """A lake of flights with Superset, as started by `make up`. output: of `make up`."""

    lake: Lake
    output: str

    @property
    def project(self) -> Project:
        return load_project(self.lake.clone)

    @property
    def admin(self) -> Server:
        settings = self.lake.settings
        url = f"http://127.0.0.1:{settings['SUPERSET_PORT']}"
        return Server(url, "admin", settings["SUPERSET_ADMIN_PASSWORD"])

    @property
    def analyst(self) -> Server:
        return replace(self.admin, user="analyst", password=self.lake.settings["SUPERSET_ANALYST_PASSWORD"])

    @property
    def charts(self) -> dict[str, Chart]:
        found = (chart for each in all_dashboards(self.project).values() for _, chart in each.charts)
        return {chart.title: chart for chart in found}

    def push(self) -> str:
        return self.lake.alone("superset-push")


def ids(client: SupersetClient) -> dict[str, int]:
    return {each["slice_name"]: each["id"] for each in client.all("chart", ("id", "slice_name"))}


def exported(client: SupersetClient) -> dict[str, Any]:
    files = client.export("dashboard", [each["id"] for each in client.all("dashboard", ("id",))])
    return {path: yaml.safe_load(text) for path, text in files.items() if path != "metadata.yaml"}


def run_sql(client: SupersetClient, sql: str) -> Any:
    """Runs a query in SQL Lab, in the only database."""
    content = {"database_id": 1, "sql": sql, "runAsync": False, "queryLimit": 10}
    return client.post("sqllab/execute/", content)


def refusal(client: SupersetClient, sql: str) -> GoldsmithError | None:
    try:
        run_sql(client, sql)
    except GoldsmithError as refused:
        return refused
    return None


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with started(
        tmp_path_factory.mktemp("lake"), profiles="store,superset", COMPOSE_FILE="docker-compose.yaml"
    ) as (lake, output):
        lake.job("goldsmith", "feed", "replay", "flights", "--from", DAYS[0], "--to", DAYS[1])
        yield Deployment(lake, output)


def test_up_prints_the_address_of_the_dashboards(deployment: Deployment) -> None:
    url = deployment.admin.url
    assert f"Flights: {url}/superset/dashboard/flights/" in deployment.output
    assert f"Superset: {url}, as admin or analyst" in deployment.output
    assert not any(secret in deployment.output for secret in deployment.lake.secrets)


def test_charts_equal_sql_results_on_gold(deployment: Deployment) -> None:
    client = SupersetClient(deployment.admin)
    chart_ids = ids(client)
    assert chart_ids.keys() == deployment.charts.keys()
    for title, chart in deployment.charts.items():
        got = client.chart_data(chart_ids[title])
        rows, names = deployment.lake.named(sql_of(deployment.project, chart))
        keys = [name for name in names if name not in NOW]
        if chart.time in keys:
            for row in got:
                row[chart.time] = round(row[chart.time] / 1000)
        found = sorted([[plain(row[key]) for key in keys] for row in got], key=str)
        expected = [dict(zip(names, row, strict=True)) for row in rows]
        assert found == sorted([[plain(row[key]) for key in keys] for row in expected], key=str), title
        assert got or chart.filter or chart.table == "ops.dqops_results", title


@pytest.mark.parametrize("width", [1400, 600])
@pytest.mark.parametrize("name", ["flights", "health"])
def test_analyst_sees_dashboards_without_errors(
    deployment: Deployment, name: str, width: int, tmp_path: Path
) -> None:
    picture = Path(PICTURES or tmp_path) / f"{name}-{width}.png"
    with browsing(deployment.analyst, width) as reader:
        assert reader.faults_of(all_dashboards(deployment.project)[name], picture) == []


@pytest.mark.parametrize("name", ["flights", "health"])
def test_dashboard_fits_a_phone(deployment: Deployment, name: str, tmp_path: Path) -> None:
    dashboard = all_dashboards(deployment.project)[name]
    with browsing(deployment.analyst, 400, phone=True) as reader:
        assert reader.faults_of(dashboard, Path(PICTURES or tmp_path) / f"{name}-phone.png") == []
        assert set(reader.widths(dashboard).values()) == {400}


def test_second_push_changes_nothing(deployment: Deployment) -> None:
    client = SupersetClient(deployment.admin)
    before, charts = exported(client), ids(client)
    output = deployment.push()
    assert "removed" not in output
    assert (exported(client), ids(client)) == (before, charts)


def test_analyst_reads_only_gold_and_ops(deployment: Deployment) -> None:
    client = SupersetClient(deployment.analyst)
    assert run_sql(client, "SELECT count(*) AS n FROM gold.daily_punctuality")["data"][0]["n"] > 0
    assert run_sql(client, "SELECT count(*) AS n FROM ops.dqops_results")["data"] == [{"n": 0}]
    for sql in (
        "SELECT * FROM bronze.departures",
        "SELECT * FROM silver.departures",
        "SELECT * FROM quarantine.silver_departures",
        "WITH x AS (SELECT * FROM bronze.airlines) SELECT * FROM x",
        "SELECT * FROM delta.`s3a://lake/warehouse/bronze/departures`",
        "SELECT * FROM csv.`s3a://lake/landing/departures`",
        "SELECT * FROM table_changes('bronze.airlines', 0)",
        "SELECT * FROM table_changes_by_path('s3a://lake/warehouse/bronze/airlines', 0)",
        "SELECT * FROM IDENTIFIER('bronze.' || 'airlines')",
        "SHOW COLUMNS IN bronze.airlines",
        "DROP TABLE gold.daily_punctuality",
        "DELETE FROM gold.daily_punctuality",
        "CREATE TABLE gold.copy AS SELECT 1 AS a",
        "SET",
        "SET spark.sql.ansi.enabled=false",
        "ADD JAR 's3a://lake/warehouse/x.jar'",
        "CACHE TABLE bronze.departures",
        "EXPLAIN SELECT * FROM bronze.departures",
        "SELECT reflect('java.lang.System', 'getenv', 'AWS_SECRET_ACCESS_KEY')",
        "SELECT try_reflect('java.lang.System', 'getenv', 'AWS_SECRET_ACCESS_KEY')",
        "SELECT java_method('java.lang.System', 'getenv', 'AWS_SECRET_ACCESS_KEY')",
        "SELECT IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'AWS_SECRET_ACCESS_KEY')",
        "SELECT TRANSFORM(1) USING 'env' AS (x string)",
        "EXECUTE IMMEDIATE 'SELECT 1'",
    ):
        assert refusal(client, sql) is not None, sql
    for call in ("database/1/connection", "security/users/", "security/roles/", "database/export/?q=!(1)"):
        with pytest.raises(GoldsmithError):
            client.get(call)
    shown = str(client.get("database/1"))
    assert "spark://" not in shown
    with pytest.raises(GoldsmithError) as refused:
        client.post("database/", {"database_name": "mine", "sqlalchemy_uri": "sqlite://"})
    assert refused.value.code == "GS723"


def test_login_requires_a_password(deployment: Deployment) -> None:
    for user, password in (
        ("admin", "admin"),
        ("analyst", "analyst"),
        ("admin", ""),
        ("superset", "superset"),
    ):
        with pytest.raises(GoldsmithError):
            SupersetClient(replace(deployment.admin, user=user, password=password))


def test_secrets_are_not_in_the_image_logs_or_arguments(deployment: Deployment) -> None:
    (container,) = deployment.lake.containers("superset")
    words = ["docker", "inspect", "--format", "{{.Image}}", container]
    image = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    text = deployment.lake.compose("logs") + deployment.lake.compose("top")
    for words in (["history", "--no-trunc", image], ["image", "inspect", image]):
        text += subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout
    assert [
        key
        for key, value in deployment.lake.settings.items()
        if value in text and value in deployment.lake.secrets
    ] == []


def test_push_without_superset_is_reported(deployment: Deployment) -> None:
    deployment.lake.compose("stop", "superset")
    try:
        output = deployment.lake.alone("superset-push", check=False)
        assert "GS721" in output
        assert "Superset does not respond at http://superset:8088" in output
        assert "Traceback" not in output
    finally:
        deployment.lake.compose("start", "superset")
    until(lambda: bool(SupersetClient(deployment.admin).get("dashboard/flights")), 120)


def test_charts_report_and_survive_a_stopped_thrift_server(deployment: Deployment) -> None:
    client = SupersetClient(deployment.admin)
    chart = ids(client)["Departures"]
    assert client.chart_data(chart)
    deployment.lake.compose("stop", "thrift-server")
    try:
        began = time.monotonic()
        with pytest.raises(GoldsmithError) as refused:
            client.chart_data(chart)
        assert time.monotonic() - began < 30
        assert "The Thrift Server does not respond" in str(refused.value)
        # Cached results are still returned.
        assert client.get(f"chart/{chart}/data/")["result"][0]["is_cached"] is True
    finally:
        deployment.lake.compose("start", "thrift-server")
    until(lambda: bool(client.chart_data(chart)), 180)
    # After the start, all tables are opened in advance.
    tables = len(deployment.lake.query("SHOW TABLES IN gold")) + len(
        deployment.lake.query("SHOW TABLES IN ops")
    )
    until(lambda: f"Opened {tables} tables" in deployment.lake.compose("logs", "thrift-server"), 120)


def test_dashboard_survives_a_restart_of_the_thrift_server(deployment: Deployment, tmp_path: Path) -> None:
    dashboard = all_dashboards(deployment.project)["flights"]
    client = SupersetClient(deployment.admin)
    charts = ids(client)
    words = ("sh", "-c", 'find "$SUPERSET_HOME/cache" -type f -delete')
    deployment.lake.compose("exec", "--no-TTY", "superset", *words)
    killed: list[str] = []

    def once(request: Any) -> None:
        if "chart/data" in request.url and not killed:
            killed.extend(deployment.lake.containers("thrift-server"))
            kill(killed[0])

    with browsing(deployment.analyst, 1400) as reader:
        reader.page.on("request", once)
        reader.open(dashboard)
        alerts = reader.alerts()
        assert killed
        assert alerts or reader.errors == []
        assert not any("Traceback" in alert for alert in alerts)
        until(lambda: all(client.chart_data(charts[chart.title]) for _, chart in dashboard.charts), 180)
        assert reader.faults_of(dashboard, tmp_path / "again.png") == []


def test_restored_backup_contains_manual_work(deployment: Deployment, tmp_path: Path) -> None:
    client = SupersetClient(deployment.admin)
    dataset = client.all("dataset", ("id", "table_name"))[0]["id"]
    mine = {"slice_name": "Mine", "viz_type": "table", "datasource_type": "table", "params": "{}"}
    client.post("chart/", {**mine, "datasource_id": dataset})
    env = deployment.lake.clone / ".env"

    def run(line: str) -> None:
        ended = subprocess.run(
            line.split(), cwd=deployment.lake.clone, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{line}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"

    run(f"make backup TO={tmp_path}")
    run("make down")
    run(f"docker volume rm {deployment.lake.settings['COMPOSE_PROJECT_NAME']}_postgres")
    others = [line for line in env.read_text().splitlines() if not line.startswith("SUPERSET_")]
    port = f"SUPERSET_PORT={deployment.lake.settings['SUPERSET_PORT']}"
    env.write_text("\n".join([*others, port, ""]))
    subprocess.run([sys.executable, "tools/env.py"], cwd=deployment.lake.clone, check=True)
    run("make up")
    assert "Mine" not in ids(SupersetClient(deployment.admin))
    run(f"make restore FROM={tmp_path}")
    client = SupersetClient(deployment.admin)
    assert "Mine" in ids(client)
    assert client.chart_data(ids(client)["Departures"])
