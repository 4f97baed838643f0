"""A class data sharing archive for drivers: the JVM maps classes from it instead of loading each.

Java only uses an archive with the class path and the JDK that it was created with. It cannot create one if the class
path has a non-empty folder, so profiles with a `conf_dir` have none.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from goldsmith.engine.launch.compiled_jars import FILES, compiled
from goldsmith.engine.launch.jars import pinned, spark_jars
from goldsmith.engine.launch.java import find_java
from goldsmith.errors import NotReady
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

# Otherwise Java prints to standard output why it does not use an archive.
_SILENT = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off")

# Mapped at the address that it was created for, the archive is read page by page and shared by all drivers. Relocated,
# each driver reads it all first, into 180 MB of its own.
_IN_PLACE = ("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0")


def archive_options(profile: ProfileSpec, settings: Settings) -> tuple[str, ...]:
    """The JVM's options for the archive; empty if there is none, or it does not fit the profile."""
    if profile.on_s3 or profile.spark.conf_dir is not None or "SPARK_CONF_DIR" in os.environ:
        return ()
    path = archive_of(settings)
    return (f"-XX:SharedArchiveFile={path}", *_IN_PLACE, *_SILENT) if path.is_file() else ()


def archive_of(settings: Settings) -> Path:
    """The path of the archive for this JDK, this Spark and these jars."""
    java = find_java(settings).resolve()
    inputs = [
        str(java),
        str(java.stat().st_mtime_ns),
        str(spark_jars()),
        *(jar.sha256 for jar in pinned("delta")),
        str(compiled(FILES, settings)),
    ]
    digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:12]
    return settings.cache / "archive" / f"{digest}.jsa"


def make_archive(settings: Settings, training: Sequence[str], report: Callable[[str], None]) -> Path:
    """Creates the archive if it does not exist, and returns its path. Takes a minute and some 200 MB.

    training: the arguments of a Python program that does what drivers do, and returns when its JVM has ended.
    Raises NotReady: GS901 without Java, GS907 if Java cannot create the archive.
    """
    path = archive_of(settings)
    if path.is_file():
        report(f"fast start: {path}")
        return path
    report(f"fast start: running a training load, and archiving its classes in {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".making-") as work:
        made = Path(work) / "made.jsa"
        options = " ".join((f"-XX:ArchiveClassesAtExit={made}", *_SILENT))
        environment = {**os.environ, "SPARK_SUBMIT_OPTS": options}
        environment.pop("SPARK_CONF_DIR", None)
        done = subprocess.run(
            [sys.executable, *training], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not made.is_file():
            raise NotReady(
                "GS907",
                f"Java did not create an archive of classes:\n{(done.stdout + done.stderr)[-2000:]}",
                hint="Continue without it: runs work, and start more slowly.",
            )
        made.replace(path)
    return path
