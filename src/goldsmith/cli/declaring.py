"""Commands about declarations: init, setup, check, schema."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldsmith.cli.console import error_as_dict, out, plural, styled, tell_error, tell_json, tell_warning
from goldsmith.cli.opening import open_project, profile_name, project_root
from goldsmith.errors import DeclarationError, DeclarationErrors, Exit
from goldsmith.settings import Settings

if TYPE_CHECKING:
    from goldsmith.project.models import ProfileSpec

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (init, setup, check, schema):
        app.command(rich_help_panel="Declare")(command)


def init(
    folder: Annotated[str, typer.Argument(help="Where the project is, or is to be made.")] = ".",
    pipeline: Annotated[str, typer.Option("--pipeline", help="The name of the pipeline to make.")] = "orders",
) -> None:
    """Make a project, or another pipeline in one, that runs as it is.

    Writes a bronze table from CSV files, a silver and a gold table on it, and two files to load: change them
    by hand into your own.
    """
    from goldsmith.cli.starter import make_pipeline

    root = Path(folder)
    for path in make_pipeline(root, pipeline):
        out.print(styled("  ", ("+", "green"), f" {path}"), soft_wrap=True)
    where = "" if root.resolve() == Path.cwd().resolve() else f"cd {shlex.quote(folder)} && "
    show = f"goldsmith show gold.{pipeline}_by_day"
    out.print(
        styled("\nNow: ", (f"{where}goldsmith run", "bold"), ", then ", (show, "bold"), "."), soft_wrap=True
    )


def setup(
    fast_start: Annotated[
        bool,
        typer.Option(
            "--fast-start", help="Archive the classes that a run loads: a minute, once, and 200 MB."
        ),
    ] = False,
) -> None:
    """Fetch what Spark needs, once: pinned jars, checked, for the profile that is used.

    Delta's jars are needed by every profile. One on S3 (`setup --profile cluster`) needs those of S3 as well, and
    the log store, which is compiled.

    GOLDSMITH_MAVEN_REPOSITORY names a mirror, GOLDSMITH_IVY_SETTINGS an Ivy settings file,
    GOLDSMITH_CACHE where downloads are kept.
    """
    from goldsmith.engine.launch.jars import fetch, groups_of
    from goldsmith.engine.launch.java import find_java
    from goldsmith.engine.launch.logstore import build

    settings = Settings.from_environment()
    groups = groups_of(_profile_to_set_up())
    java = find_java(settings)
    out.print(f"Java: {java}", soft_wrap=True)

    def tell(line: str) -> None:
        out.print(line, soft_wrap=True)

    fetch(settings, groups, tell)
    if "s3" in groups:
        build(settings, tell)
    if fast_start:
        _archive(settings, tell)


def _archive(settings: Settings, tell: Callable[[str], None]) -> None:
    from goldsmith.engine.launch.archive import make_archive

    with tempfile.TemporaryDirectory(prefix="goldsmith-training-") as folder:
        make_archive(settings, ("-m", "goldsmith.cli.training", folder), tell)


def _profile_to_set_up() -> ProfileSpec:
    """The chosen profile, whatever the tables' declarations are like; a plain one outside of projects."""
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


def check(as_json: Json = False) -> None:
    """Check all declarations and their SQL, without Spark; print every mistake at once.

    It warns where a bronze table on this machine's disk has a column of another type than declared.
    """
    began = time.monotonic()
    from goldsmith.publish.superset.generate import check_raw

    try:
        project = open_project()
        check_raw(project)
    except DeclarationErrors as error:
        if as_json:
            tell_json({"ok": False, "mistakes": [error_as_dict(problem) for problem in error.problems]})
        else:
            tell_error(error)
        raise typer.Exit(Exit.WRONG_CALL) from None
    from goldsmith.project.checks.project import declaration_notes
    from goldsmith.run.changed_types import changed_types

    notes = [*declaration_notes(project), *changed_types(project, project.profile(profile_name()).warehouse)]
    if as_json:
        told = [{"table": name, "note": note} for name, note in notes]
        tell_json(
            {"ok": True, "tables": list(project.tables), "pipelines": list(project.pipelines), "notes": told}
        )
        return
    for name, note in notes:
        tell_warning(f"{name}: {note}")
    seconds = time.monotonic() - began
    tables, pipelines = plural(len(project.tables), "table"), plural(len(project.pipelines), "pipeline")
    out.print(styled(("All is well:", "green"), f" {tables} in {pipelines}, checked in {seconds:.1f} s."))


def schema(
    folder: Annotated[str | None, typer.Argument(help="Write the schemas into this folder.")] = None,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only say whether the folder's schemas are current.")
    ] = False,
) -> None:
    """Write the JSON Schemas that editors complete and check the YAML files by."""
    from goldsmith.project.schemas import json_schemas

    schemas = json_schemas()
    if folder is None:
        tell_json(schemas)
        return
    texts = {
        Path(folder) / f"{name}.schema.json": json.dumps(content, indent=2) + "\n"
        for name, content in schemas.items()
    }
    write_texts(texts, check_only=check_only, told="The schemas are current.")


def write_texts(texts: Mapping[Path, str], *, check_only: bool, told: str) -> None:
    """Writes the files that differ. Raises typer.Exit where some do and are only to be checked."""
    stale = [
        path
        for path, text in texts.items()
        if not (path.is_file() and path.read_text(encoding="utf-8") == text)
    ]
    for path in stale:
        if not check_only:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
        out.print(f"  {'differs' if check_only else 'written'}: {os.path.relpath(path)}", soft_wrap=True)
    if check_only and stale:
        raise typer.Exit(Exit.FAILED)
    if not stale:
        out.print(told)
