"""Generates all assets of a project from its declarations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from goldsmith.errors import DeclarationError, DeclarationErrors
from goldsmith.project.checks.dashboards import check_dashboards
from goldsmith.project.dashboards import Dashboard
from goldsmith.project.loading_dashboards import read_dashboard
from goldsmith.project.pipelines import Project
from goldsmith.project.relations import relations
from goldsmith.publish.superset import charts, dashboards, datasets
from goldsmith.publish.superset.assets import METADATA, VERSION, Assets, as_yaml
from goldsmith.publish.superset.chart_queries import hidden_metric
from goldsmith.publish.superset.names import Names, slug
from goldsmith.publish.superset.raw import RAW, read_raw
from goldsmith.yaml_text import parsed

BUILT_IN = Path(__file__).parent / "built_in"
FOLDER = Path("superset") / "assets"
"""The folder of a project's assets, below its root."""


def generate(project: Project) -> Assets:
    """The assets of a project's declarations and of the built-in dashboards.

    A project's dashboard replaces a built-in one of the same name. Raises DeclarationErrors.
    """
    names, known = Names(project.spec.name), relations(project)
    found: dict[str, str] = {
        METADATA: as_yaml({"version": VERSION, "type": "assets", "timestamp": "2000-01-01T00:00:00+00:00"}),
        "databases/lakehouse.yaml": as_yaml(datasets.database(names)),
    }
    shown = all_dashboards(project)
    drawn = [chart for dashboard in shown.values() for _, chart in dashboard.charts]
    for relation in known.values():
        path = f"datasets/lakehouse/{relation.schema}_{relation.short}.yaml"
        hidden = {
            hidden_metric(chart) for chart in drawn if (chart.table, chart.kind) == (relation.name, "bar")
        }
        found[path] = as_yaml(datasets.dataset(relation, names, hidden))
    for dashboard in shown.values():
        for _, chart in dashboard.charts:
            path = f"charts/{dashboard.name}/{slug(chart.title)}.yaml"
            found[path] = as_yaml(charts.chart(dashboard.name, chart, known[chart.table], names))
        found[f"dashboards/{dashboard.name}.yaml"] = as_yaml(dashboards.dashboard(dashboard, known, names))
    return {**found, **_raw(project, found, names)}


def _raw(project: Project, generated: Assets, names: Names) -> dict[str, str]:
    """The raw assets, passed through unchanged."""
    uuids = {str(parsed(text).get("uuid")): path for path, text in generated.items()}
    datasets = {uuid for uuid, path in uuids.items() if path.startswith("datasets/")}
    read = read_raw(project, datasets, uuids, names.is_ours)
    return {asset.path: as_yaml(asset.data, "") for asset in read}


def check_raw(project: Project) -> None:
    """Raises DeclarationErrors for invalid raw files."""
    if any((pipeline.folder / "dashboards" / RAW).is_dir() for pipeline in project.pipelines.values()):
        generate(project)


def all_dashboards(project: Project) -> Mapping[str, Dashboard]:
    """A project's dashboards and the built-in ones, by name."""
    built_in = {file.stem: read_dashboard(file, "") for file in sorted(BUILT_IN.glob("*.yaml"))}
    return {**built_in, **project.dashboards}


def check_built_in(project: Project) -> None:
    """Raises DeclarationErrors if a built-in dashboard does not match the tables that it reads."""
    problems: list[DeclarationError] = check_dashboards(
        project, [read_dashboard(file, "") for file in sorted(BUILT_IN.glob("*.yaml"))]
    )
    if problems:
        raise DeclarationErrors(problems)
