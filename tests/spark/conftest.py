"""Fixtures of the tests on a local Spark session."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake import Lake
from pyspark.sql import SparkSession


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(spark, tmp_path)
