"""Reads a project from its folder and collects all mistakes in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.project.checks.dashboards import check_dashboards
from goldsmith.project.checks.pipelines import check_pipelines
from goldsmith.project.checks.project import check_tables
from goldsmith.project.models import ProjectSpec
from goldsmith.project.pipelines import Project
from goldsmith.project.reading import MARKER, Reader


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds goldsmith.yaml. Raises DeclarationError GS100."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / MARKER).is_file():
            return folder
    for other in ("goldsmith.yml", "Goldsmith.yaml"):
        if (start / other).is_file():
            raise DeclarationError(
                "GS100", f"There is no {MARKER} in {start.resolve()}.", hint=f"Rename {other} to {MARKER}."
            )
    raise DeclarationError(
        "GS100",
        f"There is no {MARKER} in {start.resolve()} or above it.",
        hint="Change to a project's folder, name it with --project, or create one: `goldsmith init my-lakehouse`.",
    )


def read_spec(root: Path) -> ProjectSpec:
    """Reads goldsmith.yaml alone, without the tables. Raises DeclarationErrors."""
    reader = Reader(root)
    spec = reader.spec()
    if spec is None:
        raise DeclarationErrors(sorted(reader.problems, key=_position))
    return spec


Check = Callable[[Project], list[DeclarationError]]
"""Finds mistakes in a project that was read."""


@dataclass(frozen=True)
class Reading:
    """The part of a project that could be read, without checks across files.

    project: the pipelines and tables whose own files are valid. problems: the mistakes in the others.
    broken: the names of the tables whose files could not be read.
    """

    project: Project
    problems: tuple[DeclarationError, ...]
    broken: frozenset[str]


def read_project(root: Path, pipelines: Collection[str] | None = None) -> Reading:
    """Reads the files of a project without checking them against each other: half the cost of `load_project`.

    pipelines: whose tables to read; all if None. Raises DeclarationErrors if goldsmith.yaml is invalid or its
    folder of pipelines does not exist.
    """
    reader = Reader(root)
    project = reader.read(pipelines)
    if project is None:
        raise DeclarationErrors(sorted(reader.problems, key=_position))
    return Reading(project, tuple(sorted(reader.problems, key=_position)), frozenset(reader.broken))


def load_project(
    root: Path, checks: Sequence[Check] = (), *, pipelines: Collection[str] | None = None
) -> Project:
    """Reads and checks the project at `root`, without Spark.

    checks: further checks beside those of this package; all mistakes are raised together.
    pipelines: whose tables to read and check; all if None.
    Raises DeclarationErrors with every mistake, in the order of files and lines.
    """
    if not (root / MARKER).is_file():
        find_root(root)
        raise DeclarationError(
            "GS100", f"There is no {MARKER} in {root}.", hint=f"Use its parent folder: {root.parent}."
        )
    reading = read_project(root, pipelines)
    project, found = check_tables(reading.project, broken=set(reading.broken))
    problems = [
        *reading.problems,
        *found,
        *check_pipelines(project, reading.broken, partial=pipelines is not None),
    ]
    if pipelines is None:
        # Dashboards may read tables of any pipeline.
        problems += check_dashboards(project, project.dashboards.values(), broken=reading.broken)
    problems += [mistake for check in checks for mistake in check(project)]
    if problems:
        raise DeclarationErrors(sorted(problems, key=_position))
    return project


def _position(problem: DeclarationError) -> tuple[str, int, int]:
    return str(problem.where.file), problem.where.line or 0, problem.where.column or 0
