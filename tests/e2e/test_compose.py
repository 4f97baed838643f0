"""The compose file in Docker: from empty volumes to queries, with killed services. See `make e2e`."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from pyhive.exc import OperationalError
from pyspark.sql import SparkSession

from support.containers import (
    NEEDS_DOCKER,
    PROJECT,
    Lake,
    assert_gold_equals_a_local_run,
    kill,
    started,
    until,
)

HERE = Path(__file__).parent
DAYS = ("2013-01-01", "2013-01-03")
GOLD = "gold.daily_punctuality"
pytestmark = NEEDS_DOCKER


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Only the lake: Superset and Airflow have their own tests."""
    with started(tmp_path_factory.mktemp("lake"), COMPOSE_FILE="docker-compose.yaml") as (lake, output):
        assert f"jdbc:hive2://127.0.0.1:{lake.settings['THRIFT_PORT']}" in output
        assert not any(secret in output for secret in lake.secrets)
        yield lake


@pytest.fixture(scope="module")
def flights(lake: Lake) -> Lake:
    """The lake with the first days of the flights."""
    lake.job("goldsmith", "feed", "replay", "flights", "--from", DAYS[0], "--to", DAYS[1])
    return lake


def test_gold_equals_a_local_run(flights: Lake, spark: SparkSession) -> None:
    assert_gold_equals_a_local_run(flights, spark, *DAYS)


def test_clients_see_columns_and_comments(flights: Lake) -> None:
    described = flights.query("DESCRIBE silver.departures")
    flight_date = next(row for row in described if row[0] == "flight_date")
    assert flight_date[1] == "date"
    assert flight_date[2]
    output = flights.compose(
        *("exec", "--no-TTY", "thrift-server", "bash", "-c"),
        'beeline -u jdbc:hive2://$(hostname -i):10000 -n engineer -w <(printf %s "$THRIFT_ENGINEER_PASSWORD")'
        " --silent=true -e 'SELECT count(*) FROM silver.departures'",
    )
    rows = flights.query("SELECT count(*) FROM silver.departures")[0][0]
    assert rows > 1000
    assert f" {rows} " in output


def test_all_services_are_healthy_and_init_has_finished(lake: Lake) -> None:
    output = lake.compose("ps", "--all", "--format", "{{.Service}}|{{.Status}}")
    states = dict(line.split("|") for line in output.splitlines() if "|" in line)
    assert len(lake.containers("spark-worker")) == 2
    declared = lake.compose("config", "--format", "json")
    services = json.JSONDecoder().raw_decode(declared[declared.index("{") :])[0]["services"]
    for name, state in states.items():
        wanted = "Exited (0)" if services[name].get("restart") == "no" else "(healthy)"
        assert wanted in state, f"{name}: {state}"


ARCHIVE_MEMORY = """
import pathlib
mapped = copied = 0
for smaps in pathlib.Path("/proc").glob("[0-9]*/smaps"):
    try:
        lines = smaps.read_text().splitlines()
    except OSError:
        continue
    inside = False
    for key, _, value in (line.partition(" ") for line in lines):
        if "-" in key:
            inside = value.endswith("/spark.jsa")
        elif inside and key == "Rss:":
            mapped += int(value.split()[0])
        elif inside and key == "Anonymous:":
            copied += int(value.split()[0])
print(mapped, copied)
"""
"""Prints the memory of a container's class archive in kB: mapped, and copied by its processes."""


def test_java_processes_share_the_class_archive(lake: Lake) -> None:
    for name in ("spark-master", "thrift-server"):
        output = lake.compose("exec", "-T", name, "python3", "-c", ARCHIVE_MEMORY)
        mapped, copied = map(int, output.strip().splitlines()[-1].split())
        assert 0 < copied < mapped / 2, f"{name}: {mapped} kB mapped, {copied} kB copied"


def test_second_up_changes_nothing(lake: Lake) -> None:
    before = {name: lake.containers(name) for name in ("minio", "postgres", "metastore", "thrift-server")}
    lake.compose("up")
    assert {name: lake.containers(name) for name in before} == before


