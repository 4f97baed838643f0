"""Creates the Spark session of a profile."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files

from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from goldsmith.engine.launch.driver import (
    additional_jars,
    executor_options,
    java_options,
    local_file_settings,
)
from goldsmith.engine.launch.executors import watch_executors
from goldsmith.engine.launch.java import find_java
from goldsmith.engine.launch.master import driver_host, runs_here
from goldsmith.engine.launch.submission import submission_settings, submitted
from goldsmith.engine.s3 import check_reachable
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

SMALL = 16 * 2**20
"""The greatest size of a small load in bytes: one core suffices for a stage, and one file for its rows."""


_REPEATED = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""PySpark's loggers that print every error with its stack to stderr before it is raised."""


@contextmanager
def sized(spark: SparkSession, size: int | None, declared: Collection[str] = ()) -> Iterator[None]:
    """Adapts the session's settings to an input of `size` bytes. declared: settings to leave unchanged.

    Adaptive execution re-plans every stage after the previous one, as a job of its own, which only pays off for large
    stages.
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
    """Creates a session on the profile's master with Delta, and with S3 if the profile uses it.

    A program started by spark-submit keeps its submitted settings: master, name, memory, jars and any other.
    Raises NotReady: GS901 without Java 17 or 21, GS902 without the pinned jars, GS905 without the master, GS410
    to GS413 if the profile's paths on S3 are not accessible.
    """
    if profile.on_s3:
        check_reachable((profile.landing, profile.warehouse))
    conf = {**defaults(), "spark.sql.warehouse.dir": warehouse}
    if profile.catalog == "hive":
        conf["spark.sql.catalogImplementation"] = "hive"
    if options := executor_options(profile):
        conf["spark.executor.defaultJavaOptions"] = " ".join(options)
    declared = {key: _text(value) for key, value in profile.spark.conf.items()}
    if submitted():
        conf |= {"spark.app.name": name, **declared}
        conf |= submission_settings(profile, conf, lambda: additional_jars(profile, settings))
    else:
        conf |= {"spark.app.name": name, **_driver_settings(profile, settings), **declared}
    builder = SparkSession.Builder()
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for logger in _REPEATED:
        PySparkLogger.getLogger(logger).disabled = True
    watch_executors(session, profile.spark.wait_for_cores)
    return session


def defaults() -> dict[str, str]:
    """The settings of spark-defaults.conf."""
    lines = (
        files("goldsmith.engine.launch")
        .joinpath("spark-defaults.conf")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    pairs = (line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))
    return {key: value.strip() for key, value in pairs}


def _driver_settings(profile: ProfileSpec, settings: Settings) -> dict[str, str]:
    """The settings of a driver in this process. Also sets environment variables of the process."""
    java = find_java(settings)
    jars = additional_jars(profile, settings)
    # Spark's start script prefers JAVA_HOME over PATH.
    os.environ.setdefault("JAVA_HOME", str(java.resolve().parent.parent))
    if profile.spark.conf_dir is not None:
        os.environ["SPARK_CONF_DIR"] = profile.spark.conf_dir
    conf = {
        "spark.master": profile.spark.master,
        "spark.driver.memory": profile.spark.memory,
        "spark.driver.extraJavaOptions": " ".join(java_options(profile, settings)),
        **local_file_settings(profile, settings),
    }
    if runs_here(profile.spark.master):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    host = driver_host(profile.spark.master)
    if host is not None:
        conf |= {"spark.driver.host": host, "spark.driver.bindAddress": host}
        # Saves Spark a look-up of the machine's name.
        os.environ.setdefault("SPARK_LOCAL_IP", host)
    if jars:
        conf["spark.driver.extraClassPath"] = os.pathsep.join(map(str, jars))
        if not runs_here(profile.spark.master):
            # If the driver's Spark has no such jars, executors are assumed to have none either and fetch them.
            conf["spark.jars"] = ",".join(map(str, jars))
    return conf


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
