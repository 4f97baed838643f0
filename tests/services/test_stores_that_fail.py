"""Stores that are not there, do not let us in or cannot do what commits need: said clearly, within seconds."""

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
PLACE = f"{BUCKET}/warehouse"


@pytest.fixture
def told(on_s3: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    began = time.monotonic()
    yield monkeypatch
    assert time.monotonic() - began < SECONDS


def failure(place: str = PLACE) -> NotReady:
    with pytest.raises(NotReady) as caught:
        check_reachable([place])
    assert caught.value.hint
    return caught.value


def test_reachable_store_has_no_error(told: pytest.MonkeyPatch) -> None:
    check_reachable([PLACE, f"{BUCKET}/landing", "/a/folder"])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "nobody", "InvalidAccessKeyId"),
    ],
)
def test_wrong_keys(told: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    told.setenv(name, value)
    error = failure()
    assert error.code == "GS411"
    assert said in error.message
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in f"{error.message} {error.hint}"


def test_missing_keys(told: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        told.delenv(name)
    told.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert failure().code == "GS411"


def test_missing_bucket(told: pytest.MonkeyPatch) -> None:
    error = failure("s3a://leke/warehouse")
    assert error.code == "GS412"
    assert "`leke`" in error.message


def test_unreachable_store(told: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    told.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    error = failure()
    assert (error.code, error.retryable) == ("GS410", True)
    assert f"127.0.0.1:{port}" in error.message


def test_store_that_does_not_respond(told: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        told.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert failure().code == "GS410"


def test_clock_two_hours_off(told: pytest.MonkeyPatch) -> None:
    now = botocore.auth.get_current_datetime
    told.setattr(
        botocore.auth, "get_current_datetime", lambda *given: now(*given) + datetime.timedelta(hours=2)
    )
    error = failure()
    assert error.code == "GS413"
    assert "15 minutes" in error.message


def test_command_reports_the_store_before_spark_starts(
    told: pytest.MonkeyPatch, tmp_path: Path, home: S3Home
) -> None:
    (tmp_path / "goldsmith.yaml").write_text(home.declared)
    (tmp_path / "pipelines").mkdir()
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
def test_store_error_inside_a_spark_job(
    lake: Lake, tmp_path: Path, setting: str, value: str, code: str
) -> None:
    """Spark's own settings for one bucket are wrong, which the look at the store beforehand cannot know."""
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
