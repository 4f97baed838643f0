"""Makes the Spark session of a profile."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files

from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from goldsmith.engine.launch.driver import additional_jars, executor_options, java_options
from goldsmith.engine.launch.executors import watch_executors
from goldsmith.engine.launch.java import find_java
from goldsmith.engine.launch.master import driver_host, runs_here
from goldsmith.engine.launch.submission import of_submission, submitted
from goldsmith.engine.s3 import check_reachable
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

SMALL = 16 * 2**20
"""Bytes up to which a load is small: a stage is a moment for one core, and its rows fit into one file."""


_REPEATED = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""PySpark's loggers that write every error to stderr, with its stack as JSON, before it is raised."""


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
    """A session of the profile's master, with Delta, and with S3 where the profile is on it.

    A program that spark-submit started keeps what it was submitted with: master, name, memory, jars, any setting.
    Raises NotReady: GS901 without Java 17 or 21, GS902 without the pinned jars, GS905 without the master, GS410
    to GS413 if the profile's place on S3 is not there for us.
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
        conf |= of_submission(profile, conf, lambda: additional_jars(profile, settings))
    else:
        conf |= {"spark.app.name": name, **_of_a_driver(profile, settings), **declared}
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


def _of_a_driver(profile: ProfileSpec, settings: Settings) -> dict[str, str]:
    """The settings of a driver that is started here; the environment of its process is set too."""
    java = find_java(settings)
    jars = additional_jars(profile, settings)
    # Spark's start script takes JAVA_HOME over PATH.
    os.environ.setdefault("JAVA_HOME", str(java.resolve().parent.parent))
    if profile.spark.conf_dir is not None:
        os.environ["SPARK_CONF_DIR"] = profile.spark.conf_dir
    conf = {
        "spark.master": profile.spark.master,
        "spark.driver.memory": profile.spark.memory,
        "spark.driver.extraJavaOptions": " ".join(java_options(profile, settings)),
    }
    host = driver_host(profile.spark.master)
    if host is not None:
        conf |= {"spark.driver.host": host, "spark.driver.bindAddress": host}
        # It spares Spark a look-up of the machine's name.
        os.environ.setdefault("SPARK_LOCAL_IP", host)
    if jars:
        conf["spark.driver.extraClassPath"] = os.pathsep.join(map(str, jars))
        if not runs_here(profile.spark.master):
            # A driver whose Spark lacks them takes it that its executors' lacks them too: they fetch them from it.
            conf["spark.jars"] = ",".join(map(str, jars))
    return conf


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
