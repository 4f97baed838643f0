"""Stores that are unreachable, refuse access or lack conditional writes: reported within seconds."""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import botocore.auth
import pytest

from goldsmith.engine.s3 import check_reachable
from goldsmith.errors import Exit, NotReady
from services.conftest import BUCKET, CONF
from support.homes import S3Home
from support.lake import Lake

SECONDS = 15
WAREHOUSE = f"{BUCKET}/warehouse"


@pytest.fixture
def environment(on_s3: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    began = time.monotonic()
    yield monkeypatch
    assert time.monotonic() - began < SECONDS


def failure(location: str = WAREHOUSE) -> NotReady:
    with pytest.raises(NotReady) as caught:
        check_reachable([location])
    assert caught.value.hint
    return caught.value


def test_reachable_store_has_no_error(environment: pytest.MonkeyPatch) -> None:
    check_reachable([WAREHOUSE, f"{BUCKET}/landing", "/a/folder"])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "nobody", "InvalidAccessKeyId"),
    ],
)
def test_wrong_keys_are_reported(
    environment: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    environment.setenv(name, value)
    error = failure()
    assert error.code == "GS411"
    assert message in error.message
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in f"{error.message} {error.hint}"


def test_missing_keys_are_reported(environment: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert failure().code == "GS411"


def test_missing_bucket_is_reported(environment: pytest.MonkeyPatch) -> None:
    error = failure("s3a://leke/warehouse")
    assert error.code == "GS412"
    assert "`leke`" in error.message


def test_unreachable_store_is_reported(environment: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    environment.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    error = failure()
    assert (error.code, error.retryable) == ("GS410", True)
    assert f"127.0.0.1:{port}" in error.message


def test_unresponsive_store_is_reported(environment: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        environment.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert failure().code == "GS410"


def test_wrong_clock_is_reported(environment: pytest.MonkeyPatch) -> None:
    now = botocore.auth.get_current_datetime
    environment.setattr(
        botocore.auth, "get_current_datetime", lambda *given: now(*given) + datetime.timedelta(hours=2)
    )
    error = failure()
    assert error.code == "GS413"
    assert "15 minutes" in error.message


def test_command_reports_the_store_before_spark_starts(
    environment: pytest.MonkeyPatch, tmp_path: Path, home: S3Home
) -> None:
    (tmp_path / "goldsmith.yaml").write_text(home.declared)
    table = tmp_path / "pipelines/shop/bronze/orders.yaml"
    table.parent.mkdir(parents=True)
    table.write_text(ORDERS)
    (tmp_path / "pipelines/shop/pipeline.yaml").touch()
    done = subprocess.run(
        [sys.executable, "-m", "goldsmith.cli.main", "run"],
        cwd=tmp_path,
        env={**os.environ, "AWS_SECRET_ACCESS_KEY": "wrong", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.NOT_READY
    assert done.stderr.startswith("GS411 ")
    assert not (tmp_path / ".goldsmith/spark.log").read_text()


ORDERS = "source: {files: orders/*.csv, format: csv}\ncolumns: {id: int}\n"


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("fs.s3a.create.conditional.enabled", "false", "GS420"),
        ("fs.s3a.endpoint", "http://127.0.0.1:1", "GS410"),
    ],
)
def test_store_error_inside_a_spark_job_is_reported(
    lake: Lake, tmp_path: Path, setting: str, value: str, code: str
) -> None:
    """Wrong settings of Spark for one bucket pass the check of the store before the run."""
    bucket = f"odd{code.lower()}"
    home = S3Home(f"s3a://{bucket}/lake", CONF)
    home.bucket.client.create_bucket(Bucket=bucket)
    hadoop = lake.spark.sparkContext._jsc.hadoopConfiguration()  # type: ignore[attr-defined]
    hadoop.set(setting.replace("fs.s3a.", f"fs.s3a.bucket.{bucket}."), value)
    hadoop.set(f"fs.s3a.bucket.{bucket}.retry.limit", "1")
    other = Lake(lake.spark, tmp_path / "other", home)
    other.declare("bronze.orders", ORDERS)
    other.deliver("orders/a.csv", "id\n1\n")
    error = other.failed("bronze.orders").error
    assert error is not None
    assert error.code == code, str(error)
    assert error.hint
    assert "Exception" not in error.message
