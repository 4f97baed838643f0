"""Options and profiles that all tiers share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from support.sessions import SHORT_LIVED

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# These run in Airflow's own environment: make airflow-test.
collect_ignore = ["airflow"]

# The command's output depends on these variables.
for _name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(_name, None)

_SHARED = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("test", derandomize=True, **_SHARED)  # type: ignore[arg-type]
settings.register_profile("faults", max_examples=200, **_SHARED)  # type: ignore[arg-type]
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", action="store_true", help="the full counts of kills and races")


def pytest_configure(config: pytest.Config) -> None:
    # The full counts run as for users, whose JVMs use both compilers.
    if not config.getoption("--faults"):
        os.environ.setdefault("SPARK_SUBMIT_OPTS", SHORT_LIVED)


@pytest.fixture(scope="session")
def full_counts(request: pytest.FixtureRequest) -> bool:
    """True under `make faults`."""
    return bool(request.config.getoption("--faults"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory, full_counts: bool) -> Iterator[SparkSession]:
    """One local Spark session shared by the tests. Imports are local, so that unit tests load no Spark."""
    from goldsmith.engine.launch.session import make_session
    from goldsmith.project.models import ProfileSpec, SparkSpec
    from goldsmith.settings import Settings
    from support.sessions import shared_session

    warehouse = str(tmp_path_factory.mktemp("warehouse"))
    profile = ProfileSpec(spark=SparkSpec(**shared_session(full_counts)))
    session = make_session(profile, name="tests", warehouse=warehouse, settings=Settings.from_environment())
    yield session
    session.stop()
