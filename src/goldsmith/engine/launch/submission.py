"""Completes the settings of a program that was started by spark-submit."""

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

_DEFAULT_MASTER = "local[*]"
"""spark-submit's default master."""


def submitted() -> bool:
    """True if spark-submit or the PySpark shell started this process."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def submission_settings(
    profile: ProfileSpec, conf: Mapping[str, str], jars: Callable[[], Sequence[Path]]
) -> dict[str, str]:
    """The settings that differ from `conf`: the submitted ones, and the profile's where none was submitted.

    jars: returns the additional jars. It is called if they were not submitted; they are added to the class path of
    the driver and its executors.
    Raises NotReady GS905 if the master does not respond, DeclarationError GS504 if no master was submitted and a
    driver cannot connect to the profile's by itself.
    """
    # A SparkConf created before would not have the JVM's settings.
    SparkContext._ensure_initialized()
    jvm: Any = SparkContext._jvm
    given = dict(SparkConf().getAll())
    if given.get("spark.app.name") == Path(sys.argv[0]).name:
        # The file's name is spark-submit's default name.
        del given["spark.app.name"]
    system = jvm.java.lang.System
    # The JVM has the submitter's environment; this process gets another MASTER from it.
    if _has_no_master(
        str(system.getProperty("sun.java.command")), system.getenv("MASTER"), given.get("spark.master")
    ):
        given["spark.master"] = _profile_master(profile)
    master = given.get("spark.master", profile.spark.master)
    host = driver_host(master)
    if host is not None and not {"SPARK_LOCAL_IP", "SPARK_LOCAL_HOSTNAME"} & os.environ.keys():
        given = {"spark.driver.host": host, "spark.driver.bindAddress": host, **given}
    if not all(_on_class_path(jvm, name) for name in _needed(profile)):
        missing = [path for path in jars() if path.name not in _named(given)]
        # As spark-submit does with --jars.
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        for path in missing:
            loader.addURL(jvm.java.io.File(str(path)).toURI().toURL())
        if not runs_here(master):
            submitted_jars = [given["spark.jars"]] if given.get("spark.jars") else []
            given["spark.jars"] = ",".join([*submitted_jars, *map(str, missing)])
    return {key: value for key, value in given.items() if conf.get(key) != value or key == "spark.master"}


def _has_no_master(command: str, variable: str | None, master: str | None) -> bool:
    """Whether no master was submitted by the command, the variable MASTER, or a settings file."""
    named = "--master" in command.split() or "spark.master=" in command or bool(variable)
    return not named and master in (None, _DEFAULT_MASTER)


def _profile_master(profile: ProfileSpec) -> str:
    master = profile.spark.master
    if master.startswith(("spark://", "local")):
        return master
    raise DeclarationError(
        "GS504",
        f"The program was submitted without a master, and the profile's is {master}.",
        hint=f"Submit it with `spark-submit --master {master} ...`, or use `goldsmith job submit`.",
    )


def _named(conf: Mapping[str, str]) -> set[str]:
    """The file names of the submitted jars."""
    paths = [
        *conf.get("spark.jars", "").split(","),
        *conf.get("spark.driver.extraClassPath", "").split(os.pathsep),
    ]
    return {path.rpartition("/")[2] for path in paths}


def _needed(profile: ProfileSpec) -> tuple[str, ...]:
    """A class of each library that the profile's sessions need."""
    delta = "io.delta.sql.DeltaSparkSessionExtension"
    on_s3 = ("org.apache.hadoop.fs.s3a.S3AFileSystem", "io.goldsmith.logstore.ConditionalS3LogStore")
    return (delta, *on_s3) if profile.on_s3 else (delta,)


def _on_class_path(jvm: Any, name: str) -> bool:
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    return loader.getResource(f"{name.replace('.', '/')}.class") is not None
