"""Fixtures of the tests on a local Spark session."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from goldsmith.run import runner
from support.lake import Lake


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(spark, tmp_path)


@pytest.fixture
def unrecorded_lake(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake whose runs are not recorded in `ops`, which would take most of the time of such small runs."""
    monkeypatch.setattr(runner, "record", lambda *_, **__: (0, ()))
    return Lake(spark, tmp_path)


@pytest.fixture
def new_lake(spark: SparkSession, tmp_path: Path) -> Callable[[], Lake]:
    """Creates lakes, one for each example of a property."""
    return lambda: Lake(spark, Path(tempfile.mkdtemp(dir=tmp_path)))
