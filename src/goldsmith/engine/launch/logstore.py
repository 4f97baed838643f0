"""The jar of the log store for S3: built once from its sources, by the JDK that Spark runs on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from goldsmith.engine.launch.jars import S3_SETUP_HINT, fetch, pinned, spark_jars
from goldsmith.engine.launch.java import find_java
from goldsmith.errors import NotReady
from goldsmith.settings import Settings

NAME = "goldsmith-logstore.jar"
_NEEDS = ("delta", "s3")


def log_store_jar(settings: Settings) -> Path:
    """The jar's path: among Spark's own jars, else where it is kept. Raises NotReady GS902 if it is missing."""
    shipped = spark_jars() / NAME
    path = shipped if shipped.is_file() else _kept_at(settings)
    if not path.is_file():
        raise NotReady("GS902", f"The log store for S3, {NAME}, is not built.", hint=S3_SETUP_HINT)
    return path


def build(settings: Settings, tell: Callable[[str], None]) -> Path:
    """Builds the jar where it is not there, and returns its path; `tell` receives a line for each step.

    Raises NotReady: GS901 without Java, or with one that is no JDK; GS902 if its needs cannot be fetched or it
    does not compile.
    """
    try:
        path = log_store_jar(settings)
    except NotReady:
        path = _kept_at(settings)
    else:
        tell(f"log store: {path}")
        return path
    java = find_java(settings).resolve()
    if not java.with_name("javac").is_file():
        raise NotReady(
            "GS901",
            f"{java} has no compiler beside it, and the log store for S3 is compiled once.",
            hint="Install a JDK and not a JRE (openjdk-17-jdk-headless). Profiles on a local disk need none.",
        )
    needs = fetch(settings, _NEEDS, tell)
    class_path = os.pathsep.join([*map(str, needs), f"{spark_jars()}/*"])
    tell(f"log store: compiling {path}")
    done = subprocess.run(
        ["sh", str(_home() / "build.sh"), class_path, str(path)],
        env={**os.environ, "JAVA_HOME": str(java.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotReady("GS902", f"The log store for S3 does not compile:\n{done.stderr[-2000:]}")
    return path


def _home() -> Path:
    """The folder with build.sh and src: within the package, or of the clone that the package lies in."""
    packaged = Path(str(files("goldsmith.engine.launch").joinpath("log-store")))
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "spark" / "logstore"


def _kept_at(settings: Settings) -> Path:
    if settings.jars is not None:
        return settings.jars / NAME
    told = hashlib.sha256("".join(jar.sha256 for jar in pinned(*_NEEDS)).encode())
    for source in sorted(_home().glob("src/**/*.java")):
        told.update(source.read_bytes())
    return settings.cache / "logstore" / told.hexdigest()[:12] / NAME


def main() -> None:
    """Builds the jar, and what it needs is fetched; prints what happens."""
    try:
        build(Settings.from_environment(), print)
    except NotReady as error:
        sys.stderr.write(f"{error}\n{error.hint or ''}\n")
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
