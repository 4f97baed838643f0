"""Commands of the noun `spark`: what Spark needs on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import out
from goldsmith.cli.groups import Panel, noun
from goldsmith.cli.opening import profile_name, project_root
from goldsmith.errors import DeclarationError
from goldsmith.settings import Settings

if TYPE_CHECKING:
    from goldsmith.project.models import ProfileSpec


def register(app: typer.Typer) -> None:
    """Adds the noun and its verbs."""
    group = noun(app, "spark", "What Spark needs on this machine.")
    group.command(rich_help_panel=Panel.SET_UP)(install)


def install(
    fast_start: Annotated[
        bool,
        typer.Option(
            "--fast-start", help="Archive the classes that a run loads. It takes a minute and 200 MB, once."
        ),
    ] = False,
) -> None:
    """Download the jars that Spark needs and verify them, once per machine.

    Example: `goldsmith spark install --profile cluster`

    Every profile needs Delta's jars. A profile on S3 also needs the jars of S3, and the log store, which is
    compiled. Faster access to local files and the reader of ZIP files are compiled if there is a JDK.

    `GOLDSMITH_MAVEN_REPOSITORY` names a mirror, `GOLDSMITH_IVY_SETTINGS` an Ivy settings file, `GOLDSMITH_CACHE` the
    folder of downloads.
    """
    from goldsmith.engine.launch.compiled_jars import LOG_STORE, build, build_files
    from goldsmith.engine.launch.jars import fetch, groups_of
    from goldsmith.engine.launch.java import find_java

    settings = Settings.from_environment()
    groups = groups_of(_profile())
    java = find_java(settings)
    _print(f"Java: {java}")
    fetch(settings, groups, _print)
    if "s3" in groups:
        build(LOG_STORE, settings, _print)
    build_files(settings, _print)
    if fast_start:
        _archive(settings, _print)


def _print(line: str) -> None:
    out.print(line, soft_wrap=True)


def _archive(settings: Settings, print_line: Callable[[str], None]) -> None:
    from goldsmith.engine.launch.archive import make_archive

    with tempfile.TemporaryDirectory(prefix="goldsmith-training-") as folder:
        make_archive(settings, ("-m", "goldsmith.cli.training", folder), print_line)


def _profile() -> ProfileSpec:
    """The chosen profile, even if tables have invalid declarations; the default profile outside a project."""
    from goldsmith.project.loading import read_spec
    from goldsmith.project.models import ProfileSpec
    from goldsmith.project.profiles import chosen_profile

    try:
        root = project_root()
    except DeclarationError:
        if profile_name() is not None:
            raise
        return ProfileSpec()
    return chosen_profile(read_spec(root), profile_name(), root)
