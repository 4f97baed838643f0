"""One local Spark session for all tests of this tier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lake import Lake
from pyspark.sql import SparkSession

from goldsmith.engine.session import make_session
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.settings import Settings


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    warehouse = str(tmp_path_factory.mktemp("warehouse"))
    profile = ProfileSpec(spark=SparkSpec(master="local[2]", conf={"spark.sql.shuffle.partitions": 2}))
    session = make_session(profile, name="tests", warehouse=warehouse, settings=Settings.from_environment())
    yield session
    session.stop()


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(spark, tmp_path)
