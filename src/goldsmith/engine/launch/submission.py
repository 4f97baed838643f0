"""What a program that spark-submit started was submitted with, and what its session lacks beside that."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext

from goldsmith.engine.launch.master import driver_host, runs_here
from goldsmith.errors import DeclarationError
from goldsmith.project.models import ProfileSpec

_UNSAID = "local[*]"
"""spark-submit's master where none is named."""


def submitted() -> bool:
    """True if spark-submit, or the shell of pyspark, started this process."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def of_submission(
    profile: ProfileSpec, conf: Mapping[str, str], jars: Callable[[], Sequence[Path]]
) -> dict[str, str]:
    """The settings that differ from `conf`: the submitter's, and of the profile what the submitter left open.

    jars: those that Spark's own folder lacks. They are asked for where the submitter did not give them, and put on
    the class path of this driver and of its executors.
    Raises NotReady GS905 if the master does not answer, DeclarationError GS504 if nobody named one and the
    profile's is none that a driver can turn to by itself.
    """
    # A SparkConf made before knows nothing of the JVM's settings.
    SparkContext._ensure_initialized()
    jvm: Any = SparkContext._jvm
    told = dict(SparkConf().getAll())
    if told.get("spark.app.name") == Path(sys.argv[0]).name:
        # Nobody chose the file's name: it is what spark-submit takes for want of another.
        del told["spark.app.name"]
    system = jvm.java.lang.System
    # The JVM's environment is the submitter's; to this process it gives a MASTER of its own.
    if _left_open(
        str(system.getProperty("sun.java.command")), system.getenv("MASTER"), told.get("spark.master")
    ):
        told["spark.master"] = _own_master(profile)
    master = told.get("spark.master", profile.spark.master)
    host = driver_host(master)
    if host is not None and not {"SPARK_LOCAL_IP", "SPARK_LOCAL_HOSTNAME"} & os.environ.keys():
        told = {"spark.driver.host": host, "spark.driver.bindAddress": host, **told}
    if not all(_on_class_path(jvm, name) for name in _needed(profile)):
        missing = [path for path in jars() if path.name not in _named(told)]
        # As spark-submit itself does with --jars.
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        for path in missing:
            loader.addURL(jvm.java.io.File(str(path)).toURI().toURL())
        if not runs_here(master):
            held = [told["spark.jars"]] if told.get("spark.jars") else []
            told["spark.jars"] = ",".join([*held, *map(str, missing)])
    return {key: value for key, value in told.items() if conf.get(key) != value or key == "spark.master"}


def _left_open(command: str, variable: str | None, master: str | None) -> bool:
    """Whether the submitter named no master: by the command, the variable MASTER, or a file of settings."""
    named = "--master" in command.split() or "spark.master=" in command or bool(variable)
    return not named and master in (None, _UNSAID)


def _own_master(profile: ProfileSpec) -> str:
    master = profile.spark.master
    if master.startswith(("spark://", "local")):
        return master
    raise DeclarationError(
        "GS504",
        f"This was submitted without a master, and the profile's is {master}.",
        hint=f"Name it: `spark-submit --master {master} ...`, or use `goldsmith submit`.",
    )


def _named(conf: Mapping[str, str]) -> set[str]:
    """The files of the jars that the submitter named."""
    paths = [
        *conf.get("spark.jars", "").split(","),
        *conf.get("spark.driver.extraClassPath", "").split(os.pathsep),
    ]
    return {path.rpartition("/")[2] for path in paths}


def _needed(profile: ProfileSpec) -> tuple[str, ...]:
    """A class of each thing that sessions of the profile need."""
    delta = "io.delta.sql.DeltaSparkSessionExtension"
    on_s3 = ("org.apache.hadoop.fs.s3a.S3AFileSystem", "io.goldsmith.logstore.ConditionalS3LogStore")
    return (delta, *on_s3) if profile.on_s3 else (delta,)


def _on_class_path(jvm: Any, name: str) -> bool:
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    return loader.getResource(f"{name.replace('.', '/')}.class") is not None
