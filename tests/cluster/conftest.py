"""The cluster's services as processes, and a Spark session with their metastore as catalog.

The session's JVM reads the metastore's address from its environment, so it cannot be the JVM of other tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession

from goldsmith.engine.launch.session import make_session
from goldsmith.project.models import ProfileSpec, SparkSpec
from goldsmith.settings import Settings
from services.stack import ROOT, Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The cluster's services on a local disk, each started when a test first uses it."""
    with Stack.started(tmp_path_factory.mktemp("stack"), "jars", "postgres") as stack:
        yield stack


@pytest.fixture(scope="session")
def hive(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A local session with the stack's metastore as catalog."""
    if SparkContext._gateway is not None:
        pytest.fail("Run the tests of the cluster by themselves: `pytest tests/cluster`.")
    conf_dir = str(ROOT / "spark" / "conf")
    profile = ProfileSpec(catalog="hive", spark=SparkSpec(master="local[2]", memory="1g", conf_dir=conf_dir))
    warehouse = str(tmp_path_factory.mktemp("hive-warehouse"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HIVE_METASTORE_URIS", f"thrift://127.0.0.1:{stack.metastore.port}")
        session = make_session(
            profile, name="tests", warehouse=warehouse, settings=Settings.from_environment()
        )
        yield session
        session.stop()
