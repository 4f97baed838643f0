"""Shared services of the tests, each a real process, and a Spark session connected to them.

The session's JVM reads their addresses from its environment, so it cannot be the JVM of other tests.
"""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession

from goldsmith.engine.launch.compiled_jars import LOG_STORE, build
from goldsmith.engine.launch.jars import fetch
from goldsmith.engine.launch.session import make_session
from goldsmith.engine.s3 import Bucket
from goldsmith.project.connections import ConnectionSpec
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.settings import Settings
from services import mariadb, postgres
from services.mariadb import MariaDb
from services.object_store import NoStoreError, ObjectStore, running
from services.postgres import Postgres
from services.processes import Missing
from support.homes import S3Home
from support.lake import Lake
from support.sessions import shared_session

CONF = Path(__file__).parents[2] / "spark" / "conf"
BUCKET = "s3a://lake"
DRIVERS = ("postgresql", "mysql", "sqlite")


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An S3 store shared by the tests. Each test creates its own buckets."""
    try:
        with running(tmp_path_factory.mktemp("object-store"), Settings.from_environment().cache) as store:
            yield store
    except NoStoreError as missing:
        pytest.skip(f"no S3 store: {missing}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server."""
    try:
        with postgres.running(tmp_path_factory.mktemp("postgres") / "log") as running_server:
            yield running_server
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A MariaDB server with an empty database `shop`."""
    try:
        with mariadb.running(tmp_path_factory.mktemp("mariadb") / "log") as running_server:
            yield running_server
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def on_s3(object_store: ObjectStore) -> Iterator[None]:
    """Sets the environment variables of the store, and creates the bucket `lake`."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in object_store.environment.items():
            patched.setenv(name, value)
        Bucket.of(BUCKET).client.create_bucket(Bucket="lake")
        yield


@pytest.fixture(scope="session")
def spark(on_s3: None, tmp_path_factory: pytest.TempPathFactory, full_counts: bool) -> Iterator[SparkSession]:
    """A local session with the store and the settings of spark/conf."""
    if SparkContext._gateway is not None:
        pytest.fail("Run the tests of services by themselves: `pytest tests/services`.")
    build(LOG_STORE, Settings.from_environment(), lambda line: sys.stdout.write(f"{line}\n"))
    fetch(Settings.from_environment(), DRIVERS, lambda line: sys.stdout.write(f"{line}\n"))
    drivers = {name: ConnectionSpec(url=f"jdbc:{name}:") for name in DRIVERS}
    profile = ProfileSpec(
        connections=drivers,
        landing=f"{BUCKET}/landing",
        warehouse=f"{BUCKET}/warehouse",
        spark=SparkSpec(conf_dir=str(CONF), **shared_session(full_counts)),
    )
    warehouse = str(tmp_path_factory.mktemp("warehouse"))
    session = make_session(profile, name="tests", warehouse=warehouse, settings=Settings.from_environment())
    yield session
    session.stop()


@pytest.fixture
def home(on_s3: None) -> S3Home:
    """A separate prefix in the bucket."""
    return S3Home(f"{BUCKET}/{secrets.token_hex(4)}", CONF)


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path, home: S3Home) -> Lake:
    return Lake(spark, tmp_path, home)


@pytest.fixture
def new_lake(spark: SparkSession, tmp_path: Path) -> Callable[[], Lake]:
    """Creates lakes, one for each example of a property."""

    def make() -> Lake:
        return Lake(
            spark, Path(tempfile.mkdtemp(dir=tmp_path)), S3Home(f"{BUCKET}/{secrets.token_hex(4)}", CONF)
        )

    return make


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Selects a fixed sample of the loads' tests to run on S3, without properties; all of them with --faults."""
    again = [item for item in items if item.path.name == "test_loads_on_s3.py"]
    if config.getoption("--faults") or len(again) < 2 or any("::" in name for name in config.args):
        return
    single = [item for item in again if "_properties__" not in item.name]
    chosen = random.Random(4).sample(single, len(single) // 5)
    left = [item for item in again if item not in chosen]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)
