"""Exports a dashboard that was made or edited in Superset into raw files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldsmith.errors import DeclarationError, GoldsmithError, Where
from goldsmith.project.hints import hint_for
from goldsmith.project.pipelines import Project
from goldsmith.publish.superset.assets import as_yaml
from goldsmith.publish.superset.client import SupersetClient
from goldsmith.publish.superset.names import Names, slug
from goldsmith.publish.superset.raw import RAW
from goldsmith.yaml_text import parsed

_HEAD = "# Pulled from Superset by `goldsmith superset pull`.\n"


def pull(
    client: SupersetClient, project: Project, name: str, pipeline: str, *, replace: bool = False
) -> list[Path]:
    """Writes a dashboard and its charts as raw files of a pipeline. Returns the written and the removed files.

    name: the last part of its URL, or its title. replace: whether to remove a dashboard of the short form.
    Raises DeclarationError GS108 for an unknown pipeline; GS726 for an unknown dashboard, for a dashboard of the short
    form without `replace`, or for a chart that reads an undeclared dataset.
    """
    if pipeline not in project.pipelines:
        hint = hint_for(pipeline, project.pipelines)
        raise DeclarationError("GS108", f"There is no pipeline `{pipeline}`.", hint=hint)
    found = _find(client, name)
    names = Names(project.spec.name)
    short = next(
        (d for d in project.dashboards.values() if names.uuid("dashboard", d.name) == found["uuid"]), None
    )
    if short is not None and not replace:
        raise GoldsmithError(
            "GS726",
            f"`{short.name}` is declared in the short form, so the pulled files would declare it twice.",
            where=short.where(),
            hint="Make the change there, or replace the declaration with the pulled files: `--replace`.",
        )
    stem = slug(str(found.get("slug") or found["dashboard_title"]))
    texts = _named(client.export("dashboard", [found["id"]]), stem, names)
    folder = project.pipelines[pipeline].folder / "dashboards" / RAW
    written = []
    for path, text in texts.items():
        file = folder / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            written.append(file)
    for file in sorted((folder / "charts" / stem).glob("*.yaml")):
        if file.relative_to(folder).as_posix() not in texts:
            file.unlink()
            written.append(file)
    if short is not None:
        short.file.unlink()
        written.append(short.file)
    return written


def _find(client: SupersetClient, name: str) -> Mapping[str, Any]:
    dashboards = client.all("dashboard", ("id", "uuid", "slug", "dashboard_title"))
    for key in ("slug", "dashboard_title"):
        matches: list[Mapping[str, Any]] = [each for each in dashboards if each.get(key) == name]
        if len(matches) == 1:
            return matches[0]
        if matches:
            message = f"Superset has {len(matches)} dashboards named `{name}`."
            hint = "Set a slug in the properties of the dashboard to pull."
            raise GoldsmithError("GS726", message, where=Where(file=client.server.url), hint=hint)
    known = [str(each.get("slug") or each["dashboard_title"]) for each in dashboards]
    message = f"Superset has no dashboard `{name}`."
    raise GoldsmithError("GS726", message, where=Where(file=client.server.url), hint=hint_for(name, known))


def _named(exported: Mapping[str, str], stem: str, names: Names) -> dict[str, str]:
    """The export's charts and dashboard, with UUIDs of this project and stable names."""
    loaded = {path: parsed(text) for path, text in exported.items()}
    datasets = {each["uuid"]: each for path, each in loaded.items() if path.startswith("datasets/")}
    uuids: dict[str, str] = {}
    for path, each in loaded.items():
        if path.startswith("charts/") and not names.is_ours(each["uuid"]):
            uuids[each["uuid"]] = names.uuid("chart", stem, RAW, each["slice_name"], each["uuid"])
        if path.startswith("dashboards/") and not names.is_ours(each["uuid"]):
            uuids[each["uuid"]] = names.uuid("dashboard", RAW, stem)
    found: dict[str, str] = {}
    for path, each in sorted(loaded.items()):
        if path.startswith("charts/"):
            of = datasets.get(each["dataset_uuid"], {})
            if not names.is_ours(each["dataset_uuid"]):
                message = (
                    f"The chart `{each['slice_name']}` reads `{of.get('table_name')}`, which is not declared."
                )
                hint = "Declare it as a gold table, and use that table in the chart."
                raise GoldsmithError("GS726", message, hint=hint)
            name, at = slug(each["slice_name"]), each["uuid"][:4]
            file = f"charts/{stem}/{name}.yaml"
            found[file if file not in found else f"charts/{stem}/{name}_{at}.yaml"] = _text(each, uuids)
        elif path.startswith("dashboards/"):
            each["slug"] = each.get("slug") or stem
            found[f"dashboards/{stem}.yaml"] = _text(each, uuids)
    return found


def _text(data: Mapping[str, Any], uuids: Mapping[str, str]) -> str:
    text = as_yaml(data, _HEAD)
    for old, new in uuids.items():
        text = text.replace(old, new)
    return text
