"""Makes the Spark session of a profile."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from pyspark.sql import SparkSession

from goldsmith.engine.jars import installed
from goldsmith.engine.java import find_java
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

_DEFAULTS: dict[str, str] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.scheduler.mode": "FAIR",
    "spark.ui.enabled": "false",
    # Python's call site for every column costs more than the column.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
    # A run of a few tables generates some four hundred classes. The next one finds them, unless the first
    # thousand of a session are all that is kept.
    "spark.sql.codegen.cache.maxEntries": "10000",
    # What the web page would show of past jobs is a burden on the heap, and plans as text are slow to write.
    "spark.ui.retainedJobs": "100",
    "spark.ui.retainedStages": "100",
    "spark.ui.retainedTasks": "1000",
    "spark.sql.ui.retainedExecutions": "50",
    "spark.sql.ui.explainMode": "simple",
    # Delta reads its log with 50 tasks by default; two do for logs of this size.
    "spark.databricks.delta.snapshotPartitions": "2",
    # VACUUM lists folders with one task for each of these, 10,000 by default.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
    "spark.databricks.delta.properties.defaults.enableChangeDataFeed": "true",
    # A commit without rows moves a table's bookmark on.
    "spark.databricks.delta.skipRecordingEmptyCommits": "false",
    # A file that vanished under a reader must be an error: rows would be lost without a word.
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
}

# A load of seconds ends before the second compiler pays for itself. With the first one alone the JVM would
# reserve a code cache of 48 MB, which a session of some hundred queries fills. Each growth of the heap and of
# the space for generated classes costs a full collection: they begin as large as they will be.
_LIGHT = (
    "-XX:TieredStopAtLevel=1",
    "-XX:ReservedCodeCacheSize=256m",
    "-XX:+UseSerialGC",
    "-XX:MetaspaceSize=256m",
)


SMALL = 16 * 2**20
"""Bytes up to which a load is small: a stage is a moment for one core, and its rows fit into one file."""


@contextmanager
def sized(spark: SparkSession, size: int | None, declared: Collection[str] = ()) -> Iterator[None]:
    """The session's settings for work on so many bytes. declared: settings that are left as they are.

    Adaptive execution plans every stage again when the one before it has ended, as a job of its own. What it
    learns from that pays where stages are large.
    """
    if size is None or size > SMALL:
        yield
        return
    wanted = {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "1"}
    settings = {key: value for key, value in wanted.items() if key not in declared}
    before = {key: spark.conf.get(key) for key in settings}
    for key, value in settings.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, former in before.items():
            spark.conf.set(key, str(former))


def make_session(profile: ProfileSpec, *, name: str, warehouse: str, settings: Settings) -> SparkSession:
    """A session of the profile's master, with Delta.

    Raises NotReady: GS901 without Java 17 or 21, GS902 without the pinned jars.
    """
    java = find_java(settings)
    jars = installed(settings)
    log4j = Path(str(files("goldsmith.engine").joinpath("log4j2.properties")))
    # Spark's start script takes JAVA_HOME over PATH, and the loopback spares it a look-up of the host's name.
    os.environ.setdefault("JAVA_HOME", str(java.resolve().parent.parent))
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.Builder().appName(name).master(profile.spark.master)
    conf = {
        **_DEFAULTS,
        "spark.driver.memory": profile.spark.memory,
        "spark.driver.extraClassPath": os.pathsep.join(str(jar) for jar in jars),
        "spark.driver.extraJavaOptions": " ".join(
            (
                f"-Dlog4j2.configurationFile={log4j.as_uri()}",
                *((*_LIGHT, f"-Xms{profile.spark.memory}") if profile.spark.light else ()),
            )
        ),
        "spark.sql.warehouse.dir": warehouse,
        **{key: _text(value) for key, value in profile.spark.conf.items()},
    }
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
