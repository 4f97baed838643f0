"""Services that tests share, each a real process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from goldsmith.settings import Settings
from services.object_store import NoStoreError, ObjectStore, running
from services.processes import Missing
from services.stack import ROOT, Stack

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An S3 store for all tests that need one; each makes buckets of its own."""
    try:
        with running(tmp_path_factory.mktemp("object-store"), Settings.from_environment().cache) as store:
            yield store
    except NoStoreError as missing:
        pytest.skip(f"no S3 store: {missing}")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The cluster's services on a local disk, each started when a test first asks for it."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.jars  # noqa: B018 - missing jars skip here
    except Missing as missing:
        pytest.skip(str(missing))
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def hive(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A local session whose catalog is the stack's metastore."""
    from goldsmith.engine.session import make_session
    from goldsmith.project.models import ProfileSpec, SparkSpec

    try:
        uris = f"thrift://127.0.0.1:{stack.metastore.port}"
    except Missing as missing:
        pytest.skip(str(missing))
    os.environ["HIVE_METASTORE_URIS"] = uris
    profile = ProfileSpec(
        catalog="hive",
        spark=SparkSpec(master="local[2]", memory="1g", conf_dir=str(ROOT / "spark" / "conf")),
    )
    warehouse = str(tmp_path_factory.mktemp("hive-warehouse"))
    session = make_session(profile, name="tests", warehouse=warehouse, settings=Settings.from_environment())
    yield session
    session.stop()