def test_secrets_are_not_in_the_image_or_logs(flights: Lake) -> None:
    image = subprocess.run(
        ["docker", "inspect", "--format", "{{.Image}}", flights.containers("spark-master")[0]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    output = flights.compose("logs")
    for words in (["history", "--no-trunc", image], ["image", "inspect", image]):
        output += subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout
    processes = flights.compose("top")
    for secret in flights.secrets:
        assert secret not in output
        assert secret not in processes


def test_ports_are_published_on_loopback_only(lake: Lake) -> None:
    for container in lake.compose("ps", "--quiet").split():
        ports = subprocess.run(
            ["docker", "inspect", "--format", "{{json .HostConfig.PortBindings}}", container],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for bindings in (json.loads(ports) or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}


def test_another_user_of_the_machine_gets_nowhere(flights: Lake) -> None:
    """A process on the machine's network, as a user without secrets: it reaches the addresses that Docker gives out."""
    services = {"master": "spark-master", "thrift": "thrift-server"}
    services |= {name: name for name in ("metastore", "postgres", "minio")}
    addresses = {name: address(flights.containers(service)[0]) for name, service in services.items()}
    before = applications(flights)
    run = ["docker", "run", "--rm", "--network", "host", "--user", "65534:65534", "--entrypoint", "python3"]
    run += ["--volume", f"{HERE / 'stranger.py'}:/stranger.py:ro", "goldsmith/spark:4.1.4", "/stranger.py"]
    ended = subprocess.run(
        [*run, *(f"{name}={place}" for name, place in addresses.items())],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found == {
        "metastore": "",
        "postgres": "R",
        "thrift": "status 3",
        "minio": "refused 403",
        "master": "refused refused ",
    }
    assert applications(flights) == before
    assert (flights.clone / ".env").stat().st_mode & 0o077 == 0
    assert flights.query(f"SELECT count(*) > 0 FROM {GOLD}") == [(True,)]


def address(container: str) -> str:
    """A container's address on the network of the lake."""
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    words = ["docker", "inspect", "--format", template, container]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def applications(lake: Lake) -> set[str]:
    """The ids of all applications that the master has accepted."""
    with urllib.request.urlopen(f"http://127.0.0.1:{lake.settings['MASTER_UI_PORT']}/json/") as answer:
        state = json.load(answer)
    return {app["id"] for app in (*state["activeapps"], *state["completedapps"])}


def test_serving_keys_are_read_only(flights: Lake) -> None:
    settings = flights.settings
    store = f"http://127.0.0.1:{settings['S3_PORT']}"

    def client(access: str, secret: str) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=store,
            region_name="us-east-1",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
        )

    serving = client(settings["SERVING_S3_ACCESS_KEY"], settings["SERVING_S3_SECRET_KEY"])
    found = serving.list_objects_v2(Bucket="lake", Prefix="warehouse/silver/departures/_delta_log/")[
        "Contents"
    ]
    key = found[0]["Key"]
    assert serving.get_object(Bucket="lake", Key=key)["Body"].read()
    refused = [
        lambda: serving.put_object(Bucket="lake", Key="warehouse/mine", Body=b""),
        lambda: serving.delete_object(Bucket="lake", Key=key),
        lambda: serving.get_object(Bucket="lake", Key=f"landing/departures/{DAYS[0]}.csv"),
        lambda: serving.list_objects_v2(Bucket="lake", Prefix="landing/"),
        lambda: serving.list_objects_v2(Bucket="lake"),
        lambda: client("jobs", "wrong").get_object(Bucket="lake", Key=key),
    ]
    for attempt in refused:
        with pytest.raises(ClientError) as denied:
            attempt()
        assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(urllib.error.HTTPError) as anonymous:
        urllib.request.urlopen(f"{store}/lake/{key}")
    assert anonymous.value.code == 403


def test_serving_containers_cannot_write(flights: Lake) -> None:
    rows = flights.query("SELECT count(*) FROM silver.departures")
    with pytest.raises(OperationalError):
        flights.query("DELETE FROM silver.departures")
    assert flights.query("SELECT count(*) FROM silver.departures") == rows


PAIRS = {
    "pipeline.yaml": "description: Two runs of it at once.\n",
    "feed.py": """
from collections.abc import Iterable
from datetime import date


def deliver(day: date) -> Iterable[tuple[str, bytes]]:
    yield f"pairs/{day}.csv", f"id,amount\\n{day.day},1\\n{day.day + 100},9\\n".encode()
""",
    "bronze/pairs.yaml": """
source: {files: pairs/*.csv, format: csv}
columns: {id: int, amount: int}
expectations:
  - expect_column_values_to_be_between: {column: amount, max_value: 5}
    otherwise: quarantine
""",
    "silver/pairs.yaml": "load: {merge: {key: id}}\n",
    "silver/pairs.sql": "SELECT id, amount FROM bronze.pairs\n",
    "gold/pairs_total.yaml": "load: overwrite\n",
    "gold/pairs_total.sql": "SELECT count(*) AS orders, sum(amount) AS total FROM silver.pairs\n",
}
ROUNDS = 10


def test_concurrent_runs_load_everything_once(lake: Lake) -> None:
    for name, text in PAIRS.items():
        file = lake.clone / "pipelines" / "pairs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for day in range(1, ROUNDS + 1):
        lake.job(
            "goldsmith",
            "feed",
            "run",
            "pairs",
            "--from",
            f"2013-03-{day:02}",
            "--to",
            f"2013-03-{day + 1:02}",
        )
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: run_pairs(lake), range(2)))
        for result in both:
            failed = [table["error"]["code"] for table in result["tables"] if table["status"] == "failed"]
            assert set(failed) <= {"GS307", "GS502"}, result
    run_pairs(lake)
    assert lake.query("SELECT count(*), count(DISTINCT id) FROM bronze.pairs") == [(ROUNDS, ROUNDS)]
    assert lake.query("SELECT count(*), count(DISTINCT id) FROM silver.pairs") == [(ROUNDS, ROUNDS)]
    assert lake.query("SELECT orders, total FROM gold.pairs_total") == [(ROUNDS, ROUNDS)]
    twice = (
        "SELECT `table`, counter FROM ops.table_runs WHERE status = 'done' GROUP BY ALL HAVING count(*) > 1"
    )
    assert lake.query(twice) == [], "each commit is recorded once"
    files = "SELECT count(*), count(DISTINCT path) FROM ops.files WHERE path LIKE '%pairs/%'"
    assert lake.query(files) == [(ROUNDS, ROUNDS)]


def run_pairs(lake: Lake) -> Any:
    """Runs the small pipeline and returns its result, also after a conflict with a concurrent run."""
    output = lake.job("goldsmith", "run", "pairs", "--json", check=False)
    return json.loads(output[output.index("{") : output.rindex("}") + 1])


@pytest.mark.parametrize("service", ["spark-worker", "metastore", "minio", "spark-master"])
def test_job_survives_killed_services(lake: Lake, service: str) -> None:
    table = service.replace("-", "_")
    words = (
        "--progress",
        "quiet",
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "--volume",
        f"{HERE / 'appends.py'}:/tmp/appends.py:ro",
    )
    job = subprocess.Popen(
        [sys.executable, "tools/compose.py", *words, "jobs", "submit", "/tmp/appends.py", table, "8", "500"],
        cwd=lake.clone,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with job:
        lines = []
        assert job.stdout is not None
        for line in job.stdout:
            lines.append(line)
            if line.startswith("appended 2"):
                kill(lake.containers(service)[0])
    assert job.returncode == 0, "".join(lines[-40:])
    assert "rows 4000 distinct 4000\n" in lines
    until(lambda: lake.query(f"SELECT count(*) FROM faults.{table}") == [(4000,)], 120)


def test_thrift_server_restarts_automatically(lake: Lake) -> None:
    assert lake.query("SELECT 1") == [(1,)]
    kill(lake.containers("thrift-server")[0])
    until(lambda: lake.query("SELECT 1") == [(1,)], 120)


def test_image_suits_spark_on_kubernetes(lake: Lake) -> None:
    job = ("local:///opt/goldsmith/jobs/run.py", "--help")
    output = lake.job("driver", "--master", "local[1]", *job, SPARK_DRIVER_BIND_ADDRESS="127.0.0.1")
    assert "Load what is new" in output
    output = lake.job(
        "executor",
        check=False,
        SPARK_JAVA_OPT_0="-Dspark.rpc.askTimeout=9s",
        SPARK_EXECUTOR_MEMORY="512m",
        SPARK_DRIVER_URL="spark://CoarseGrainedScheduler@127.0.0.1:7078",
        SPARK_EXECUTOR_ID="1",
        SPARK_EXECUTOR_CORES="1",
        SPARK_APPLICATION_ID="none",
        SPARK_EXECUTOR_POD_IP="127.0.0.1",
        SPARK_RESOURCE_PROFILE_ID="0",
        SPARK_EXECUTOR_POD_NAME="none",
    )
    assert "KubernetesExecutorBackend" in output
    assert "Failed to connect to /127.0.0.1:7078" in output, "there is no driver for it"


def test_restored_backup_is_complete(flights: Lake, tmp_path: Path) -> None:
    expected = flights.query(f"SELECT to_json(struct(*)) FROM {GOLD} ORDER BY 1")
    for line in (
        f"make backup TO={tmp_path}",
        "make down",
        f"docker volume rm {PROJECT}_store {PROJECT}_postgres",
        "make up",
    ):
        subprocess.run(line.split(), cwd=flights.clone, check=True, capture_output=True)
    assert flights.query("SHOW DATABASES") == [("default",)]
    subprocess.run(
        ["make", "restore", f"FROM={tmp_path}"], cwd=flights.clone, check=True, capture_output=True
    )
    assert flights.query(f"SELECT to_json(struct(*)) FROM {GOLD} ORDER BY 1") == expected
