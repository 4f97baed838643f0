"""Opens the project, and Spark for the commands that need it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from goldsmith.cli.console import err, plural, print_warning, styled
from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from goldsmith.project.pipelines import Project
    from goldsmith.run.context import DataInterval

T = TypeVar("T")


def project_root() -> Path:
    """The folder of the project: `--project`, else the nearest one. Raises DeclarationError GS100."""
    from goldsmith.project.loading import find_root

    named = os.environ.get("GOLDSMITH_PROJECT")
    return find_root(Path(named) if named else Path.cwd())


def open_project(names: Sequence[str] = ()) -> Project:
    """Loads and checks the project. Raises DeclarationErrors with all mistakes.

    names: the tables, layers and pipelines of the command. Mistakes in pipelines that these do not need are a warning.
    """
    from goldsmith.project.needed import load_needed
    from goldsmith.quality.checking import check_expectations

    project, ignored = load_needed(project_root(), names, checks=(check_expectations,))
    if ignored:
        files = sorted({Path(str(problem.where.file)).name for problem in ignored})
        print_warning(
            f"Ignored {plural(len(ignored), 'mistake')} in pipelines that this command does not need "
            f"({', '.join(files)}). `goldsmith check` lists them."
        )
    if not project.tables and not ignored and not names:
        print_warning(
            f"The folder `{project.spec.pipelines}` has no tables. Create some: `goldsmith init --pipeline NAME`."
        )
    return project


def profile_name() -> str | None:
    """The profile that `--profile` names; None if the project's default applies."""
    return os.environ.get("GOLDSMITH_PROFILE")


def check_profile_name() -> None:
    """Raises DeclarationError GS108 if the project does not declare the profile that is named.

    Without a project, or with an invalid one, it raises nothing: the command itself reports that.
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
    """Whether `--verbose` is given."""
    return bool(os.environ.get("GOLDSMITH_VERBOSE"))


def without_spark(project: Project, work: Callable[[SparkSession | None], T], *, quiet: bool = False) -> T:
    """The result of work that rarely needs a session: it is called without one, and with one if it raises NeedsSpark."""
    from goldsmith.engine.delta.delta_rs import NeedsSpark
    from goldsmith.engine.s3 import check_reachable

    check_reachable([project.profile(profile_name()).warehouse])
    try:
        return work(None)
    except NeedsSpark as reason:
        if verbose():
            err.print(styled((f"Starting Spark: {reason}", "dim")), soft_wrap=True)
    with open_spark(project, quiet=quiet) as spark:
        return work(spark)


@contextmanager
def open_spark(project: Project, *, quiet: bool = False) -> Iterator[SparkSession]:
    """A Spark session of the chosen profile, stopped at the end.

    The JVM writes to `.goldsmith/spark.log`, unless spark-submit started it.
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
    """Whether executors are threads of this process. No master's page lists such an application."""
    from goldsmith.engine.launch.master import runs_here

    return runs_here(session.sparkContext.master or "local")


@contextmanager
def _jvm_output_in(log: Path) -> Iterator[None]:
    """Redirects the standard error of processes that are started in this context to a log file."""
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
    """The data interval of --from and --to. Raises DeclarationError GS505 if it is empty."""
    from goldsmith.run.context import DataInterval

    return DataInterval.of(start.date() if start else None, end.date() if end else None)


def tables_to_rebuild(project: Project, names: Iterable[str] | None, chosen: Sequence[str]) -> frozenset[str]:
    """The tables of --rebuild. Raises DeclarationError GS504 for one that is not among the chosen tables."""
    found = frozenset(project.table(name).name for name in names or ())
    for name in sorted(found - set(chosen)):
        raise DeclarationError(
            "GS504",
            f"`--rebuild {name}`: the run does not include this table.",
            hint=f"Add it: `goldsmith run ... {name}`.",
        )
    return found
