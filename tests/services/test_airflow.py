"""A real Airflow on a real cluster, with real spark-submit: schedule, REST, kills, backfill."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from pyhive import hive

from goldsmith.engine.s3 import Bucket
from services.airflow_server import ENVIRONMENT, ROOT, Airflow, running, until
from services.conftest import BUCKET, CONF
from services.object_store import ObjectStore
from services.stack import Stack
from support.addresses import Alerted, listening

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
HOME = f"{BUCKET}/{secrets.token_hex(4)}"

FILES = {
    "goldsmith.yaml": f"""\
        name: shop
        maintenance: null
        profile: cluster
        profiles:
          cluster:
            landing: {HOME}/landing
            warehouse: {HOME}/warehouse
            catalog: hive
            spark:
              master: ${{SPARK_MASTER_URL}}
              conf_dir: {CONF}
              memory: 1g
              conf: {{spark.executor.memory: 512m, spark.cores.max: 1}}
        """,
    "pipelines/orders/pipeline.yaml": f"""\
        description: What customers ordered.
        owner: sales
        schedule: "@daily"
        start_date: {YESTERDAY}
        catchup: true
        tasks: pipeline
        """,
    "pipelines/orders/feed.py": '''\
        """One order a day."""


        def deliver(day):
            yield f"orders/{day}.csv", f"id,ordered_on\\n{day.toordinal()},{day}\\n".encode()
        ''',
    "pipelines/orders/bronze/orders.yaml": """\
        description: As delivered.
        source: {files: "orders/*.csv", format: csv}
        columns: {id: int, ordered_on: date}
        """,
    "pipelines/totals/pipeline.yaml": """\
        description: What the orders come to.
        owner: sales
        schedule: {after: [bronze.orders]}
        """,
    "pipelines/totals/gold/orders_by_day.yaml": """\
        description: One row a day.
        load: overwrite
        """,
    "pipelines/totals/gold/orders_by_day.sql": """\
        SELECT ordered_on, count(*) AS orders FROM bronze.orders GROUP BY ordered_on
        """,
    "pipelines/returns/pipeline.yaml": """\
        description: What customers sent back.
        owner: sales
        schedule: null
        deadline: 1s
        alerts: [team_chat, team_mail]
        """,
    "pipelines/returns/feed.py": '''\
        """Nothing yet."""


        def deliver(day):
            return ()
        ''',
    "pipelines/returns/bronze/returns.yaml": """\
        description: As delivered.
        source: {files: "returns/*.csv", format: csv}
        columns: {id: int}
        """,
}
DAGS = {"orders", "totals", "returns"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    (root / "jobs").symlink_to(ROOT / "jobs")
    return root


@pytest.fixture(scope="module")
def alerted() -> Iterator[Alerted]:
    with listening() as found:
        yield found


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, object_store: ObjectStore, on_s3: None
) -> Iterator[Stack]:
    """Master, workers, metastore and Thrift Server on the store."""
    parts = ("workers", "metastore", "thrift")
    with Stack.started(tmp_path_factory.mktemp("stack"), *parts, s3=object_store.environment) as stack:
        yield stack


@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, project: Path, alerted: Alerted, request: pytest.FixtureRequest
) -> Iterator[Airflow]:
    if not (ENVIRONMENT / "bin" / "airflow").is_file():
        pytest.skip("Airflow's environment is missing: make airflow-env")
    stack: Stack = request.getfixturevalue("stack")
    cluster = {**stack.spark, **stack.client_environment(), "SPARK_CONF_DIR": str(CONF)}
    addresses = {
        "AIRFLOW_CONN_SPARK_DEFAULT": f"spark://127.0.0.1:{stack.master.port}",
        "AIRFLOW_CONN_TEAM_CHAT": f"http://127.0.0.1:{alerted.chat_port}/?path=/hooks/1",
        "AIRFLOW_CONN_TEAM_MAIL": f"smtp://127.0.0.1:{alerted.mail_port}/?from=lake@example.org&to=team@example.org",
    }
    with running(tmp_path_factory.mktemp("airflow"), project, **cluster, **addresses) as found:
        until(lambda: found.call("GET", "dags")["total_entries"] == len(DAGS), 60, "all DAGs")
        # Otherwise it would run after each run of the other tests.
        found.call("PATCH", "dags/totals", {"is_paused": True})
        yield found


def applications(project: Path) -> list[tuple[int, int]]:
    """The applications' JVMs of the project: pid and the pid of their task's process."""
    listed = subprocess.run(
        ["ps", "-eww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [
        (int(pid), int(parent))
        for pid, parent, command in rows
        if "deploy.SparkSubmit" in command
        and "launcher.Main" not in command
        and str(project) in command
        and command.split()[0].endswith("java")
    ]


def delivered() -> list[str]:
    """The days of the delivered files."""
    bucket = Bucket.of(HOME)
    prefix = f"{HOME.removeprefix(BUCKET)[1:]}/landing/orders/"
    return sorted(Path(item["Key"]).stem for item in bucket.listed(prefix))


def loaded(stack: Stack) -> list[str]:
    """The days in the table, read by the Thrift Server."""
    with hive.connect("127.0.0.1", stack.thrift.port, username="reader", auth="NONE") as server:
        cursor = server.cursor()
        cursor.execute("SELECT ordered_on FROM bronze.orders ORDER BY ordered_on")
        return [str(day) for (day,) in cursor.fetchall()]


def test_schedule_runs_the_last_interval(airflow: Airflow, project: Path) -> None:
    [first] = until(lambda: airflow.runs("orders"), 120, "the scheduled run")
    assert first["partition_key"] == str(YESTERDAY)
    assert airflow.ended("orders", first["dag_run_id"]) == "success"
    assert delivered() == [str(YESTERDAY)]
    found = airflow.call("GET", "assets/events?limit=10")["asset_events"]
    [event] = [event for event in found if event["name"] == "bronze.orders"]
    assert event["extra"]["rows"]["written"] == 1
    assert event["partition_key"] == str(YESTERDAY)


@pytest.fixture(autouse=True)
def _no_unfinished_run(airflow: Airflow, project: Path) -> None:
    """Waits for the end of earlier runs."""
    until(lambda: not applications(project), 300, "the end of the applications before")


def test_killed_task_ends_its_application_and_is_retried(airflow: Airflow, project: Path) -> None:
    run = airflow.trigger("orders", first_day=str(YESTERDAY - timedelta(days=1)))
    [(job, task)] = until(lambda: applications(project), 300, "the application", every=0.1)
    os.kill(task, signal.SIGKILL)
    until(lambda: job not in dict(applications(project)), 10, "the end of the application", every=0.1)
    at_once = 0

    def ended() -> bool:
        nonlocal at_once
        at_once = max(at_once, len(applications(project)))
        return airflow.run("orders", run)["state"] in ("success", "failed")

    until(ended, 600, "the retry")
    assert airflow.run("orders", run)["state"] == "success"
    assert airflow.tasks("orders", run)["tables"]["try_number"] == 2
    assert at_once == 1


def test_cancelled_run_ends_its_application(airflow: Airflow, project: Path) -> None:
    # A day without files yet: with nothing new to load, no application would start.
    run = airflow.trigger("orders", first_day=str(YESTERDAY - timedelta(days=10)))
    until(lambda: applications(project), 300, "the application", every=0.1)
    airflow.call("PATCH", f"dags/orders/dagRuns/{run}", {"state": "failed"})
    until(lambda: not applications(project), 60, "the end of the application", every=0.2)
    assert airflow.run("orders", run)["state"] == "failed"


def test_backfill_runs_each_day_once(airflow: Airflow, stack: Stack, full_counts: bool) -> None:
    oldest = 5 if full_counts else 4
    days = [str(YESTERDAY - timedelta(days=number)) for number in range(oldest, 2, -1)]
    airflow.call(
        "POST",
        "backfills",
        {
            "dag_id": "orders",
            "from_date": f"{days[0]}T00:00:00Z",
            "to_date": f"{days[-1]}T00:00:00Z",
            "max_active_runs": 1,
            "reprocess_behavior": "completed",
            "run_backwards": False,
            "dag_run_conf": {},
        },
    )

    def backfilled() -> list[dict[str, object]]:
        return [run for run in airflow.runs("orders") if run["run_type"] == "backfill"]

    until(lambda: len(backfilled()) == len(days), 60, "the backfill's runs")
    for run in backfilled():
        assert airflow.ended("orders", str(run["dag_run_id"])) == "success"
    assert [run["partition_key"] for run in backfilled()] == days
    assert set(days) <= set(delivered())
    assert loaded(stack) == delivered()


def test_pipeline_runs_after_its_upstream_tables(airflow: Airflow) -> None:
    airflow.call("PATCH", "dags/totals", {"is_paused": False})
    day = str(YESTERDAY - timedelta(days=2))
    run = airflow.trigger("orders", first_day=day)
    assert airflow.ended("orders", run) == "success"
    [after] = until(lambda: airflow.runs("totals"), 60, "the run after it")
    assert after["partition_key"] == day
    assert airflow.ended("totals", after["dag_run_id"]) == "success"
    assert airflow.runs("totals")[1:] == []
    found = airflow.call("GET", "assets/events?limit=100")["asset_events"]
    [event] = [event for event in found if event["name"] == "gold.orders_by_day"]
    assert event["extra"]["rows"]["written"] == len(delivered())


def test_failures_and_missed_deadlines_are_sent_by_chat_and_mail(airflow: Airflow, alerted: Alerted) -> None:
    run = airflow.trigger("returns", first_day="2999-01-01")
    assert airflow.ended("returns", run) == "failed"

    def received(start: str) -> bool:
        texts = [call.content["text"] for call in alerted.calls]
        subjects = [str(mail["Subject"]) for mail in alerted.mails]
        return all(any(text.startswith(start) for text in sent) for sent in (texts, subjects))

    until(lambda: received("returns: feed failed: GS"), 60, "the failure")
    until(lambda: received("returns: not finished within 0:00:01"), 120, "the deadline")
    assert {mail["To"] for mail in alerted.mails} == {"team@example.org"}
    [failed] = [call.content for call in alerted.calls if call.content["task"] == "feed"]
    assert failed["run"] == run
    assert failed["link"].startswith("http://")
    assert any(f"run: {run}" in mail.get_payload() for mail in alerted.mails)
