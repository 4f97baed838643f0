"""Reads the dashboards of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from goldsmith.errors import DeclarationError, Where
from goldsmith.project.dashboards import Dashboard, DashboardSpec
from goldsmith.project.documents import read_document
from goldsmith.project.models import NAME
from goldsmith.project.validation import validate

DASHBOARDS = "dashboards"
"""The folder of a pipeline that holds them."""


def read_dashboard(file: Path, pipeline: str) -> Dashboard:
    """One dashboard's file. Raises DeclarationError, or ExceptionGroup of it, for what is wrong in it alone."""
    if file.suffix != ".yaml":
        hint = f"Rename it to {file.with_suffix('.yaml').name}."
        raise DeclarationError("GS109", "Declarations end in `.yaml`.", where=Where(file=file), hint=hint)
    if not NAME.match(file.stem):
        raise bad_name(file.stem, file)
    document = read_document(file)
    return Dashboard(file.stem, pipeline, validate(DashboardSpec, document), document)


def dashboards_of(pipeline: Path) -> Iterator[Callable[[], Dashboard]]:
    """What reads each dashboard of a pipeline's folder, and raises as `read_dashboard` does."""
    for file in sorted((pipeline / DASHBOARDS).glob("*.y*ml")):
        yield partial(read_dashboard, file, pipeline.name)


def unique_dashboards(
    dashboards: Iterable[Dashboard | None],
) -> tuple[dict[str, Dashboard], list[DeclarationError]]:
    """Dashboards by name, and a mistake for each whose name is taken. None stands for one that could not be read."""
    seen: dict[str, Dashboard] = {}
    problems = []
    for dashboard in dashboards:
        if dashboard is None:
            continue
        first = seen.setdefault(dashboard.name, dashboard)
        if first is not dashboard:
            told = f"The dashboard `{dashboard.name}` is declared twice; first in {first.file}."
            hint = "A dashboard's name is unique in the project."
            problems.append(DeclarationError("GS105", told, where=dashboard.where(), hint=hint))
    return seen, problems


def bad_name(name: str, file: Path) -> DeclarationError:
    """A file or folder whose name is none that declarations can have."""
    return DeclarationError(
        "GS109",
        f"`{name}` cannot be a name.",
        where=Where(file=file),
        hint="Names are lower-case letters, digits and _, and begin with a letter.",
    )
