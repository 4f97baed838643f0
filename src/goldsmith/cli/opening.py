"""Opens a project and, where a command needs it, Spark."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.cli.console import err, plural, styled, tell_warning
from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from goldsmith.project.tables import Project
    from goldsmith.run.context import DataInterval


def project_root() -> Path:
    """The folder of the project the command is about. Raises DeclarationError GS100."""
    from goldsmith.project.loading import find_root

    named = os.environ.get("GOLDSMITH_PROJECT")
    return find_root(Path(named) if named else Path.cwd())


def open_project(names: Sequence[str] = ()) -> Project:
    """The project the command is about, checked. Raises DeclarationErrors with all mistakes.

    names: what the command is about; mistakes in pipelines that it does not need are told and do not stop it.
    """
    from goldsmith.project.needed import load_needed
    from goldsmith.quality.checking import check_expectations

    project, passed_over = load_needed(project_root(), names, checks=(check_expectations,))
    if passed_over:
        files = sorted({Path(str(problem.where.file)).name for problem in passed_over})
        tell_warning(
            f"{plural(len(passed_over), 'mistake')} in pipelines that are not needed here "
            f"({', '.join(files)}): `goldsmith check` tells them."
        )
    return project


def profile_name() -> str | None:
    return os.environ.get("GOLDSMITH_PROFILE")


def check_profile_name() -> None:
    """Raises DeclarationError GS108 where a profile is named that the project here does not declare.

    Without a project, or with one that cannot be read, there is nothing to compare with: the command tells that.
    """
    name = profile_name()
    if name is None:
        return
    from goldsmith.project.loading import read_spec
    from goldsmith.project.profiles import declared_profile

    try:
        root = project_root()
        spec = read_spec(root)
    except (DeclarationError, DeclarationErrors):
        return
    declared_profile(spec, name, root)


def verbose() -> bool:
    return bool(os.environ.get("GOLDSMITH_VERBOSE"))


@contextmanager
def open_spark(project: Project, *, quiet: bool = False) -> Iterator[SparkSession]:
    """A Spark session of the chosen profile, stopped at the end.

    What the JVM writes goes to `.goldsmith/spark.log`: errors are told by Goldsmith. One that spark-submit started
    is not held back.
    """
    from goldsmith.engine.launch.session import make_session
    from goldsmith.engine.launch.submission import submitted

    profile = project.profile(profile_name())

    def start() -> SparkSession:
        with nullcontext() if submitted() else _jvm_output_in(project.root / ".goldsmith" / "spark.log"):
            return make_session(
                profile,
                name=project.spec.name,
                warehouse=profile.warehouse,
                settings=Settings.from_environment(),
            )

    if quiet or not err.is_terminal:
        session = start()
    else:
        with err.status(styled("Starting Spark")):
            session = start()
    if not quiet and not _runs_here(session):
        context = session.sparkContext
        err.print(f"Spark application {context.applicationId} on {context.master}", soft_wrap=True)
    try:
        yield session
    finally:
        session.stop()


def _runs_here(session: SparkSession) -> bool:
    """Whether executors are threads of this process: such an application is on nobody's page."""
    from goldsmith.engine.launch.master import runs_here

    return runs_here(session.sparkContext.master or "local")


@contextmanager
def _jvm_output_in(log: Path) -> Iterator[None]:
    """A process started in here inherits a log file as its standard error."""
    if verbose():
        yield
        return
    log.parent.mkdir(exist_ok=True)
    kept = os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.dup2(target, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(target)


def interval(start: datetime | None, end: datetime | None) -> DataInterval | None:
    """The data interval of --from and --to. Raises DeclarationError GS505 where it runs backwards."""
    from goldsmith.run.context import DataInterval

    return DataInterval.of(start.date() if start else None, end.date() if end else None)
