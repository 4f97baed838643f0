"""Builds the jar of the log store for S3, once, with the JDK that Spark runs on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from goldsmith.engine.launch.jars import PROFILE_SETUP_HINT, fetch, pinned, spark_jars
from goldsmith.engine.launch.java import find_java
from goldsmith.errors import NotReady
from goldsmith.settings import Settings

NAME = "goldsmith-logstore.jar"
_NEEDS = ("delta", "s3")


def log_store_jar(settings: Settings) -> Path:
    """The jar's path: in Spark's own folder, else in the cache. Raises NotReady GS902 if it is missing."""
    shipped = spark_jars() / NAME
    path = shipped if shipped.is_file() else _cached_path(settings)
    if not path.is_file():
        raise NotReady("GS902", f"The log store for S3, {NAME}, is not built.", hint=PROFILE_SETUP_HINT)
    return path


def build(settings: Settings, report: Callable[[str], None]) -> Path:
    """Builds the jar if it does not exist, and returns its path; `report` receives a line for each step.

    Raises NotReady: GS901 without a JDK; GS902 if its dependencies cannot be fetched or it does not compile.
    """
    try:
        path = log_store_jar(settings)
    except NotReady:
        path = _cached_path(settings)
    else:
        report(f"log store: {path}")
        return path
    java = find_java(settings).resolve()
    if not java.with_name("javac").is_file():
        raise NotReady(
            "GS901",
            f"{java} has no compiler, which is needed to build the log store for S3.",
            hint="Install a JDK instead of a JRE (openjdk-17-jdk-headless). Profiles on a local disk do not need it.",
        )
    needs = fetch(settings, _NEEDS, report)
    class_path = os.pathsep.join([*map(str, needs), f"{spark_jars()}/*"])
    report(f"log store: compiling {path}")
    done = subprocess.run(
        ["sh", str(_sources() / "build.sh"), class_path, str(path)],
        env={**os.environ, "JAVA_HOME": str(java.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotReady("GS902", f"The log store for S3 does not compile:\n{done.stderr[-2000:]}")
    return path


def _sources() -> Path:
    """The folder with build.sh and src: in the package, or in the clone that contains it."""
    packaged = Path(str(files("goldsmith.engine.launch").joinpath("log-store")))
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "spark" / "logstore"


def _cached_path(settings: Settings) -> Path:
    if settings.jars is not None:
        return settings.jars / NAME
    digest = hashlib.sha256("".join(jar.sha256 for jar in pinned(*_NEEDS)).encode())
    for source in sorted(_sources().glob("src/**/*.java")):
        digest.update(source.read_bytes())
    return settings.cache / "logstore" / digest.hexdigest()[:12] / NAME


def main() -> None:
    """Builds the jar, fetches its dependencies, and prints each step."""
    try:
        build(Settings.from_environment(), print)
    except NotReady as error:
        sys.stderr.write(f"{error}\n{error.hint or ''}\n")
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
