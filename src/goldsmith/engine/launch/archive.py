"""An archive of the classes that a driver loads: a JVM maps them from it and does not load them one by one.

Java takes an archive only with the class path and the JDK that it was made with. A folder on the class path with
something in it keeps Java from making one: profiles with a `conf_dir` go without.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from goldsmith.engine.launch.jars import pinned, spark_jars
from goldsmith.engine.launch.java import find_java
from goldsmith.errors import NotReady
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

# Java would say on standard output why it does not take an archive.
_SILENT = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off")


def archive_options(profile: ProfileSpec, settings: Settings) -> tuple[str, ...]:
    """The JVM's options that use the archive; none where there is none, or where it would not fit."""
    if profile.on_s3 or profile.spark.conf_dir is not None or "SPARK_CONF_DIR" in os.environ:
        return ()
    path = archive_of(settings)
    return (f"-XX:SharedArchiveFile={path}", *_SILENT) if path.is_file() else ()


def archive_of(settings: Settings) -> Path:
    """Where the archive is kept for this JDK, this Spark and these jars."""
    java = find_java(settings).resolve()
    told = [
        str(java),
        str(java.stat().st_mtime_ns),
        str(spark_jars()),
        *(jar.sha256 for jar in pinned("delta")),
    ]
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]
    return settings.cache / "archive" / f"{digest}.jsa"


def make_archive(settings: Settings, training: Sequence[str], tell: Callable[[str], None]) -> Path:
    """Makes the archive where it is not there, and returns its path: about a minute, and some 200 MB.

    training: a Python program's arguments. It does what drivers do and returns when its JVM has ended.
    Raises NotReady: GS901 without Java, GS907 if Java makes none.
    """
    path = archive_of(settings)
    if path.is_file():
        tell(f"fast start: {path}")
        return path
    tell(f"fast start: loading as a run does, and archiving the classes in {path}")
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
                f"Java made no archive of classes:\n{(done.stdout + done.stderr)[-2000:]}",
                hint="Runs work without it; they start more slowly.",
            )
        made.replace(path)
    return path
