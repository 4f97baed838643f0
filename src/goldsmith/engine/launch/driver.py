"""The JVM options and additional jars of a driver."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from goldsmith.engine.launch.archive import archive_options
from goldsmith.engine.launch.compiled_jars import FILES, compiled, log_store_jar
from goldsmith.engine.launch.jars import groups_of, installed, spark_jars
from goldsmith.engine.launch.master import runs_here
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

# A load of seconds ends before the optimizing compiler pays off. Without it the JVM would reserve a code cache of only
# 48 MB, which a session of some hundred queries fills. Growing the heap or the metaspace costs a full collection, so
# both start at their final size.
_LIGHT = (
    "-XX:TieredStopAtLevel=1",
    "-XX:ReservedCodeCacheSize=256m",
    "-XX:+UseSerialGC",
    "-XX:MetaspaceSize=256m",
)


def java_options(profile: ProfileSpec, settings: Settings) -> tuple[str, ...]:
    """The JVM options of a driver on this machine."""
    log4j = Path(str(files("goldsmith.engine.launch").joinpath("log4j2.properties")))
    return (
        f"-Dlog4j2.configurationFile={log4j.as_uri()}",
        *light_options(profile),
        *archive_options(profile, settings),
    )


def light_options(profile: ProfileSpec) -> tuple[str, ...]:
    """The JVM options of a driver on any machine."""
    return (*_LIGHT, f"-Xms{profile.spark.memory}") if profile.spark.light else ()


def executor_options(profile: ProfileSpec) -> tuple[str, ...]:
    """The default JVM options of executors."""
    return _LIGHT if profile.spark.light else ()


def additional_jars(profile: ProfileSpec, settings: Settings) -> list[Path]:
    """The jars that the profile needs and Spark's own folder does not have. Raises NotReady GS902 if one is missing."""
    stores = [log_store_jar(settings)] if profile.on_s3 else []
    built = compiled(FILES, settings)
    found = [*installed(settings, *groups_of(profile)), *stores, *([built] if built is not None else [])]
    own = spark_jars()
    return [path for path in found if path.parent != own]


def local_file_settings(profile: ProfileSpec, settings: Settings) -> dict[str, str]:
    """The settings by which a driver on this machine creates local files without a process for each, if it can."""
    if profile.on_s3 or not runs_here(profile.spark.master) or compiled(FILES, settings) is None:
        return {}
    return {
        "spark.hadoop.fs.file.impl": "io.goldsmith.localfs.DirectLocalFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "io.goldsmith.localfs.DirectLocalFs",
    }
