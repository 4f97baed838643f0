"""Loads only the pipelines that a call needs, so that mistakes in others do not stop it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.project.graph import in_order
from goldsmith.project.loading import Check, load_project, read_project
from goldsmith.project.pipelines import Project


def load_needed(
    root: Path, names: Sequence[str], checks: Sequence[Check] = ()
) -> tuple[Project, tuple[DeclarationError, ...]]:
    """The project for a call about `names` (pipelines, layers, tables), and the mistakes that were ignored.

    Without mistakes it is the whole project. Otherwise it holds the pipelines of the named tables and of all
    their upstreams. Raises DeclarationErrors if these pipelines have mistakes, if nothing is named,
    or if a table is declared twice.
    """
    try:
        return load_project(root, checks), ()
    except DeclarationErrors as errors:
        pipelines = _pipelines(root, names)
        if not pipelines or any(problem.code == "GS105" for problem in errors.problems):
            raise
        return load_project(root, checks, pipelines=pipelines), errors.problems


def _pipelines(root: Path, names: Sequence[str]) -> frozenset[str]:
    """The pipelines of the named tables and of all their upstreams; none if they cannot be resolved."""
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
