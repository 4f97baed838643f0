"""Spark's additional jars: pinned in groups, fetched once by PySpark's Ivy, verified by sha256."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from goldsmith.engine.launch.java import find_java
from goldsmith.errors import NotReady
from goldsmith.project.models import ProfileSpec
from goldsmith.settings import Settings

SETUP_HINT = "Run `goldsmith spark install` once (`make setup` in a clone)."
PROFILE_SETUP_HINT = "Run `goldsmith spark install --profile NAME` once, with this profile."


@dataclass(frozen=True)
class Jar:
    """A Maven artifact and the sha256 of its file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


GROUPS = ("delta", "s3", "postgresql", "mysql", "sqlite", "serving")
"""The groups of jars.txt: for tables, for s3a://, for databases, for the Thrift Server."""


def groups_of(profile: ProfileSpec) -> tuple[str, ...]:
    """The groups of jars that a profile's sessions need."""
    drivers = {"postgresql", "mysql", "sqlite"} & {
        connection.system for connection in profile.connections.values()
    }
    return ("delta", *(["s3"] if profile.on_s3 else []), *sorted(drivers))


def pinned(*groups: str) -> tuple[Jar, ...]:
    """The jars of some groups of jars.txt in its order; by default of all groups."""
    lines = files("goldsmith.engine.launch").joinpath("jars.txt").read_text(encoding="utf-8").splitlines()
    jars = []
    group = ""
    for line in lines:
        if line.startswith("["):
            group = line.strip("[]")
        elif line.strip() and not line.startswith("#") and group in (groups or GROUPS):
            coordinates, digest = line.split()
            organisation, artifact, version = coordinates.split(":")
            jars.append(Jar(organisation, artifact, version, digest))
    return tuple(jars)


def jar_folder(settings: Settings, group: str) -> Path:
    """The folder of a group's jars; each list of jars has its own folder."""
    if settings.jars is not None:
        return settings.jars
    digest = hashlib.sha256("".join(jar.sha256 for jar in pinned(group)).encode()).hexdigest()[:12]
    return settings.cache / "jars" / digest


def spark_jars() -> Path:
    """The folder of Spark's own jars. Raises NotReady GS903 if pyspark is not installed."""
    home = os.environ.get("SPARK_HOME")
    if home:
        return Path(home) / "jars"
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise NotReady("GS903", "pyspark is not installed.", hint="Run `make setup`.")
    return Path(spec.origin).parent / "jars"


def installed(settings: Settings, *groups: str) -> tuple[Path, ...]:
    """The paths of some groups' jars: in Spark's own folder, else in the groups' folders.

    Raises NotReady GS902 if one is missing. Fetches nothing.
    """
    ships = spark_jars()
    paths = []
    for group in groups:
        folder = jar_folder(settings, group)
        for jar in pinned(group):
            shipped = ships / jar.file
            paths.append(shipped if shipped.is_file() else folder / jar.file)
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""  # noqa: PLR2004
        raise NotReady(
            "GS902",
            f"Spark's additional jars are not installed: {', '.join(missing[:3])}{more}.",
            hint=SETUP_HINT if groups == ("delta",) else PROFILE_SETUP_HINT,
        )
    return tuple(paths)


def fetch(settings: Settings, groups: Sequence[str], report: Callable[[str], None]) -> tuple[Path, ...]:
    """Fetches missing jars of some groups and returns the paths of all; `report` receives a line for each step.

    Raises NotReady: GS901 without Java, GS902 if a jar cannot be fetched or is not the pinned one.
    """
    ships = spark_jars()
    for group in groups:
        folder = jar_folder(settings, group)
        wanted = [
            jar
            for jar in pinned(group)
            if not (folder / jar.file).is_file() and not (ships / jar.file).is_file()
        ]
        if not wanted:
            report(f"{group}: all {len(pinned(group))} jars are installed.")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        report(f"{group}: fetching {len(wanted)} jars into {folder}")
        with tempfile.TemporaryDirectory(prefix="goldsmith-jars-") as work:
            _run_ivy(settings, wanted, Path(work), report)
            for jar in wanted:
                _take(jar, Path(work) / "got" / jar.file, folder)
        report(f"  {len(wanted)} jars: sha256 verified")
    return installed(settings, *groups)


def _take(jar: Jar, path: Path, folder: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if digest != jar.sha256:
        raise NotReady(
            "GS902",
            f"{jar.file} is not the pinned file: its sha256 is {digest}, not {jar.sha256}.",
            hint="Check the repository that GOLDSMITH_MAVEN_REPOSITORY or GOLDSMITH_IVY_SETTINGS names.",
        )
    # Two processes may do this at once: a rename is atomic.
    partial = Path(tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")[1])
    shutil.copyfile(path, partial)
    partial.chmod(0o644)
    partial.replace(folder / jar.file)


def _run_ivy(settings: Settings, jars: list[Jar], work: Path, report: Callable[[str], None]) -> None:
    ivy_jar = next(spark_jars().glob("ivy-*.jar"))
    dependencies = "".join(
        f'<dependency org="{jar.group}" name="{jar.artifact}" rev="{jar.version}" transitive="false"/>'
        for jar in jars
    )
    (work / "ivy.xml").write_text(
        '<ivy-module version="2.0"><info organisation="goldsmith" module="jars"/><configurations>'
        '<conf name="default"/></configurations><dependencies defaultconfmapping="default->master">'
        f"{dependencies}</dependencies></ivy-module>",
        encoding="utf-8",
    )
    ivy_settings = settings.ivy_settings
    if ivy_settings is None:
        ivy_settings = work / "settings.xml"
        ivy_settings.write_text(
            '<ivysettings><settings defaultResolver="maven"/><resolvers>'
            f'<ibiblio name="maven" m2compatible="true" root={quoteattr(settings.maven_repository)}/>'
            "</resolvers></ivysettings>",
            encoding="utf-8",
        )
    command = [
        str(find_java(settings)),
        "-Divy.cache.dir=" + str(work / "cache"),
        "-cp",
        str(ivy_jar),
        "org.apache.ivy.Main",
        "-settings",
        str(ivy_settings),
        "-ivy",
        str(work / "ivy.xml"),
        "-cache",
        str(work / "cache"),
        "-types",
        "jar",
        "-retrieve",
        str(work / "got" / "[artifact]-[revision].[ext]"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line.strip().startswith("downloading"):
                report("  " + line.strip().split(" ...")[0])
    if process.returncode != 0:
        output = "".join(lines[-15:])
        raise NotReady(
            "GS902",
            f"The jars could not be fetched:\n{output}",
            hint="Check the network. Set GOLDSMITH_MAVEN_REPOSITORY to use a mirror, or "
            "GOLDSMITH_IVY_SETTINGS to use an Ivy settings file.",
            retryable=True,
        )


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Fetches the groups named by the arguments, by default `delta`, and prints each step."""
    groups = tuple(sys.argv[1:]) or ("delta",)
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        sys.stderr.write(f"There is no group {', '.join(unknown)}. Known groups: {', '.join(GROUPS)}.\n")
        raise SystemExit(2)
    try:
        fetch(Settings.from_environment(), groups, _print)
    except NotReady as error:
        sys.stderr.write(f"{error}\n{error.hint or ''}\n")
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
