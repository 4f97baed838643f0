"""A project without the pipelines that a call does not need: their mistakes must not stop it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.project.graph import in_order
from goldsmith.project.loading import Check, load_project, read_project
from goldsmith.project.tables import Project


def load_needed(
    root: Path, names: Sequence[str], checks: Sequence[Check] = ()
) -> tuple[Project, tuple[DeclarationError, ...]]:
    """The project for a call about `names` (pipelines, layers, tables), and the mistakes it passed over.

    Without mistakes it is the whole project. Else it holds the pipelines of the named tables and of all
    that these read, where those are right. Raises DeclarationErrors where they are not, where nothing is named,
    and for a table that is declared twice.
    """
    try:
        return load_project(root, checks), ()
    except DeclarationErrors as errors:
        pipelines = _pipelines(root, names)
        if not pipelines or any(problem.code == "GS105" for problem in errors.problems):
            raise
        return load_project(root, checks, pipelines=pipelines), errors.problems


def _pipelines(root: Path, names: Sequence[str]) -> frozenset[str]:
    """The pipelines of what is named and of all it needs; none where that cannot be told."""
    reading = read_project(root)
    project = reading.project
    if not names:
        return frozenset()
    try:
        chosen = project.select(tuple(names))
    except DeclarationError:
        return frozenset()
    needed: set[str] = set(chosen)
    for name in reversed(in_order(project.needs)):
        if name in needed:
            needed.update(project.tables[name].needs)
    if not needed <= project.tables.keys():
        return frozenset()
    return frozenset(project.tables[name].pipeline for name in needed)
