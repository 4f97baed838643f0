"""Jars that are compiled on this machine, once, from Goldsmith's Java with the JDK that Spark runs on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from goldsmith.engine.launch.jars import PROFILE_SETUP_HINT, fetch, pinned, spark_jars
from goldsmith.engine.launch.java import find_java
from goldsmith.errors import NotReady
from goldsmith.settings import Settings

Report = Callable[[str], None]
"""Receives a line for each step."""


@dataclass(frozen=True)
class CompiledJar:
    """A jar. folder: of its sources. needs: the groups of jars that they use besides Spark's own."""

    title: str
    folder: str
    needs: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"goldsmith-{self.folder}.jar"

    @property
    def sources(self) -> Path:
        return _java() / self.folder / "src"


LOG_STORE = CompiledJar("log store for S3", "logstore", ("delta", "s3"))
FILES = CompiledJar("access to files", "files")
"""Hadoop's local files without a process for each file, and ZIP files.

Sessions work without it: they create files more slowly, and read no ZIP files.
"""


def compiled(jar: CompiledJar, settings: Settings) -> Path | None:
    """The jar's path, in Spark's own folder or in the cache; None if it is not compiled."""
    shipped = spark_jars() / jar.file
    path = shipped if shipped.is_file() else _cached_path(jar, settings)
    return path if path.is_file() else None


def log_store_jar(settings: Settings) -> Path:
    """The path of the log store for S3. Raises NotReady GS902 if it is missing."""
    path = compiled(LOG_STORE, settings)
    if path is None:
        raise NotReady(
            "GS902", f"The {LOG_STORE.title}, {LOG_STORE.file}, is not built.", hint=PROFILE_SETUP_HINT
        )
    return path


def build(jar: CompiledJar, settings: Settings, report: Report) -> Path:
    """Builds a jar if it does not exist, and returns its path.

    Raises NotReady: GS901 without a JDK; GS902 if its dependencies cannot be fetched or it does not compile.
    """
    found = compiled(jar, settings)
    if found is not None:
        report(f"{jar.title}: {found}")
        return found
    path = _cached_path(jar, settings)
    java = find_java(settings).resolve()
    if not java.with_name("javac").is_file():
        raise NotReady(
            "GS901",
            f"{java} has no compiler, which is needed to build the {jar.title}.",
            hint="Install a JDK instead of a JRE (openjdk-17-jdk-headless). Profiles on a local disk do not need it.",
        )
    needs = fetch(settings, jar.needs, report)
    class_path = os.pathsep.join([*map(str, needs), f"{spark_jars()}/*"])
    report(f"{jar.title}: compiling {path}")
    done = subprocess.run(
        ["sh", str(_java() / "build-jar.sh"), str(jar.sources), class_path, str(path)],
        env={**os.environ, "JAVA_HOME": str(java.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotReady("GS902", f"The {jar.title} does not compile:\n{done.stderr[-2000:]}")
    return path


def build_files(settings: Settings, report: Report) -> None:
    """Builds the access to files, or reports that there is no compiler.

    Raises NotReady: GS901 without Java, GS902 if it does not compile.
    """
    java = find_java(settings).resolve()
    if compiled(FILES, settings) is None and not java.with_name("javac").is_file():
        report(
            f"{FILES.title}: {java} has no compiler. Spark starts a process for each file that it creates, and "
            "reads no ZIP files."
        )
        return
    build(FILES, settings, report)


def _java() -> Path:
    """The folder with build-jar.sh and the sources: in the package, or in the clone that contains it."""
    packaged = Path(str(files("goldsmith.engine.launch").joinpath("java-sources")))
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "spark"


def _cached_path(jar: CompiledJar, settings: Settings) -> Path:
    if settings.jars is not None:
        return settings.jars / jar.file
    pins = pinned(*jar.needs) if jar.needs else ()
    digest = hashlib.sha256("".join(pin.sha256 for pin in pins).encode())
    for source in sorted(jar.sources.glob("**/*.java")):
        digest.update(source.read_bytes())
    return settings.cache / jar.folder / digest.hexdigest()[:12] / jar.file


def main() -> None:
    """Builds the access to files, and prints each step."""
    try:
        build_files(Settings.from_environment(), print)
    except NotReady as error:
        sys.stderr.write(f"{error}\n{error.hint or ''}\n")
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
