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
"""The folder of a pipeline that holds its dashboards."""


def read_dashboard(file: Path, pipeline: str) -> Dashboard:
    """Reads the file of one dashboard. Raises DeclarationError, or an ExceptionGroup of it."""
    if file.suffix != ".yaml":
        hint = f"Rename it to {file.with_suffix('.yaml').name}."
        raise DeclarationError(
            "GS109", "The names of declarations end in `.yaml`.", where=Where(file=file), hint=hint
        )
    if not NAME.match(file.stem):
        raise bad_name(file.stem, file)
    document = read_document(file)
    return Dashboard(file.stem, pipeline, validate(DashboardSpec, document), document)


def dashboards_of(pipeline: Path) -> Iterator[Callable[[], Dashboard]]:
    """A function for each dashboard of a pipeline's folder that reads it as `read_dashboard` does."""
    for file in sorted((pipeline / DASHBOARDS).glob("*.y*ml")):
        yield partial(read_dashboard, file, pipeline.name)


def unique_dashboards(
    dashboards: Iterable[Dashboard | None],
) -> tuple[dict[str, Dashboard], list[DeclarationError]]:
    """Dashboards by name, and a mistake for each duplicate. None entries are dashboards that could not be read."""
    seen: dict[str, Dashboard] = {}
    problems = []
    for dashboard in dashboards:
        if dashboard is None:
            continue
        first = seen.setdefault(dashboard.name, dashboard)
        if first is not dashboard:
            message = f"The dashboard `{dashboard.name}` is declared twice; first in {first.file}."
            hint = "Rename one: a dashboard's name is unique in the project."
            problems.append(DeclarationError("GS105", message, where=dashboard.where(), hint=hint))
    return seen, problems


def bad_name(name: str, file: Path) -> DeclarationError:
    """The error for a file or folder with an invalid name."""
    return DeclarationError(
        "GS109",
        f"`{name}` is not a valid name.",
        where=Where(file=file),
        hint="Use lower-case letters, digits and _, beginning with a letter.",
    )
